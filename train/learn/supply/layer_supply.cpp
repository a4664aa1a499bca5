#include "train/learn/supply/layer_supply.hpp"

namespace graphrun::train {

LayerSupply::LayerSupply(Learner& learner, NodeId input, RowSource& source, std::int64_t batch,
                         bool keep_partial)
    : learner_(learner),
      input_(input),
      rows_(source, {}, batch, keep_partial),
      feed_{learner.model().graph.node(input).name, {}} {}

void LayerSupply::begin(std::uint64_t seed, std::uint64_t epoch, std::uint64_t batch) {
  rows_.begin(seed, epoch, batch);
  first_row_ = 0;
  encode();
}

void LayerSupply::advance() {
  first_row_ += static_cast<std::uint64_t>(rows_.rows());
  rows_.advance();
  encode();
}

void LayerSupply::encode() {
  if (rows_.rows() == 0) return;
  codes_ = learner_.run(input_, rows_.examples(), {.first_row = first_row_});
  feed_.bytes = codes_.bytes;
}

}  // namespace graphrun::train
