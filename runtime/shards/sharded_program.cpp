#include "runtime/shards/sharded_program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/execute/replay.hpp"
#include "runtime/machine/host_state.hpp"
#include "runtime/shards/failure_text.hpp"

namespace graphrun::runtime {
namespace {

std::size_t bytes_of_value(const Type& type, std::int64_t rows) {
  return static_cast<std::size_t>(element_count(graphrun::bind(type.shape, rows))) * bytes_of(type.dtype);
}

bool has_rows(const Type& type) {
  return !type.shape.empty() && type.shape.front().is_batch();
}

std::span<const std::byte> part_of(std::span<const std::byte> rows, std::int64_t count,
                                   const ShardRange& part) {
  const std::size_t row = rows.size() / static_cast<std::size_t>(count);
  return rows.subspan(row * static_cast<std::size_t>(part.begin), row * static_cast<std::size_t>(part.count));
}

}  // namespace

ShardedProgram::ShardedProgram(const Graph& graph, std::int64_t shards, const OpRegistry& ops,
                               const KernelRegistry& kernels, Session& session, Team& team)
    : session_(session),
      team_(team),
      kernels_(kernels),
      shards_(shards),
      own_(shards_of_member(shards, team.member(), team.members())) {
  if (team.members() > shards)
    throw Error(
        ErrorCode::usage,
        fmt::format("{} processes cannot share {} shard{}; start at most {}, or begin a run with more "
                    "shards, as with --set train.shards={}",
                    team.members(), shards, shards == 1 ? "" : "s", shards, team.members()));
  Sections cut = cut_at_sums(graph, ops);
  for (Section& section : cut.sections) {
    Part part;
    part.program = session.add(section.graph);
    part.graph = std::move(section.graph);
    for (Crossing& sum : section.sums) {
      const auto elements = static_cast<std::size_t>(element_count(graphrun::bind(sum.type.shape, 1)));
      part.sums.push_back({std::move(sum), part.elements, elements, {}});
      part.elements += elements;
    }
    for (Crossing& rows : section.rows) part.rows.push_back({std::move(rows), 0, 0, {}});
    part.partial.resize(part.elements * static_cast<std::size_t>(own_.count));
    part.total.resize(part.elements);
    for (const Node& node : part.graph->nodes()) {
      if (!node.op->traits.input) continue;
      part.feeds.push_back({node.name, {}});
      part.has_rows.push_back(has_rows(node.type));
    }
    for (const Value& sum : part.sums) part.fetches.push_back({sum.crossing.name, {}});
    for (const Value& rows : part.rows) part.fetches.push_back({rows.crossing.name, {}});
    parts_.push_back(std::move(part));
  }
  for (BatchSize& size : cut.sizes) sizes_.push_back({std::move(size), 0});
}

/// How many of the own shards have rows.
std::int64_t ShardedProgram::own_shards(std::int64_t rows) const {
  return std::clamp<std::int64_t>(std::min(rows, shards_) - own_.begin, 0, own_.count);
}

/// The rows of an own shard, counted from the member's first row.
ShardRange ShardedProgram::rows_of(std::int64_t rows, std::int64_t own_shard) const {
  ShardRange shard = rows_of_shard(rows, shards_, own_.begin + own_shard);
  shard.begin -= rows_of_shard(rows, shards_, own_.begin).begin;
  return shard;
}

void ShardedProgram::prepare(std::int64_t rows) {
  for (std::int64_t shard = 0; shard < own_shards(rows); ++shard)
    for (std::size_t i = 0; i + 1 < parts_.size(); ++i)
      session_.prepare(parts_[i].program, rows_of(rows, shard).count);
  session_.prepare(parts_.back().program, 1);
  if (rows <= capacity_) return;
  for (Part& part : parts_) {
    for (Value& value : part.rows) {
      value.shards.clear();
      for (std::int64_t shard = 0; shard < own_shards(rows); ++shard)
        value.shards.push_back(
            allocate_aligned(bytes_of_value(value.crossing.type, rows_of(rows, shard).count)));
    }
  }
  capacity_ = rows;
}

void ShardedProgram::set_sizes(std::int64_t rows) {
  for (Size& size : sizes_) {
    const HostTensor counted{graphrun::bind(size.size.operand, rows), {}};
    const HostTensor* const inputs[] = {&counted};
    HostTensor value{{}, {0}};
    size.size.node.op->reference({size.size.node, inputs, value, {}, {}});
    size.value = static_cast<float>(value.values.front());
  }
}

/// What an earlier section, or the size of the batch, gives; nothing when the host gives it.
std::span<const std::byte> ShardedProgram::between_sections(std::size_t part, const std::string& name,
                                                            std::int64_t own_shard, std::int64_t rows) const {
  for (const Size& size : sizes_)
    if (size.size.name == name) return std::as_bytes(std::span(&size.value, 1));
  for (std::size_t i = 0; i < part; ++i) {
    const Part& earlier = parts_[i];
    for (const Value& sum : earlier.sums)
      if (sum.crossing.name == name)
        return std::as_bytes(std::span(earlier.total).subspan(sum.offset, sum.elements));
    for (const Value& value : earlier.rows)
      if (value.crossing.name == name)
        return {value.shards[static_cast<std::size_t>(own_shard)].get(),
                bytes_of_value(value.crossing.type, rows_of(rows, own_shard).count)};
  }
  return {};
}

void ShardedProgram::bind(std::size_t index, const Run& run, std::int64_t own_shard) {
  Part& part = parts_[index];
  const std::int64_t own_rows = rows_of_member(run.batch, shards_, team_.member(), team_.members()).count;
  for (std::size_t i = 0; i < part.feeds.size(); ++i) {
    Feed& feed = part.feeds[i];
    const auto given = std::ranges::find(run.feeds, feed.name, &Feed::name);
    if (given == run.feeds.end())
      feed.bytes = between_sections(index, feed.name, own_shard, run.batch);
    else
      feed.bytes =
          part.has_rows[i] ? part_of(given->bytes, own_rows, rows_of(run.batch, own_shard)) : given->bytes;
  }
  const auto shard = static_cast<std::size_t>(own_shard);
  Fetch* fetch = part.fetches.data();
  for (const Value& sum : part.sums)
    fetch++->bytes = std::as_writable_bytes(
        std::span(part.partial).subspan(shard * part.elements + sum.offset, sum.elements));
  for (const Value& value : part.rows)
    fetch++->bytes = {value.shards[shard].get(),
                      bytes_of_value(value.crossing.type, rows_of(run.batch, own_shard).count)};
}

Run ShardedProgram::run_of(const Part& part, const Run& run, std::int64_t own_shard) const {
  const ShardRange rows = rows_of_shard(run.batch, shards_, own_.begin + own_shard);
  Run of_shard{.batch = rows.count,
               .feeds = part.feeds,
               .fetches = part.fetches,
               .random = run.random,
               .stop = team_.members() == 1 ? run.stop : std::stop_token(),
               .side = nullptr};
  of_shard.random.first_row += static_cast<std::uint64_t>(rows.begin);
  return of_shard;
}

void ShardedProgram::run(const Run& run) {
  prepare(run.batch);
  set_sizes(run.batch);
  SideWork* side = run.side;
  for (std::size_t i = 0; i + 1 < parts_.size(); ++i) {
    Part& part = parts_[i];
    for (std::int64_t shard = 0; shard < own_shards(run.batch); ++shard) {
      bind(i, run, shard);
      Run of_shard = run_of(part, run, shard);
      of_shard.side = std::exchange(side, nullptr);
      session_.run(part.program, of_shard);
    }
    const auto filled = static_cast<std::size_t>(own_shards(run.batch));
    team_.add_up({.own = std::span(part.partial).first(filled * part.elements),
                  .elements = part.elements,
                  .shards = shards_,
                  .filled = std::min(run.batch, shards_)},
                 part.total);
  }
  Part& last = parts_.back();
  bind(parts_.size() - 1, run, 0);
  Run whole = run;
  whole.batch = 1;
  whole.feeds = last.feeds;
  whole.side = std::exchange(side, nullptr);
  if (team_.members() > 1) whole.stop = {};
  try {
    session_.run(last.program, whole);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_finite) explain(run);
    throw;
  }
}

void ShardedProgram::explain(const Run& run) {
  std::string first;
  for (std::size_t i = 0; i + 1 < parts_.size() && first.empty(); ++i) {
    for (std::int64_t shard = 0; shard < own_shards(run.batch) && first.empty(); ++shard) {
      bind(i, run, shard);
      const HostState state;
      const std::optional<Error> found =
          find_not_finite(parts_[i].graph, run_of(parts_[i], run, shard), kernels_, session_.provider(),
                          session_.variables(), rows_of_shard(run.batch, shards_, own_.begin + shard).begin);
      if (found) first = failure_text(i, own_.begin + shard, *found);
    }
  }
  throw_first_failure(team_.gather(first));
}

}  // namespace graphrun::runtime
