/// \file
/// What a classifier takes for what, and the rows of the highest scores, as pictures.
#pragma once

#include "files/png/image.hpp"
#include "show/draw/row_view.hpp"

namespace graphrun::show {

/// A cell for each pair of classes, the darker the larger its share of what is truly of that class. At most
/// most_drawn_classes.
files::Image draw_matrix(const ClassView& view);
inline constexpr std::size_t most_drawn_classes = 40;

/// The rows of the highest scores, a bar each, with the columns that make most of it.
files::Image draw_worst(const RowView& view, const std::vector<FittedColumn>& columns);

}  // namespace graphrun::show
