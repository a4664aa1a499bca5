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

}  // namespace graphrun::show
