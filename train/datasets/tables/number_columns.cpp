#include "train/datasets/tables/number_columns.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

namespace graphrun::train {

namespace {

constexpr std::size_t block_bytes = std::size_t{8} << 20;
constexpr double missing = std::numeric_limits<double>::quiet_NaN();

}  // namespace

NumberColumns::NumberColumns(std::size_t columns, std::size_t most_bytes)
    : columns_(columns),
      most_bytes_(most_bytes),
      row_(columns, missing),
      block_rows_(std::max<std::size_t>(
          std::min(block_bytes, most_bytes) / (std::max<std::size_t>(columns, 1) * sizeof(double)), 1)) {}

void NumberColumns::end_row() {
  rows_.insert(rows_.end(), row_.begin(), row_.end());
  std::ranges::fill(row_, missing);
  if (rows_.size() >= block_rows_ * columns_) end_block();
}

void NumberColumns::end_block() {
  if (rows_.empty()) return;
  Block block{.rows = rows_.size() / columns_, .numbers = std::vector<double>(rows_.size())};
  for (std::size_t row = 0; row < block.rows; ++row)
    for (std::size_t column = 0; column < columns_; ++column)
      block.numbers[column * block.rows + row] = rows_[row * columns_ + column];
  rows_.clear();
  kept_bytes_ += block.numbers.size() * sizeof(double);
  blocks_.push_back(std::move(block));
  if (kept_bytes_ <= most_bytes_) return;
  if (!file_) file_.emplace();
  for (Block& kept : blocks_) {
    if (kept.numbers.empty()) continue;
    kept.offset = file_->size();
    file_->append(std::as_bytes(std::span(kept.numbers)));
    kept.numbers = std::vector<double>();  // = {} would keep its memory
  }
}

std::vector<double> NumberColumns::column(std::size_t column) const {
  std::vector<double> numbers;
  const auto add = [&](double number) {
    if (!std::isnan(number)) numbers.push_back(number);
  };
  std::vector<double> piece;
  for (const Block& block : blocks_) {
    if (!block.numbers.empty()) {
      for (std::size_t row = 0; row < block.rows; ++row) add(block.numbers[column * block.rows + row]);
      continue;
    }
    piece.resize(block.rows);
    file_->read(block.offset + column * block.rows * sizeof(double),
                std::as_writable_bytes(std::span(piece)));
    std::ranges::for_each(piece, add);
  }
  for (std::size_t at = column; at < rows_.size(); at += columns_) add(rows_[at]);
  return numbers;
}

}  // namespace graphrun::train
