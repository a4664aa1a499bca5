/// \file
/// What a model's images are to be like.
#pragma once

#include <cstddef>
#include <optional>

#include "train/datasets/dataset.hpp"
#include "train/datasets/examples.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::show {

/// The values that images are compared with: those that the loss compares output `image` with, as far as that
/// can be told, or the data as they are in their file.
class ImageTargets {
 public:
  /// Runs the model where the loss compares with something that is computed from the data. `images` must
  /// outlive this.
  ImageTargets(train::Learner& learner, const train::Examples& examples, const train::ImageSet& images);

  double value(std::size_t index) const;
  /// What was computed; null: the data themselves.
  const train::OutputValues* computed() const { return values_ ? &*values_ : nullptr; }

 private:
  const train::ImageSet& images_;
  std::optional<train::OutputValues> values_;
};

}  // namespace graphrun::show
