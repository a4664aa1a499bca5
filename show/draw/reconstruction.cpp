#include "show/draw/reconstruction.hpp"

#include <fmt/format.h>

#include <utility>

#include "show/draw/target.hpp"

namespace graphrun::show {

namespace {

constexpr const char* image_role = "image";
constexpr const char* noisy_role = "noisy";

std::optional<double> mean_squared_error(const train::OutputValues& output, const ImageTargets& targets) {
  if (!targets.are_known()) return std::nullopt;
  const std::span<const float> values = as_floats(output);
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double difference = static_cast<double>(values[i]) - targets.value(i);
    sum += difference * difference;
  }
  return sum / static_cast<double>(values.size());
}

bool is_picture(const Type& type) {
  return type.shape.size() == 4 && (type.shape[3].is_number(1) || type.shape[3].is_number(3));
}

}  // namespace

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
  ImageTargets targets(learner, chosen, images, values[0]);
  Reconstruction made;
  made.mean_squared_error = mean_squared_error(values[0], targets);
  made.target = targets.take();
  made.image = std::move(values[0]);
  if (noisy) made.noisy = std::move(values[1]);
  return made;
}

std::vector<NamedPictures> pictures_of(const Reconstruction& made, const train::ImageSet& images) {
  std::vector<NamedPictures> lists;
  const auto count = static_cast<std::size_t>(made.image.extents.front());
  const bool is_original = !made.target && made.mean_squared_error;
  if (is_original || images.are_pictures)
    lists.push_back({is_original ? "original" : "input", first_pictures(images, count)});
  if (made.noisy) lists.push_back({"corrupted", pictures_of(*made.noisy, &images)});
  lists.push_back({"reconstruction", pictures_of(made.image, &images)});
  if (made.target) lists.push_back({"target", pictures_of(*made.target, &images)});
  return lists;
}

bool draws_images(const ModelDefinition& model, const train::ImageSet& images) {
  const std::size_t values = values_per_image(model);
  if (values == 0 || !sees_images(model)) return false;
  if (!picture_sizes(images, values).empty()) return true;
  // Pictures of another size, of which the data have none: half as large, for instance.
  return images.are_pictures && values != images.values_per_image() &&
         is_picture(model.graph.node(*model.role(image_role)).type) && target_of_images(model);
}

}  // namespace graphrun::show
