#include "train/datasets/tables/column_scale.hpp"

#include <algorithm>
#include <cmath>

namespace graphrun::train {

namespace {

/// The place of a value among the landmarks, from 0 to 1: in the middle of those that are equal to it.
double rank_of(const std::vector<double>& landmarks, double value) {
  const auto begin = landmarks.begin();
  const auto low = static_cast<double>(std::ranges::lower_bound(landmarks, value) - begin);
  const auto high = static_cast<double>(std::ranges::upper_bound(landmarks, value) - begin);
  const auto last = static_cast<double>(landmarks.size() - 1);
  if (high > low) return (low + high - 1) / 2 / last;
  if (low == 0) return 0;
  if (high > last) return 1;
  const double below = landmarks[static_cast<std::size_t>(low) - 1];
  const double above = landmarks[static_cast<std::size_t>(low)];
  return (low - 1 + (value - below) / (above - below)) / last;
}

double value_at(const std::vector<double>& landmarks, double rank) {
  const double place = std::clamp(rank, 0.0, 1.0) * static_cast<double>(landmarks.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, landmarks.size() - 1);
  return landmarks[below] + (place - static_cast<double>(below)) * (landmarks[above] - landmarks[below]);
}

}  // namespace

double signed_log(double value) {
  return std::copysign(std::log1p(std::abs(value)), value);
}

double scaled(const FittedColumn& column, double value) {
  if (column.scale == ColumnScale::quantile) return rank_of(column.landmarks, value);
  const double start = column.scale == ColumnScale::log ? signed_log(value) : value;
  return (start - column.centre) / column.spread;
}

double unscaled(const FittedColumn& column, double value) {
  if (column.scale == ColumnScale::quantile) return value_at(column.landmarks, value);
  const double start = column.centre + column.spread * value;
  return column.scale == ColumnScale::log ? std::copysign(std::expm1(std::abs(start)), start) : start;
}

}  // namespace graphrun::train
