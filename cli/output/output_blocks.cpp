#include "cli/output/output_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/array_file.hpp"
#include "cli/finite.hpp"
#include "graphrun/error.hpp"
#include "train/learn/row_blocks.hpp"

namespace graphrun::cli {

namespace {

/// Whole blocks of a learner, whether its rows depend on each other or not: so that no row gets other bits.
constexpr std::int64_t block_rows = 128 * train::evaluation_batch;
static_assert(block_rows % train::largest_block == 0);

void require_rows(const train::OutputValues& output, std::int64_t count, std::int64_t first) {
  require_finite(output, static_cast<std::size_t>(first));
  if (!output.extents.empty() && output.extents.front() == count) return;
  throw Error(ErrorCode::usage, fmt::format("output '{}' is {}: it has no row for each row of the table",
                                            output.name, to_string(output.type)));
}

}  // namespace

OutputBlocks::OutputBlocks(train::Learner& learner, std::vector<std::string> names, train::Examples examples,
                           bool in_order)
    : learner_(learner),
      names_(std::move(names)),
      examples_(std::move(examples)),
      most_(in_order ? block_rows : examples_.count) {}

const OutputBlocks::Block& OutputBlocks::with(std::size_t example) {
  const auto first = static_cast<std::int64_t>(example) / most_ * most_;
  if (block_.outputs.empty() || static_cast<std::size_t>(first) != block_.first) run(first);
  return block_;
}

void OutputBlocks::run(std::int64_t first) {
  const std::int64_t count = std::min(most_, examples_.count - first);
  block_ = {};
  block_.first = static_cast<std::size_t>(first);
  block_.outputs = learner_.run(names_, slice_of(examples_, first, count),
                                {.first_row = static_cast<std::uint64_t>(first)});
  for (const train::OutputValues& output : block_.outputs) {
    require_rows(output, count, first);
    block_.columns.push_back(columns_of(output, learner_.model().data->table->fitted));
  }
}

void write_npy(const std::string& out, OutputBlocks& outputs) {
  ArrayRows file(out, outputs.with(0).outputs.front(), outputs.count());
  for (std::size_t at = 0; at < outputs.count();) {
    const train::OutputValues& block = outputs.with(at).outputs.front();
    file.add(block);
    at += static_cast<std::size_t>(block.extents.front());
  }
  file.commit();
}

}  // namespace graphrun::cli
