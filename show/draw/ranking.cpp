#include "show/draw/ranking.hpp"

#include <algorithm>
#include <numeric>

#include "graphrun/error.hpp"
#include "show/draw/target.hpp"
#include "train/measure/detection.hpp"

namespace graphrun::show {

std::vector<double> image_errors(train::Learner& learner, const train::Examples& examples,
                                 const train::ImageSet& images) {
  const train::OutputValues output = learner.run({"image"}, examples).front();
  const std::span<const float> values = as_floats(output);
  const ImageTargets targets(learner, examples, images, output);
  if (!targets.are_known())
    throw Error(ErrorCode::usage,
                "the images come without what they are to become, which errors are measured against: "
                "--targets FILE gives it");
  const std::size_t width = values_per_row(output);
  std::vector<double> errors(static_cast<std::size_t>(examples.count));
  for (std::size_t image = 0; image < errors.size(); ++image) {
    for (std::size_t i = image * width; i < (image + 1) * width; ++i) {
      const double difference = static_cast<double>(values[i]) - targets.value(i);
      errors[image] += difference * difference / static_cast<double>(width);
    }
  }
  return errors;
}

std::vector<std::size_t> highest_first(std::span<const double> scores) {
  std::vector<std::size_t> numbers(scores.size());
  std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  std::stable_sort(numbers.begin(), numbers.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return numbers;
}

Pictures picked(const Pictures& list, std::span<const std::size_t> numbers) {
  Pictures result{numbers.size(), list.height, list.width, list.channels, {}};
  const std::size_t size = list.height * list.width * list.channels;
  for (const std::size_t number : numbers) {
    const auto begin = list.pixels.begin() + static_cast<std::ptrdiff_t>(number * size);
    result.pixels.insert(result.pixels.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
  }
  return result;
}

double roc_auc(std::span<const double> scores, const std::vector<bool>& sought) {
  if (std::ranges::find(sought, true) == sought.end() || std::ranges::find(sought, false) == sought.end())
    throw Error(ErrorCode::usage, "a ROC-AUC needs both images that are sought and others");
  return train::detection(scores, sought).roc_auc;
}

}  // namespace graphrun::show
