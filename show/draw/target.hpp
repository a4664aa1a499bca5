/// \file
/// What a model's images are to be like.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "train/datasets/dataset.hpp"
#include "train/datasets/examples.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::show {

/// The node behind the loss that output `image` is compared with, as far as that can be told: an input, or
/// something computed from data; nothing else.
std::optional<NodeId> target_of_images(const ModelDefinition& model);

/// The values that images are compared with: those that the loss compares output `image` with, or else what
/// the data say that they are to become, or else the data as they are in their file.
class ImageTargets {
 public:
  /// Runs the model where they are not the data themselves. `images` must outlive this; `output` is what the
  /// model has made of the examples. Error{usage} when nothing has as many values as that.
  ImageTargets(train::Learner& learner, const train::Examples& examples, const train::ImageSet& images,
               const train::OutputValues& output);

  /// Otherwise the examples come without what they are to become, and nothing is said of values.
  bool are_known() const { return are_known_; }
  double value(std::size_t index) const;
  /// What was computed; nothing: the data themselves. It is gone then.
  std::optional<train::OutputValues> take() { return std::exchange(values_, std::nullopt); }

 private:
  const train::ImageSet& images_;
  std::optional<train::OutputValues> values_;
  bool are_known_ = true;
};

}  // namespace graphrun::show
