#include "train/measure/confusion.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace graphrun::train {

double Confusion::accuracy() const {
  std::int64_t right = 0;
  std::int64_t all = 0;
  for (std::size_t truth = 0; truth < classes; ++truth)
    for (std::size_t guess = 0; guess < classes; ++guess) {
      all += count(truth, guess);
      if (truth == guess) right += count(truth, guess);
    }
  return static_cast<double>(right) / static_cast<double>(all);
}

double Confusion::f1(std::size_t label) const {
  std::int64_t of_class = 0;
  std::int64_t taken_for_it = 0;
  for (std::size_t other = 0; other < classes; ++other) {
    of_class += count(label, other);
    taken_for_it += count(other, label);
  }
  if (of_class + taken_for_it == 0) return std::numeric_limits<double>::quiet_NaN();
  return 2 * static_cast<double>(count(label, label)) / static_cast<double>(of_class + taken_for_it);
}

double Confusion::mean_f1() const {
  double sum = 0;
  double measured = 0;
  for (std::size_t label = 0; label < classes; ++label) {
    const double own = f1(label);
    if (std::isnan(own)) continue;
    sum += own;
    ++measured;
  }
  return sum / measured;
}

Confusion confusion(std::span<const float> scores, std::span<const std::int32_t> labels,
                    std::size_t classes) {
  Confusion result{classes, std::vector<std::int64_t>(classes * classes)};
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const std::span<const float> own = scores.subspan(row * classes, classes);
    const auto guess = static_cast<std::size_t>(std::ranges::max_element(own) - own.begin());
    const auto truth = static_cast<std::size_t>(labels[row]);
    if (labels[row] >= 0 && truth < classes) ++result.counts[truth * classes + guess];
  }
  return result;
}

}  // namespace graphrun::train
