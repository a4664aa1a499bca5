/// \file
/// Batches from a source that writes rows into buffers: data that are made, or larger than memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/datasets/examples.hpp"
#include "train/learn/supply/supply.hpp"

namespace graphrun::train {

/// What a source writes for one input.
struct SourceColumn {
  std::string input;
  ColumnKind kind = ColumnKind::f32_values;  ///< of ones nothing is written
  std::int64_t row_elements = 1;
};

/// It is called by one thread at a time, and by others than the one that learns. What it throws ends the
/// learning and comes out as it is.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual const std::vector<SourceColumn>& columns() const = 0;
  /// Begins an epoch.
  virtual void restart(std::uint64_t seed) = 0;
  /// Writes the next rows, at most so many, into a buffer for each column, and says how many; 0 when the
  /// epoch is over.
  virtual std::int64_t next(std::span<const std::span<std::byte>> into, std::int64_t rows) = 0;
};

/// The first so many rows of a first epoch, or all where there are fewer, copied into memory.
Examples first_rows(RowSource& source, std::int64_t count, std::uint64_t seed);

class SourceSupply final : public Supply {
 public:
  /// `keep_partial`: the last batch of an epoch, when it is smaller. Error{usage} when the source lacks an
  /// input.
  SourceSupply(RowSource& source, const std::vector<std::string>& inputs, std::int64_t batch,
               bool keep_partial);

  /// Error{usage} for an epoch without rows. An epoch begins with its first batch.
  void begin(std::uint64_t seed, std::uint64_t epoch, std::uint64_t batch) override;
  std::int64_t rows() const override { return slots_[at_]->rows; }
  std::span<const runtime::Feed> feeds() const override { return slots_[at_]->batch->feeds(); }
  void advance() override;
  void run() noexcept override;
  /// The rows of the batch at hand as the source wrote them; valid until the next advance().
  Examples examples() const { return first_of(slots_[at_]->examples, slots_[at_]->rows); }

 private:
  /// Rows as the source writes them, and the batch that is made of them.
  struct Slot {
    std::vector<std::vector<std::byte>> written;
    Examples examples;
    std::optional<Batch> batch;
    std::int64_t rows = 0;
  };
  std::unique_ptr<Slot> make_slot(const std::vector<std::string>& inputs) const;
  void fill(Slot& slot);

  RowSource& source_;
  std::int64_t batch_;
  bool keep_partial_;
  std::array<std::unique_ptr<Slot>, 2> slots_;  ///< each where its examples point to
  std::vector<std::span<std::byte>> into_;
  std::size_t at_ = 0;
  bool ended_ = false;
  bool next_is_filled_ = false;
  std::exception_ptr thrown_;
};

}  // namespace graphrun::train
