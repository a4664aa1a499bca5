#include "train/learn/supply/source_supply.hpp"

#include <fmt/format.h>

#include <utility>

#include "graphrun/error.hpp"

namespace graphrun::train {

namespace {

std::size_t row_bytes(const SourceColumn& column) {
  if (column.kind == ColumnKind::ones) return 0;
  const bool is_u8 = column.kind == ColumnKind::u8_pixels || column.kind == ColumnKind::u8_labels;
  return static_cast<std::size_t>(column.row_elements) * (is_u8 ? 1 : 4);
}

/// A number for each epoch of a run, by splitmix64.
std::uint64_t epoch_seed(std::uint64_t seed, std::uint64_t epoch) {
  std::uint64_t mixed = seed + (epoch + 1) * 0x9e3779b97f4a7c15U;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
  return mixed ^ (mixed >> 31U);
}

/// Asks for rows behind those that are there already; 0 where the epoch is over.
std::int64_t ask(RowSource& source, std::vector<std::vector<std::byte>>& written,
                 std::vector<std::span<std::byte>>& into, std::int64_t done, std::int64_t count) {
  const std::vector<SourceColumn>& columns = source.columns();
  for (std::size_t i = 0; i < columns.size(); ++i)
    into[i] = std::span(written[i]).subspan(static_cast<std::size_t>(done) * row_bytes(columns[i]));
  const std::int64_t rows = source.next(into, count - done);
  if (rows < 0 || rows > count - done)
    throw Error(ErrorCode::usage,
                fmt::format("the source was asked for at most {} rows and gave {}", count - done, rows));
  return rows;
}

}  // namespace

Examples first_rows(RowSource& source, std::int64_t count, std::uint64_t seed) {
  auto written = std::make_shared<std::vector<std::vector<std::byte>>>();
  for (const SourceColumn& column : source.columns())
    written->emplace_back(static_cast<std::size_t>(count) * row_bytes(column));
  std::vector<std::span<std::byte>> into(source.columns().size());
  source.restart(epoch_seed(seed, 0));
  Examples examples{.count = 0, .columns = {}, .owner = written};
  for (std::int64_t more = 1; more > 0 && examples.count < count; examples.count += more)
    more = ask(source, *written, into, examples.count, count);
  for (std::size_t i = 0; i < into.size(); ++i) {
    const SourceColumn& column = source.columns()[i];
    const std::size_t bytes = static_cast<std::size_t>(examples.count) * row_bytes(column);
    examples.columns[column.input] = {column.kind, column.row_elements,
                                      std::span<const std::byte>((*written)[i]).first(bytes)};
  }
  return examples;
}

SourceSupply::SourceSupply(RowSource& source, const std::vector<std::string>& inputs, std::int64_t batch,
                           bool keep_partial)
    : source_(source),
      batch_(batch),
      keep_partial_(keep_partial),
      slots_{make_slot(inputs), make_slot(inputs)},
      into_(source.columns().size()) {}

std::unique_ptr<SourceSupply::Slot> SourceSupply::make_slot(const std::vector<std::string>& inputs) const {
  auto slot = std::make_unique<Slot>();
  slot->examples.count = batch_;
  for (const SourceColumn& column : source_.columns()) {
    slot->written.emplace_back(static_cast<std::size_t>(batch_) * row_bytes(column));
    slot->examples.columns[column.input] = {column.kind, column.row_elements, slot->written.back()};
  }
  slot->batch.emplace(slot->examples, inputs, batch_);
  return slot;
}

void SourceSupply::begin(std::uint64_t seed, std::uint64_t epoch, std::uint64_t batch) {
  if (batch != 0) throw Error(ErrorCode::internal, "an epoch of a source cannot be taken up in its midst");
  source_.restart(epoch_seed(seed, epoch));
  ended_ = false;
  next_is_filled_ = false;
  thrown_ = nullptr;
  fill(*slots_[at_]);
  if (rows() == 0)
    throw Error(ErrorCode::usage,
                keep_partial_
                    ? "the source gave no row: its epoch is empty"
                    : fmt::format("the source gave fewer rows in an epoch than a batch of {} has, and "
                                  "`partial: drop` leaves no other",
                                  batch_));
}

void SourceSupply::run() noexcept {
  try {
    fill(*slots_[1 - at_]);
  } catch (...) {
    thrown_ = std::current_exception();
  }
  next_is_filled_ = true;
}

void SourceSupply::advance() {
  if (!next_is_filled_) run();
  next_is_filled_ = false;
  at_ = 1 - at_;
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

void SourceSupply::fill(Slot& slot) {
  slot.rows = 0;
  while (!ended_ && slot.rows < batch_) {
    const std::int64_t more = ask(source_, slot.written, into_, slot.rows, batch_);
    slot.rows += more;
    ended_ = more == 0;
  }
  if (slot.rows < batch_ && !keep_partial_) slot.rows = 0;
  if (slot.rows > 0) slot.batch->gather(0, slot.rows);
}

}  // namespace graphrun::train
