/// \file
/// Figures over the steps of a run, as a picture.
#pragma once

#include <vector>

#include "files/png/image.hpp"
#include "show/draw/curves.hpp"

namespace graphrun::show {

/// A panel for each figure, at most eight. Where values, all positive, span more than one and a half powers
/// of ten, an axis is logarithmic. Lines join the points of one stage only, because in another phase or layer
/// a figure is of another thing; phases and layers are marked. Error{usage} when there is no figure.
files::Image draw_curves(const std::vector<Curve>& curves, const std::vector<LoggedStage>& stages);

/// The values that an axis from `low` to `high` is marked at, about `count` of them: multiples of 1, 2 or 5
/// times a power of ten.
std::vector<double> even_ticks(double low, double high, int count);

/// The same for a logarithmic axis, both ends positive: 1, 2 and 5 times powers of ten, or these powers alone
/// (every so many-th) over many of them.
std::vector<double> logarithmic_ticks(double low, double high);

}  // namespace graphrun::show
