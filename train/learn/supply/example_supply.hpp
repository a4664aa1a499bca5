/// \file
/// Batches of examples in memory, in the seeded random order of each epoch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/datasets/examples.hpp"
#include "train/datasets/prefetch.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/supply/supply.hpp"

namespace graphrun::train {

class ExampleSupply final : public Supply {
 public:
  /// `batches` of `batch` rows an epoch, the last one maybe smaller. The references must outlive this.
  /// Error{usage} when the examples lack an input.
  ExampleSupply(Learner& learner, const Examples& examples, std::int64_t batch, std::int64_t batches);

  void begin(std::uint64_t seed, std::uint64_t epoch, std::uint64_t batch) override;
  std::int64_t rows() const override { return static_cast<std::int64_t>(batch_rows(at_).size()); }
  std::span<const runtime::Feed> feeds() const override { return batches_.current().feeds(); }
  void advance() override;
  void run() noexcept override { batches_.run(); }

 private:
  std::span<const std::uint32_t> batch_rows(std::uint64_t batch) const;
  std::span<const std::uint32_t> own_rows(std::uint64_t batch) const;

  const Learner& learner_;
  const Examples& examples_;
  std::size_t batch_;
  std::uint64_t count_;
  PrefetchedBatches batches_;
  std::vector<std::uint32_t> order_;
  std::uint64_t at_ = 0;
};

}  // namespace graphrun::train
