/// \file
/// How well scores tell rows that are odd from others.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "train/datasets/read_examples.hpp"

namespace graphrun::train {

struct Detection {
  double roc_auc = 0;
  double average_precision = 0;
  double best_f1 = 0;
  double best_threshold = 0;  ///< rows above it are flagged for best_f1
};
/// A row counts as its weight says; without weights, all the same. Error{usage} when there are none of a
/// kind.
Detection detection(std::span<const double> scores, const std::vector<bool>& odd,
                    std::span<const float> weights = {});

/// What each threshold gives, from the highest score down; equal scores fall together. [0, 0] and a precision
/// of 1 come first.
struct DetectionCurves {
  struct Point {
    double x = 0;
    double y = 0;
  };
  std::vector<Point> roc;  ///< the share of other rows that is flagged, and that of odd ones
  std::vector<Point>
      precision;  ///< the share of odd rows that is flagged, and how many of all flagged are odd
};
/// Both kinds are there.
DetectionCurves detection_curves(std::span<const double> scores, const std::vector<bool>& odd);

/// The label of what is looked for, where labels are at most two: 1, which of two names is the rarer.
std::optional<std::int32_t> odd_label(const ImageSet& rows);

}  // namespace graphrun::train
