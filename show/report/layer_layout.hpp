/// \file
/// Places the boxes of a graph in rows from the top downwards, after K. Sugiyama et al., "Methods for visual
/// understanding of hierarchical system structures", 1981: a row for each length of the longest way to a box,
/// few crossings by barycentres, then each row as near below its neighbours as the boxes' widths allow.
#pragma once

#include <cstddef>
#include <vector>

namespace graphrun::show {

struct Point {
  double x = 0;
  double y = 0;
};

struct LayoutEdge {
  std::size_t from = 0;  ///< numbers of boxes
  std::size_t to = 0;
};

struct Layout {
  double width = 0;
  double height = 0;
  std::vector<Point> boxes;  ///< the upper left corner of each box
  std::vector<std::vector<Point>>
      edges;  ///< of each edge its points, from the lower to the upper side of boxes
};

/// All boxes have one height. An edge leads from an earlier box to a later one. Error{internal} otherwise.
Layout place_layers(const std::vector<double>& widths, double height, const std::vector<LayoutEdge>& edges);

/// The places nearest to those wished for, by squared distance, of which each is at least `apart[i]` after
/// the one before (apart[0] has no meaning): isotonic regression by pooling adjacent violators.
std::vector<double> nearest_places(const std::vector<double>& wished, const std::vector<double>& apart);

}  // namespace graphrun::show
