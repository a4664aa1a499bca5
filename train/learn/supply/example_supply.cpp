#include "train/learn/supply/example_supply.hpp"

#include <algorithm>

#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/tables/shuffle.hpp"

namespace graphrun::train {

namespace {

const std::vector<std::string>& given_inputs(Learner& learner, const Examples& examples) {
  require_values(learner.model(), examples, learner.training_inputs());
  return learner.training_inputs();
}

}  // namespace

ExampleSupply::ExampleSupply(Learner& learner, const Examples& examples, std::int64_t batch,
                             std::int64_t batches)
    : learner_(learner),
      examples_(examples),
      batch_(static_cast<std::size_t>(batch)),
      count_(static_cast<std::uint64_t>(batches)),
      batches_(examples, given_inputs(learner, examples), batch) {}

void ExampleSupply::begin(std::uint64_t seed, std::uint64_t epoch, std::uint64_t batch) {
  order_ = {};
  order_ = epoch_order(seed, epoch, examples_.count, bytes_per_example(examples_));
  at_ = batch;
  batches_.gather(own_rows(at_));
  batches_.announce(own_rows(at_ + 1));
}

void ExampleSupply::advance() {
  batches_.advance();
  ++at_;
  batches_.announce(own_rows(at_ + 1));
  if (at_ == count_) order_ = {};  // memory for what is done between two epochs
}

/// None after the last batch of the epoch.
std::span<const std::uint32_t> ExampleSupply::batch_rows(std::uint64_t batch) const {
  if (batch >= count_) return {};
  const std::span<const std::uint32_t> order = order_;
  const std::size_t first = static_cast<std::size_t>(batch) * batch_;
  return order.subspan(first, std::min(batch_, order.size() - first));
}

std::span<const std::uint32_t> ExampleSupply::own_rows(std::uint64_t batch) const {
  const std::span<const std::uint32_t> rows = batch_rows(batch);
  const runtime::ShardRange own = learner_.own_rows(static_cast<std::int64_t>(rows.size()));
  return rows.subspan(static_cast<std::size_t>(own.begin), static_cast<std::size_t>(own.count));
}

}  // namespace graphrun::train
