/// \file
/// What pictures and the page of a run draw alike of figures over the steps: the scales of a panel with their
/// marks, and which points are joined.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "show/draw/curves.hpp"

namespace graphrun::show {

/// An axis from `low` to `high`, and the values that it is marked at.
struct Scale {
  double low = 0;
  double high = 1;
  bool logarithmic = false;
  std::vector<double> ticks;

  /// How far along the axis a value lies: 0 at its low end, 1 at its high end.
  double share(double value) const;
};

/// From 0 to the last step of all curves.
Scale step_scale(const std::vector<Curve>& curves);

/// The scales that hold all values of a curve, with a little room beyond them.
struct ValueScales {
  Scale even;
  std::optional<Scale> logarithmic;  ///< where all values are positive, and there is more than one
  bool is_wide = false;              ///< they span more than one and a half powers of ten

  const Scale& preferred() const { return is_wide && logarithmic ? *logarithmic : even; }
};
ValueScales value_scales(const Curve& curve);

/// Points that a line joins: [begin, end).
struct Part {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// The points of one stage each, because in another phase or layer a figure is of another thing.
std::vector<Part> parts_of(const std::vector<Curve::Point>& points, const std::vector<LoggedStage>& stages);

/// Curves of so many points have a dot at each.
inline constexpr std::size_t most_dots = 40;

/// The values that an axis from `low` to `high` is marked at, about `count` of them: multiples of 1, 2 or 5
/// times a power of ten.
std::vector<double> even_ticks(double low, double high, int count);

/// The same for a logarithmic axis, both ends positive: 1, 2 and 5 times powers of ten, or these powers alone
/// (every so many-th) over many of them.
std::vector<double> logarithmic_ticks(double low, double high);

}  // namespace graphrun::show
