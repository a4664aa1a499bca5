#include "show/draw/pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "files/png/png.hpp"
#include "graph/needed.hpp"
#include "show/draw/target.hpp"

namespace graphrun::show {

namespace {

constexpr const char* image_role = "image";
constexpr const char* noisy_role = "noisy";

/// Values in one row of an output; 0 when it has no rows.
std::size_t values_per_row(const train::OutputValues& output) {
  std::size_t values = 1;
  for (std::size_t axis = 1; axis < output.extents.size(); ++axis)
    values *= static_cast<std::size_t>(output.extents[axis]);
  return output.extents.empty() ? 0 : values;
}

struct Size {
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 1;
};

Size size_from_shape(const train::OutputValues& output) {
  if (output.extents.size() == 4)
    return {static_cast<std::size_t>(output.extents[1]), static_cast<std::size_t>(output.extents[2]),
            static_cast<std::size_t>(output.extents[3])};
  const std::size_t values = values_per_row(output);
  const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(values))));
  if (values == 0 || side * side != values)
    throw Error(
        ErrorCode::usage,
        fmt::format(
            "output '{}' is {}: its rows are no pictures; --out FILE.npy or FILE.csv writes the values",
            output.name, to_string(output.extents)));
  return {side, side, 1};
}

double mean_squared_error(const train::OutputValues& output, const ImageTargets& targets) {
  const std::span<const float> values = as_floats(output);
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double difference = static_cast<double>(values[i]) - targets.value(i);
    sum += difference * difference;
  }
  return sum / static_cast<double>(values.size());
}

}  // namespace

bool sees_images(const ModelDefinition& model) {
  const NodeId image = *model.role(image_role);
  const std::vector<bool> needed = needed_by(model.graph, std::span(&image, 1));
  return std::ranges::any_of(model.inputs, [&](const ModelInput& input) {
    const std::optional<NodeId> node = model.graph.find(input.name);
    return takes_examples(input.source) && node && needed[*node];
  });
}

std::vector<std::uint8_t> pixels_of(const train::ImageSet& images, std::size_t first, std::size_t count) {
  const std::size_t width = images.values_per_image();
  if (!images.are_pixels()) return to_pixels(std::span(images.values).subspan(first * width, count * width));
  const std::span<const std::uint8_t> pixels = std::span(images.images).subspan(first * width, count * width);
  return {pixels.begin(), pixels.end()};
}

Pictures first_pictures(const train::ImageSet& images, std::size_t count) {
  const std::size_t kept = std::min(count, images.count);
  return {kept, images.height, images.width, images.channels, pixels_of(images, 0, kept)};
}

Pictures first_of(Pictures pictures, std::size_t count) {
  pictures.count = std::min(pictures.count, count);
  pictures.pixels.resize(pictures.count * pictures.height * pictures.width * pictures.channels);
  return pictures;
}

Pictures pictures_of(const train::OutputValues& output, const train::ImageSet* like) {
  const bool alike = like != nullptr && values_per_row(output) == like->values_per_image();
  const Size size = alike ? Size{like->height, like->width, like->channels} : size_from_shape(output);
  return {static_cast<std::size_t>(output.extents.front()), size.height, size.width, size.channels,
          to_pixels(as_floats(output))};
}

void write_sheet(const std::filesystem::path& path, const std::vector<Pictures>& lists, std::size_t columns,
                 std::size_t magnify) {
  SheetOptions options;
  options.columns = columns;
  options.magnify = magnify;
  if (lists.size() == 1) options.block_gap = 0;
  files::write_png(path, compose_sheet(lists, options));
}

Reconstruction reconstruct(train::Learner& learner, const train::Examples& examples,
                           const train::ImageSet& images, std::int64_t count) {
  const ModelDefinition& model = learner.model();
  if (model.role(image_role) && !sees_images(model))
    throw Error(
        ErrorCode::usage,
        fmt::format("model '{}' makes images from nothing but chance, so there is nothing to reconstruct; "
                    "`graphrun generate` draws samples",
                    model.name));
  const bool noisy = model.role(noisy_role).has_value();
  std::vector<std::string> outputs{image_role};
  if (noisy) outputs.emplace_back(noisy_role);
  const train::Examples chosen = first_of(examples, count);
  std::vector<train::OutputValues> values = learner.run(outputs, chosen);
  if (values_per_row(values[0]) != images.values_per_image())
    throw Error(ErrorCode::usage, "output 'image' has another size than the images it is compared with");
  Reconstruction result;
  const ImageTargets targets(learner, chosen, images);
  result.lists.push_back(targets.computed() != nullptr
                             ? pictures_of(*targets.computed(), &images)
                             : first_pictures(images, static_cast<std::size_t>(chosen.count)));
  if (noisy) result.lists.push_back(pictures_of(values[1], &images));
  result.lists.push_back(pictures_of(values[0], &images));
  result.mean_squared_error = mean_squared_error(values[0], targets);
  result.image = std::move(values[0]);
  return result;
}

bool draws_images(const ModelDefinition& model, const train::ImageSet& images) {
  return makes_images_like(model, images) && sees_images(model);
}

bool makes_images_like(const ModelDefinition& model, const train::ImageSet& images) {
  if (!images.are_pictures || !model.role(image_role)) return false;
  const Type& type = model.graph.node(*model.role(image_role)).type;
  if (type.shape.empty() || !type.shape.front().is_batch()) return false;
  return element_count(bind(type.shape, std::int64_t{1})) ==
         static_cast<std::int64_t>(images.values_per_image());
}

}  // namespace graphrun::show
