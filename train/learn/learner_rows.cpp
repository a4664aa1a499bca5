// What a learner does with rows that it does not learn from: figures, outputs, gradients.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "errors/lack_of_memory.hpp"
#include "runtime/lower/rows.hpp"
#include "runtime/state/philox.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/learn/learner_implementation.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::train {
namespace {

/// Unless another seed is asked for, noise of evaluation is the same for every model and run, so that figures
/// can be compared.
RandomState evaluation_random(std::uint64_t seed, std::uint64_t first_row) {
  return {.seed = seed,
          .domain = static_cast<std::uint32_t>(runtime::RandomDomain::evaluation),
          .step = 0,
          .first_row = first_row};
}

std::vector<RowBlock> blocks_of(const CompiledProgram& compiled, std::int64_t rows,
                                const RowOptions& options) {
  if (runtime::rows_are_independent(compiled.graph())) return row_blocks(rows);
  return row_batches(rows, options.together ? std::max<std::int64_t>(1, rows) : evaluation_batch);
}

void throw_if_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Error(ErrorCode::cancelled, "a stop was asked for");
}

std::span<std::byte> rows_of(std::span<std::byte> all, std::int64_t rows, const RowBlock& block) {
  if (block.count == rows) return all;
  const std::size_t row = all.size() / static_cast<std::size_t>(rows);
  return all.subspan(row * static_cast<std::size_t>(block.first),
                     row * static_cast<std::size_t>(block.count));
}

}  // namespace

template <class Before, class After>
void Learner::Implementation::run_blocks(CompiledProgram& compiled, const Examples& examples,
                                         const std::vector<RowBlock>& blocks, const RowOptions& options,
                                         Before before, After after) {
  if (blocks.empty()) return;
  require_values(*model_, examples, compiled.inputs());
  PrefetchedBatches& batches = compiled.batches_for(examples, blocks.front().count);
  batches.gather({blocks.front().first, blocks.front().count});
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    throw_if_stopped(options.stop);
    const RowBlock& block = blocks[i];
    if (i + 1 < blocks.size()) batches.announce({blocks[i + 1].first, blocks[i + 1].count});
    before(block);
    set_scalars(compiled, {}, 0);
    compiled.bind(session_, batches.current().feeds(), block.count);
    compiled.run(session_, block.count,
                 evaluation_random(options.seed, options.first_row + static_cast<std::uint64_t>(block.first)),
                 options.stop, &batches);
    after(block);
    batches.advance();
  }
}

CompiledProgram& Learner::Implementation::evaluation() {
  if (evaluation_) return *evaluation_;
  const auto make = [&] {
    FigureNames names = figure_names(*model_, {}, true);
    evaluation_ = compile(evaluation_program(*model_, ops::registry(), passes_));
    evaluation_names_ = std::move(names);
  };
  saying_what_lacks(make, [&] { return no_memory_to_compile(); });
  return *evaluation_;
}

CompiledProgram& Learner::Implementation::role(const std::vector<NamedOutput>& outputs,
                                               const std::vector<std::string>& fed) {
  std::pair<std::vector<NodeId>, std::vector<std::string>> key{{}, fed};
  std::vector<NamedOutput> once;
  for (const NamedOutput& output : outputs) {
    if (std::find(key.first.begin(), key.first.end(), output.node) == key.first.end())
      once.push_back({model_->graph.node(output.node).name, output.node});
    key.first.push_back(output.node);
  }
  const auto found = roles_.find(key);
  if (found != roles_.end()) return found->second;
  return roles_.emplace(std::move(key), compile(role_program(*model_, ops::registry(), once, fed, passes_)))
      .first->second;
}

CompiledProgram& Learner::Implementation::gradient(NodeId of, const std::vector<NamedOutput>& wanted,
                                                   const std::vector<std::string>& fed) {
  std::vector<NodeId> nodes;
  for (const NamedOutput& output : wanted) nodes.push_back(output.node);
  const auto key = std::tuple(of, nodes, fed);
  const auto found = gradients_.find(key);
  if (found != gradients_.end()) return found->second;
  return gradients_.emplace(key, compile(gradient_program(*model_, ops::registry(), of, nodes, fed, passes_)))
      .first->second;
}

std::vector<NamedOutput> Learner::Implementation::asked(const std::vector<std::string>& names) const {
  std::vector<NamedOutput> outputs;
  for (const std::string& name : names) outputs.push_back({name, asked_node(*model_, name)});
  return outputs;
}

Figures Learner::Implementation::evaluate(const Examples& examples, const std::stop_token& stop) {
  team_->agree_on_stop();
  throw_if_stopped(stop);
  CompiledProgram& compiled = evaluation();
  const std::size_t figures = evaluation_names_.outputs.size();
  std::vector<float> values(figures);
  compiled.fetch(evaluation_names_.outputs, values);
  const std::vector<RowBlock> batches = row_batches(examples.count, evaluation_batch);
  const auto members = static_cast<std::size_t>(team_->members());
  std::vector<RowBlock> own;
  for (auto i = static_cast<std::size_t>(team_->member()); i < batches.size(); i += members)
    own.push_back(batches[i]);
  std::string measured;
  const auto nothing = [](const RowBlock&) {};
  const auto note = [&](const RowBlock&) {
    measured.append(reinterpret_cast<const char*>(values.data()), figures * sizeof(float));
  };
  run_blocks(compiled, examples, own, {.stop = stop}, nothing, note);
  const std::vector<std::string> all = team_->gather(measured);
  FigureSum sum(evaluation_names_.names);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const std::string& of_member = all[i % members];
    std::memcpy(values.data(), of_member.data() + i / members * figures * sizeof(float),
                figures * sizeof(float));
    sum.add(values, batches[i].count);
  }
  return sum.means();
}

void Learner::Implementation::run_role(const std::vector<NamedOutput>& outputs, const Examples& examples,
                                       std::span<const std::span<std::byte>> into,
                                       const RowOptions& options) {
  std::vector<std::string> fed;
  for (const auto& [name, column] : examples.columns) fed.push_back(name);
  CompiledProgram& compiled = role(outputs, fed);
  const std::vector<RowBlock> blocks = blocks_of(compiled, examples.count, options);
  if (blocks.size() > 1) require_rows(outputs);
  const auto fetch = [&](const RowBlock& block) {
    for (std::size_t i = 0; i < outputs.size(); ++i)
      compiled.fetch(i, model_->graph.node(outputs[i].node).name, rows_of(into[i], examples.count, block));
  };
  run_blocks(compiled, examples, blocks, options, fetch, [](const RowBlock&) {});
}

std::vector<OutputValues> Learner::Implementation::run_role(const std::vector<NamedOutput>& outputs,
                                                            const Examples& examples,
                                                            const RowOptions& options) {
  std::vector<OutputValues> results = outputs_over(outputs, examples.count);
  std::vector<std::span<std::byte>> into;
  for (OutputValues& result : results) into.emplace_back(result.bytes);
  run_role(outputs, examples, into, options);
  return results;
}

std::vector<OutputValues> Learner::Implementation::gradients(NodeId of,
                                                             const std::vector<NamedOutput>& wanted,
                                                             const Examples& examples) {
  std::vector<std::string> fed;
  for (const auto& [name, column] : examples.columns) fed.push_back(name);
  CompiledProgram& compiled = gradient(of, wanted, fed);
  std::vector<OutputValues> results = outputs_over(wanted, examples.count);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    compiled.fetch(i, model_->graph.node(wanted[i].node).name, results[i].bytes);
  const auto nothing = [](const RowBlock&) {};
  run_blocks(compiled, examples, {{0, examples.count}}, {}, nothing, nothing);
  return results;
}

std::vector<OutputValues> Learner::Implementation::outputs_over(const std::vector<NamedOutput>& outputs,
                                                                std::int64_t rows) const {
  std::vector<OutputValues> results;
  for (const NamedOutput& output : outputs) {
    const Type& type = model_->graph.node(output.node).type;
    OutputValues result{.name = output.name, .type = type, .extents = bind(type.shape, rows), .bytes = {}};
    const std::int64_t bytes =
        checked_multiply(element_count(result.extents), static_cast<std::int64_t>(bytes_of(type.dtype)));
    result.bytes.resize(static_cast<std::size_t>(bytes));
    results.push_back(std::move(result));
  }
  return results;
}

void Learner::Implementation::require_rows(const std::vector<NamedOutput>& outputs) const {
  for (const NamedOutput& output : outputs) {
    const Type& type = model_->graph.node(output.node).type;
    if (type.shape.empty() || !type.shape.front().is_batch())
      throw Error(ErrorCode::usage, fmt::format("output '{}' is {}: it has no row for each example",
                                                output.name, to_string(type)));
  }
}

}  // namespace graphrun::train
