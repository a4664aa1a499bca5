/// \file
/// What a training step is held against: its matrix products in oneDNN, each alone, and one pass of the
/// optimizer, on one core. It does not depend on how a plan slices or fuses.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "graph/graph.hpp"

namespace graphrun::bench {

/// Something that is run alone, and its best time.
class FloorPiece;

/// The products of a training graph (forward, weight gradients, data gradients; the graph has none for the
/// input) on the whole batch, dense and row-major with transposes as stride views, without bias and
/// activation; and the optimizer's kernel over all parameters, one after the other.
class Floor {
 public:
  Floor(const Graph& graph, std::int64_t batch);
  ~Floor();

  /// Each piece alone and warm, again and again for its share of the time, but three times at least. On the
  /// calling thread.
  void measure(double seconds);

  double matmul_us() const;  ///< sum of the products' best times so far
  double update_us() const;  ///< best time of the pass of the optimizer so far
  double flop() const;       ///< of the products

 private:
  std::vector<std::unique_ptr<FloorPiece>> products_;
  std::unique_ptr<FloorPiece> update_;
  double flop_ = 0;
};

}  // namespace graphrun::bench
