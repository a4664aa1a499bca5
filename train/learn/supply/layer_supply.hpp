/// \file
/// Batches of a source as a greedy layer is given them: what the finished layers below make of the rows.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "train/learn/learner.hpp"
#include "train/learn/supply/source_supply.hpp"

namespace graphrun::train {

/// The layers below run between two steps, since a learner does one thing at a time; the source is asked
/// meanwhile as ever. The bits are those of codes that are computed once for all examples.
class LayerSupply final : public Supply {
 public:
  /// `input`: what the layer is given, a node of the model. The references must outlive this.
  LayerSupply(Learner& learner, NodeId input, RowSource& source, std::int64_t batch, bool keep_partial);

  void begin(std::uint64_t seed, std::uint64_t epoch, std::uint64_t batch) override;
  std::int64_t rows() const override { return rows_.rows(); }
  std::span<const runtime::Feed> feeds() const override { return {&feed_, 1}; }
  void advance() override;
  void run() noexcept override { rows_.run(); }

 private:
  void encode();

  Learner& learner_;
  NodeId input_;
  SourceSupply rows_;
  std::uint64_t first_row_ = 0;  ///< of the batch at hand, in its epoch
  OutputValues codes_;
  runtime::Feed feed_;
};

}  // namespace graphrun::train
