/// \file
/// Any number of rows in blocks of few sizes: a plan is compiled for each size, so few plans serve all
/// callers.
#pragma once

#include <cstdint>
#include <vector>

namespace graphrun::train {

struct RowBlock {
  std::int64_t first = 0;
  std::int64_t count = 0;
  bool operator==(const RowBlock&) const = default;
};

/// Rows of a large call are run so many at a time: more gain nothing and take memory.
inline constexpr std::int64_t largest_block = 512;
/// Counts up to this are run as they are. A further call reads all weights again, which takes about as long
/// as computing this many rows.
inline constexpr std::int64_t smallest_block = 16;

/// Blocks that cover rows 0 to `rows`: of largest_block rows, of smaller powers of two, or of at most
/// smallest_block rows. The last one may begin before the one before it ends: its rows are then computed
/// again, to the same values, so it is for rows that do not depend on each other.
std::vector<RowBlock> row_blocks(std::int64_t rows);

/// The one of them that begins where those before have ended: row_blocks() without a list.
RowBlock next_row_block(std::int64_t first, std::int64_t rows);

/// Batches of `size` rows; the last one has what is left.
std::vector<RowBlock> row_batches(std::int64_t rows, std::int64_t size);

}  // namespace graphrun::train
