#include "show/draw/pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "files/png/png.hpp"
#include "graph/needed.hpp"

namespace graphrun::show {

namespace {

constexpr const char* image_role = "image";
constexpr std::size_t smallest_side = 8;  ///< of a square that a row of numbers is taken for

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

/// What stands for a row of so many values as a picture; empty: it is none.
std::vector<std::size_t> sizes_of_row(const std::vector<std::size_t>& shape) {
  if (shape.size() == 2) return {shape[0], shape[1], 1};
  if (shape.size() == 3 && (shape[2] == 1 || shape[2] == 3)) return shape;
  if (shape.size() != 1) return {};
  const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(shape[0]))));
  if (side < smallest_side || side * side != shape[0]) return {};
  return {side, side, 1};
}

Size size_of(const train::OutputValues& output, const train::ImageSet* like) {
  if (like == nullptr) return size_from_shape(output);
  const std::size_t values = values_per_row(output);
  const std::vector<std::size_t> sizes = picture_sizes(*like, values);
  if (!sizes.empty()) return {sizes[0], sizes[1], sizes[2]};
  if (values == like->values_per_image()) return {like->height, like->width, like->channels};
  return size_from_shape(output);
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
  const Size size = size_of(output, like);
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

bool makes_images_like(const ModelDefinition& model, const train::ImageSet& images) {
  return images.are_pictures && values_per_image(model) == images.values_per_image();
}

std::size_t values_per_image(const ModelDefinition& model) {
  if (!model.role(image_role)) return 0;
  const Type& type = model.graph.node(*model.role(image_role)).type;
  if (type.shape.empty() || !type.shape.front().is_batch()) return 0;
  return static_cast<std::size_t>(element_count(bind(type.shape, std::int64_t{1})));
}

std::size_t values_per_row(const train::OutputValues& output) {
  std::size_t values = 1;
  for (std::size_t axis = 1; axis < output.extents.size(); ++axis)
    values *= static_cast<std::size_t>(output.extents[axis]);
  return output.extents.empty() ? 0 : values;
}

std::vector<std::size_t> picture_sizes(const train::ImageSet& images, std::size_t values) {
  if (images.are_pictures && values == images.values_per_image())
    return {images.height, images.width, images.channels};
  const bool are_targets = images.image_targets && images.image_targets->row_elements() == values;
  return are_targets ? sizes_of_row(images.image_targets->shape) : std::vector<std::size_t>();
}

}  // namespace graphrun::show
