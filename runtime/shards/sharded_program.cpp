#include "runtime/shards/sharded_program.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/execute/replay.hpp"
#include "runtime/machine/host_state.hpp"
#include "runtime/shards/failure_text.hpp"
#include "runtime/shards/own_updates.hpp"

namespace graphrun::runtime {
namespace {

std::size_t bytes_of_value(const Type& type, std::int64_t rows) {
  return static_cast<std::size_t>(element_count(graphrun::bind(type.shape, rows))) * bytes_of(type.dtype);
}

bool has_rows(const Type& type) {
  return !type.shape.empty() && type.shape.front().is_batch();
}

void add_input_names(const Graph& graph, std::set<std::string>& names) {
  for (const Node& node : graph.nodes())
    if (node.op->traits.input) names.insert(node.name);
}

std::span<const std::byte> part_of(std::span<const std::byte> rows, std::int64_t count,
                                   const ShardRange& part) {
  const std::size_t row = rows.size() / static_cast<std::size_t>(count);
  return rows.subspan(row * static_cast<std::size_t>(part.begin), row * static_cast<std::size_t>(part.count));
}

}  // namespace

ShardedProgram::ShardedProgram(const Graph& graph, std::int64_t shards, Mixing mixing, const OpRegistry& ops,
                               const KernelRegistry& kernels, Session& session, Team& team)
    : session_(session),
      team_(team),
      kernels_(kernels),
      shards_(shards),
      own_(shards_of_member(shards, team.member(), team.members())),
      weights_(std::make_shared<WeightArrivals>(team)) {
  if (team.members() > shards)
    throw Error(
        ErrorCode::usage,
        fmt::format("{} processes cannot share {} shard{}; start at most {}, or begin a run with more "
                    "shards, as with --set train.shards={}",
                    team.members(), shards, shards == 1 ? "" : "s", shards, team.members()));
  Sections cut = cut_at_sums(graph, ops, mixing);
  if (team.members() > 1) cut.sections.back().graph = with_own_updates(*cut.sections.back().graph, cut, ops);
  std::set<std::string> whole;  // what some section is fed
  for (const Section& section : cut.sections)
    for (const Graph* each : {section.graph.get(), section.together.get()})
      if (each != nullptr) add_input_names(*each, whole);
  for (Section& section : cut.sections) parts_.push_back(make_part(std::move(section), whole));
  for (BatchSize& size : cut.sizes) sizes_.push_back({std::move(size), 0});
}

ShardedProgram::~ShardedProgram() {
  try {
    session_.expect(nullptr);
  } catch (...) {  // the others are gone, and were said to be
  }
}

void ShardedProgram::Sums::add(Value value) {
  value.offset = elements;
  elements += value.elements;
  values.push_back(std::move(value));
}

void ShardedProgram::Sums::make_room(std::size_t own_shards) {
  partial.resize(elements * own_shards);
  where.resize(own_shards);
  for (std::size_t shard = 0; shard < own_shards; ++shard) where[shard] = partial.data() + shard * elements;
}

ShardedProgram::Part ShardedProgram::make_part(Section section, const std::set<std::string>& whole) {
  Part part;
  if (section.together) part.together = make_together(section);
  part.program = session_.add(section.graph);
  part.graph = std::move(section.graph);
  const auto own = static_cast<std::size_t>(own_.count);
  for (Crossing& crossing : section.sums) {
    const auto elements = static_cast<std::size_t>(element_count(graphrun::bind(crossing.type.shape, 1)));
    const bool divided = !whole.contains(crossing.name);
    Sums& sums = divided ? part.divided.emplace_back() : part.sums;
    sums.add({std::move(crossing), 0, elements, {}, {}});
    if (!divided) continue;
    const auto count = static_cast<std::int64_t>(elements);
    sums.total.resize(static_cast<std::size_t>(part_of_member(count, team_.member(), team_.members()).count));
    sums.make_room(own);
  }
  part.sums.make_room(own);
  part.sums.total.resize(part.sums.elements);
  for (Crossing& rows : section.rows) part.rows.push_back({std::move(rows), 0, 0, {}, {}});
  for (const Node& node : part.graph->nodes()) {
    if (!node.op->traits.input) continue;
    part.feeds.push_back({node.name, {}});
    part.has_rows.push_back(has_rows(node.type));
  }
  for (const Value& sum : part.sums.values) part.fetches.push_back({sum.crossing.name, {}});
  for (const Sums& sums : part.divided) part.fetches.push_back({sums.values.front().crossing.name, {}});
  for (const Value& rows : part.rows) part.fetches.push_back({rows.crossing.name, {}});
  const std::size_t index = parts_.size();
  part.departures = std::make_unique<Departures>(
      part.sums.values.size(), part.divided.size(),
      [this, index](std::size_t i, const float* made) { leave(parts_[index].divided[i], made); });
  return part;
}

ShardedProgram::Together ShardedProgram::make_together(Section& section) {
  Together together{.program = session_.add(section.together),
                    .graph = section.together,
                    .values = {},
                    .feeds = {},
                    .fetches = {}};
  for (Crossing& crossing : section.of_all) {
    together.fetches.push_back({crossing.name, {}});
    together.values.push_back({std::move(crossing), 0, 0, {}, {}});
  }
  std::set<std::string> names;
  add_input_names(*together.graph, names);
  for (const std::string& name : names) together.feeds.push_back({name, {}});
  return together;
}

/// Declares what the member keeps of the optimizer's state.
std::shared_ptr<const Graph> ShardedProgram::with_own_updates(const Graph& last, const Sections& cut,
                                                              const OpRegistry& ops) {
  std::set<std::string> sums;
  for (const Section& section : cut.sections)
    for (const Crossing& sum : section.sums) sums.insert(sum.name);
  OwnUpdates own = own_updates(last, ops, sums, team_.member(), team_.members());
  VariableStore& variables = session_.variables();
  for (const OwnPart& slot : own.slots)
    variables.declare_part(slot.variable, slot.whole, slot.begin, slot.count, slot.initializer);
  for (const OwnPart& weight : own.weights) {
    variables.name_part(own_part_name(weight.variable), weight.variable, weight.begin, weight.count);
    weights_->add(variables.get(weight.variable).values);
  }
  for (const Node& node : last.nodes())
    if (!node.op->writes.empty())
      updated_.push_back(
          std::make_shared<const std::string>(last.node(node.inputs[node.op->writes.front()]).name));
  return own.graph;
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
  for (const Part& part : parts_)
    if (part.together) session_.prepare(part.together->program, rows);
  session_.prepare(parts_.back().program, 1);
  if (rows <= capacity_) return;
  for (Part& part : parts_) {
    for (Value& value : part.rows) make_room(value, rows);
    if (!part.together) continue;
    for (Value& value : part.together->values)
      value.all = allocate_aligned(bytes_of_value(value.crossing.type, rows));
  }
  capacity_ = rows;
}

void ShardedProgram::make_room(Value& value, std::int64_t rows) const {
  value.shards.clear();
  for (std::int64_t shard = 0; shard < own_shards(rows); ++shard)
    value.shards.push_back(allocate_aligned(bytes_of_value(value.crossing.type, rows_of(rows, shard).count)));
  if (value.crossing.gathered) value.all = allocate_aligned(bytes_of_value(value.crossing.type, rows));
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

/// A sum of an earlier section, or the size of the batch.
std::optional<std::span<const std::byte>> ShardedProgram::known_sum(std::size_t part,
                                                                    const std::string& name) const {
  for (const Size& size : sizes_)
    if (size.size.name == name) return std::as_bytes(std::span(&size.value, 1));
  for (std::size_t i = 0; i < part; ++i) {
    const Part& earlier = parts_[i];
    for (const Value& sum : earlier.sums.values)
      if (const auto bytes = sum_called(name, sum, earlier.sums.total)) return bytes;
    for (const Sums& sums : earlier.divided)
      if (is_own_part_name(name, sums.values.front().crossing.name))
        return std::as_bytes(std::span(sums.total));
  }
  return std::nullopt;
}

/// What a section is given by others; nothing when the host gives it.
std::span<const std::byte> ShardedProgram::between_sections(std::size_t part, const std::string& name,
                                                            std::int64_t own_shard, std::int64_t rows) const {
  if (const auto sum = known_sum(part, name)) return *sum;
  for (std::size_t i = 0; i <= part; ++i) {
    const Part& earlier = parts_[i];
    for (const Value& value : earlier.rows)
      if (value.crossing.name == name)
        return {value.shards[static_cast<std::size_t>(own_shard)].get(),
                bytes_of_value(value.crossing.type, rows_of(rows, own_shard).count)};
    if (!earlier.together) continue;
    for (const Value& value : earlier.together->values) {
      if (value.crossing.name != name) continue;
      const std::span<const std::byte> all(value.all.get(), bytes_of_value(value.crossing.type, rows));
      return has_rows(value.crossing.type)
                 ? part_of(all, rows, rows_of_shard(rows, shards_, own_.begin + own_shard))
                 : all;
    }
  }
  return {};
}

/// The same of what is computed for all shards at once.
std::span<const std::byte> ShardedProgram::of_all(std::size_t part, const std::string& name,
                                                  std::int64_t rows) const {
  if (const auto sum = known_sum(part, name)) return *sum;
  for (std::size_t i = 0; i < part; ++i) {
    const auto find = [&](const std::vector<Value>& values) {
      return std::ranges::find(values, name,
                               [](const Value& value) -> const std::string& { return value.crossing.name; });
    };
    const std::vector<Value>& gathered = parts_[i].rows;
    if (const auto found = find(gathered); found != gathered.end())
      return {found->all.get(), bytes_of_value(found->crossing.type, rows)};
    if (!parts_[i].together) continue;
    const std::vector<Value>& values = parts_[i].together->values;
    if (const auto found = find(values); found != values.end())
      return {found->all.get(), bytes_of_value(found->crossing.type, rows)};
  }
  return {};
}

/// What the name says of a sum that is known whole: all of it, or the member's own part.
std::optional<std::span<const std::byte>> ShardedProgram::sum_called(const std::string& name,
                                                                     const Value& sum,
                                                                     std::span<const float> total) const {
  const std::span<const float> all = total.subspan(sum.offset, sum.elements);
  if (sum.crossing.name == name) return std::as_bytes(all);
  if (!is_own_part_name(name, sum.crossing.name)) return std::nullopt;
  const ShardRange own =
      part_of_member(static_cast<std::int64_t>(sum.elements), team_.member(), team_.members());
  return std::as_bytes(all.subspan(static_cast<std::size_t>(own.begin), static_cast<std::size_t>(own.count)));
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
  const auto fetch_sums = [&](Sums& sums) {
    for (const Value& sum : sums.values)
      fetch++->bytes = std::as_writable_bytes(
          std::span(sums.partial).subspan(shard * sums.elements + sum.offset, sum.elements));
  };
  fetch_sums(part.sums);
  for (Sums& sums : part.divided) fetch_sums(sums);
  for (const Value& value : part.rows)
    fetch++->bytes = {value.shards[shard].get(),
                      bytes_of_value(value.crossing.type, rows_of(run.batch, own_shard).count)};
}

Run ShardedProgram::run_of(const Part& part, const Run& run, std::int64_t own_shard) {
  const ShardRange rows = rows_of_shard(run.batch, shards_, own_.begin + own_shard);
  Run of_shard{.batch = rows.count,
               .feeds = part.feeds,
               .fetches = part.fetches,
               .random = run.random,
               .stop = team_.members() == 1 ? run.stop : std::stop_token(),
               .side = nullptr,
               .arrivals = arrivals()};
  of_shard.random.first_row += static_cast<std::uint64_t>(rows.begin);
  return of_shard;
}

ShardSums ShardedProgram::sums_of(const Sums& sums, std::int64_t rows) const {
  const auto filled = static_cast<std::size_t>(own_shards(rows));
  return {.own = std::span(sums.where).first(filled),
          .elements = sums.elements,
          .shards = shards_,
          .filled = std::min(rows, shards_)};
}

/// What the last own shard made lies where it was made until the next run of a plan, before which all of it
/// has arrived.
void ShardedProgram::leave(Sums& sums, const float* made) noexcept {
  for (std::size_t shard = 0; shard < sums.where.size(); ++shard)
    sums.where[shard] = sums.partial.data() + shard * sums.elements;
  if (made != nullptr) sums.where[static_cast<std::size_t>(own_shards(rows_)) - 1] = made;
  const std::lock_guard lock(weights_->calling());
  team_.begin_own_sum(sums_of(sums, rows_), sums.total);
}

/// Those of the step before; null when all are there.
Arrivals* ShardedProgram::arrivals() {
  return weights_->pending() ? weights_.get() : nullptr;
}

void ShardedProgram::run(const Run& run) {
  session_.expect(weights_);
  prepare(run.batch);
  set_sizes(run.batch);
  rows_ = run.batch;
  SideWork* side = run.side;
  for (std::size_t i = 0; i + 1 < parts_.size(); ++i) {
    run_section(i, run, side);
    if (own_shards(run.batch) > 0) side = nullptr;
    team_.add_up(sums_of(parts_[i].sums, run.batch), parts_[i].sums.total);
  }
  team_.finish();
  weights_->wait_for_all();  // nobody may have read them
  run_last(run, side);
  if (weights_->empty()) return;
  session_.expect(weights_);
  weights_->begin();
  agree_on_spoilt();
}

Run ShardedProgram::run_of_all(std::size_t index, const Run& run) {
  Together& together = *parts_[index].together;
  for (Feed& feed : together.feeds) {
    const auto given = std::ranges::find(run.feeds, feed.name, &Feed::name);
    feed.bytes = given == run.feeds.end() ? of_all(index, feed.name, run.batch) : given->bytes;
  }
  for (std::size_t i = 0; i < together.values.size(); ++i) {
    const Value& value = together.values[i];
    together.fetches[i].bytes = {value.all.get(), bytes_of_value(value.crossing.type, run.batch)};
  }
  Run all = run;
  all.feeds = together.feeds;
  all.fetches = together.fetches;
  all.side = nullptr;
  all.arrivals = arrivals();
  if (team_.members() > 1) all.stop = {};
  return all;
}

/// Each member has the rows of all then.
void ShardedProgram::gather_rows(Part& part, std::int64_t rows) {
  for (Value& value : part.rows) {
    if (!value.crossing.gathered) continue;
    const std::span<std::byte> all(value.all.get(), bytes_of_value(value.crossing.type, rows));
    const ShardRange mine = rows_of_member(rows, shards_, team_.member(), team_.members());
    std::byte* own =
        all.data() + all.size() / static_cast<std::size_t>(rows) * static_cast<std::size_t>(mine.begin);
    for (std::int64_t shard = 0; shard < own_shards(rows); ++shard) {
      const std::size_t bytes = bytes_of_value(value.crossing.type, rows_of(rows, shard).count);
      own = std::copy_n(value.shards[static_cast<std::size_t>(shard)].get(), bytes, own);
    }
    team_.gather_rows(all, rows, shards_);
  }
}

void ShardedProgram::run_section(std::size_t index, const Run& run, SideWork* side) {
  Part& part = parts_[index];
  if (part.together) session_.run(part.together->program, run_of_all(index, run));
  const std::int64_t shards = own_shards(run.batch);
  part.departures->open();
  for (std::int64_t shard = 0; shard < shards; ++shard) {
    bind(index, run, shard);
    Run of_shard = run_of(part, run, shard);
    of_shard.side = std::exchange(side, nullptr);
    if (shard + 1 == shards && !part.divided.empty()) of_shard.observer = part.departures.get();
    session_.run(part.program, of_shard);
  }
  part.departures->leave_rest();
  gather_rows(part, run.batch);
}

/// Of a member that has no rows the side work is left to do.
void ShardedProgram::run_last(const Run& run, SideWork* side) {
  Part& last = parts_.back();
  if (last.together) session_.run(last.together->program, run_of_all(parts_.size() - 1, run));
  bind(parts_.size() - 1, run, 0);
  Run whole = run;
  whole.batch = 1;
  whole.feeds = last.feeds;
  whole.side = side;
  if (team_.members() > 1) whole.stop = {};
  try {
    session_.run(last.program, whole);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_finite) explain(run);
    throw;
  }
}

/// A gradient that is not finite is seen by the owner of the part where it is not. All take the first weight
/// of all that were found.
void ShardedProgram::agree_on_spoilt() {
  int found = 0;
  if (const std::string* spoilt = session_.spoilt())
    for (std::size_t i = 0; i < updated_.size() && found == 0; ++i)
      if (*updated_[i] == *spoilt || is_own_part_name(*spoilt, *updated_[i]))
        found = static_cast<int>(updated_.size() - i);
  found = team_.largest(found);
  if (found == 0) return;
  session_.forget_spoilt();
  session_.note_spoilt(updated_[updated_.size() - static_cast<std::size_t>(found)]);
}

void ShardedProgram::explain(const Run& run) {
  std::string first;
  const auto look = [&](std::size_t section, const std::shared_ptr<const Graph>& graph, const Run& part,
                        std::int64_t shard) {
    const HostState state;
    const std::optional<Error> found =
        find_not_finite(graph, part, kernels_, session_.provider(), session_.variables(),
                        rows_of_shard(run.batch, shards_, shard).begin);
    if (found) first = failure_text(section, shard, *found);
  };
  for (std::size_t i = 0; i < parts_.size() && first.empty(); ++i) {
    if (parts_[i].together) look(i, parts_[i].together->graph, run_of_all(i, run), 0);
    if (i + 1 == parts_.size()) break;
    for (std::int64_t shard = 0; shard < own_shards(run.batch) && first.empty(); ++shard) {
      bind(i, run, shard);
      look(i, parts_[i].graph, run_of(parts_[i], run, shard), own_.begin + shard);
    }
  }
  throw_first_failure(team_.gather(first));
}

}  // namespace graphrun::runtime
