/// \file
/// How values lie in the file. graphrun's images have their channels last, those of ONNX first; what is
/// between two operations on images stays as they leave it, and weights are turned once, when they are
/// written.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "graph/graph.hpp"

namespace graphrun::onnx {

struct Layout {
  enum class Kind : std::uint8_t {
    plain,           ///< as in the graph
    channels_first,  ///< [n, h, w, c] as [n, c, h, w]; a value that broadcasts with such a one alike
    flat             ///< the last axis, which runs over h, w, c, runs over c, h, w
  };
  Kind kind = Kind::plain;
  std::int64_t height = 0;  ///< of a flat one
  std::int64_t width = 0;
  std::int64_t channels = 0;
  friend auto operator<=>(const Layout&, const Layout&) = default;
};

inline constexpr Layout plain{};
inline constexpr Layout channels_first{Layout::Kind::channels_first};

/// For each index c, h, w of a flat layout the index h, w, c.
std::vector<std::int64_t> order_of(const Layout& flat);
/// The other way round.
std::vector<std::int64_t> inverse_of(const std::vector<std::int64_t>& order);

/// The elements of an array with its axes in another order: axis i of the result is axis axes[i].
std::vector<float> transposed(const std::vector<float>& values, const Extents& extents,
                              const std::vector<std::size_t>& axes);
/// The elements of an array with those along one axis in another order.
std::vector<float> reordered(const std::vector<float>& values, const Extents& extents, std::size_t axis,
                             const std::vector<std::int64_t>& order);

/// Which of a graph's nodes are flat: those between an image that is flattened and the matrix that takes it,
/// or between a matrix and the image that is made of what it gives. Nothing is turned there; the matrix's
/// rows or columns are.
std::vector<Layout> flat_nodes(const Graph& graph);

/// Is it a variable or a constant: something whose values are written to the file?
bool is_stored(const Node& node);

/// How often each node is used: by other nodes, and as a named output.
std::vector<std::size_t> uses_of(const Graph& graph);

}  // namespace graphrun::onnx
