#include "train/learn/row_blocks.hpp"

#include <algorithm>
#include <bit>

namespace graphrun::train {

namespace {

std::int64_t power_of_two_from(std::int64_t count) {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(count)));
}
std::int64_t power_of_two_up_to(std::int64_t count) {
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(count)));
}

/// How many blocks `rows` of them take when none is computed twice.
std::int64_t exact_blocks(std::int64_t rows) {
  return std::popcount(static_cast<std::uint64_t>(rows / smallest_block)) +
         (rows % smallest_block > 0 ? 1 : 0);
}

}  // namespace

/// The block that starts at `first`, or the one that ends with the rows when the rows that it computes again
/// take less time than the blocks that it saves.
RowBlock next_row_block(std::int64_t first, std::int64_t rows) {
  const std::int64_t left = rows - first;
  if (left >= largest_block) return {first, largest_block};
  if (left <= smallest_block) return {first, left};
  const std::int64_t larger = power_of_two_from(left);
  const std::int64_t again = larger - left;
  if (larger <= rows && again <= smallest_block * (exact_blocks(left) - 1)) return {rows - larger, larger};
  return {first, power_of_two_up_to(left)};
}

std::vector<RowBlock> row_blocks(std::int64_t rows) {
  std::vector<RowBlock> blocks;
  for (std::int64_t first = 0; first < rows; first = blocks.back().first + blocks.back().count)
    blocks.push_back(next_row_block(first, rows));
  return blocks;
}

std::vector<RowBlock> row_batches(std::int64_t rows, std::int64_t size) {
  std::vector<RowBlock> batches;
  for (std::int64_t first = 0; first < rows; first += size)
    batches.push_back({first, std::min(size, rows - first)});
  return batches;
}

}  // namespace graphrun::train
