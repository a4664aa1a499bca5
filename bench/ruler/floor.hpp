/// \file
/// What a training step is held against: its matrix products and convolutions in oneDNN, each alone, and one
/// pass of the optimizer, on one core. It does not depend on how a plan slices or fuses.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "graph/graph.hpp"
#include "runtime/kernels/kernel.hpp"

namespace graphrun::bench {

/// Something that is run alone, and its best time.
class FloorPiece;

/// The products of a training graph (forward, weight gradients, data gradients; the graph has none for the
/// input) on the whole batch, dense and row-major with transposes as stride views, without bias and
/// activation; its convolutions and their gradients, all images at once in the layouts that oneDNN likes
/// best, without what brings operands into them; and the optimizer's kernel over all parameters, one after
/// the other.
class Floor {
 public:
  Floor(const Graph& graph, std::int64_t batch);
  ~Floor();

  /// Each piece alone and warm, again and again for its share of the time, but three times at least. On the
  /// calling thread.
  void measure(double seconds);

  double matmul_us() const;       ///< sum of the products' best times so far
  double convolution_us() const;  ///< the same of the convolutions
  double update_us() const;       ///< best time of the pass of the optimizer so far
  double flop() const;            ///< of products and convolutions

 private:
  void add_convolution(const Graph& graph, const Node& node, const runtime::KernelDef& kernel,
                       std::int64_t batch);
  static double sum_of(const std::vector<std::unique_ptr<FloorPiece>>& pieces);

  std::vector<std::unique_ptr<FloorPiece>> products_;
  std::vector<std::unique_ptr<FloorPiece>> convolutions_;
  std::unique_ptr<FloorPiece> update_;
  double flop_ = 0;
};

}  // namespace graphrun::bench
