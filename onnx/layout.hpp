/// \file
/// How values lie in the file. graphrun's images have their channels last, those of ONNX first; what is
/// between two operations on images stays as they leave it, and weights are turned once, when they are
/// written.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "graph/graph.hpp"
#include "layers/arrays.hpp"

namespace graphrun::onnx {

struct Layout {
  enum class Kind : std::uint8_t {
    plain,           ///< as in the graph
    channels_first,  ///< [n, h, w, c] as [n, c, h, w]; a value that broadcasts with such a one alike
    flat             ///< the last axis, which runs over h, w, c, runs over c, h, w
  };
  Kind kind = Kind::plain;
  layers::ImageExtents image = {};  ///< of a flat one
  friend auto operator<=>(const Layout&, const Layout&) = default;
};

inline constexpr Layout plain{};
inline constexpr Layout channels_first{Layout::Kind::channels_first};

/// Which of a graph's nodes are flat: those between an image that is flattened and the matrix that takes it,
/// or between a matrix and the image that is made of what it gives. Nothing is turned there; the matrix's
/// rows or columns are.
std::vector<Layout> flat_nodes(const Graph& graph);

}  // namespace graphrun::onnx
