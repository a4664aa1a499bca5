/// What tests of lowering share: extents, random inputs, what a graph computes, its groups as text.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "graph/term.hpp"
#include "ops/op.hpp"
#include "runtime/execute/session.hpp"
#include "runtime/lower/lower.hpp"
#include "runtime/lower/lowering.hpp"
#include "tests/runtime/network.hpp"

namespace graphrun::runtime::testing {

inline constexpr Dim n = Dim::batch();
inline Dim k(std::int64_t number) {
  return Dim::number(number);
}

inline graphrun::testing::Values random_inputs(const Graph& graph, std::int64_t batch, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> distribution(-1, 1);
  graphrun::testing::Values values;
  for (const Node& node : graph.nodes()) {
    if (!node.op->traits.input) continue;
    const Extents extents = graphrun::bind(node.type.shape, batch);
    std::vector<float> elements(static_cast<std::size_t>(element_count(extents)));
    for (float& element : elements) element = distribution(generator);
    values.set(node.name, extents, std::move(elements));
  }
  return values;
}

inline std::vector<std::vector<float>> outputs_of(const std::shared_ptr<const Graph>& graph,
                                                  std::int64_t batch, const graphrun::testing::Values& inputs,
                                                  const LoweringOptions& lowering, int threads = 2) {
  SessionOptions options;
  options.threads = threads;
  options.executor = ExecutorKind::threads;
  options.lowering = lowering;
  options.poison_workspace = true;
  Session session(ops::registry(), ops::kernels(), options);
  const ProgramId program = session.add(graph);
  std::vector<std::vector<float>> values;
  for (const PlanOutput& output : session.prepare(program, batch).outputs)
    values.emplace_back(output.bytes / 4);
  std::vector<Fetch> fetches;
  for (std::size_t i = 0; i < values.size(); ++i) {
    fetches.push_back({graph->outputs()[i].name, std::as_writable_bytes(std::span(values[i]))});
  }
  const auto feeds = inputs.feeds();
  session.run(program, {.batch = batch, .feeds = feeds, .fetches = fetches, .random = {}, .stop = {}});
  return values;
}

inline bool near(const std::vector<float>& values, const std::vector<double>& exact) {
  return values.size() == exact.size() &&
         std::equal(values.begin(), values.end(), exact.begin(),
                    [](float a, double b) { return std::abs(a - b) <= 2e-5 * std::max(1.0, std::abs(b)); });
}

inline std::string groups_of(const std::shared_ptr<const Graph>& graph, std::int64_t batch,
                             const LoweringOptions& options = {}) {
  return lower(graph, batch, ops::kernels(), options)->groups;
}

inline std::string line_with(const std::string& text, std::string_view part) {
  const std::size_t found = text.find(part);
  if (found == std::string::npos) return "";
  const std::size_t begin = text.rfind('\n', found) + 1;
  return text.substr(begin, text.find('\n', found) - begin);
}

/// How many kernels run the elementwise group that this op is in.
inline std::size_t kernels_of(const Graph& graph, std::int64_t batch, std::string_view op) {
  const BoundGraph bound = bind_graph(graph, batch, ops::kernels(), {});
  for (const Group& group : partition_graph(bound, {}).groups) {
    const auto of_op = [&](NodeId id) { return graph.node(id).op->name == op; };
    if (group.kind != GroupKind::elementwise || std::ranges::none_of(group.members, of_op)) continue;
    const ElementwiseProgram program = elementwise_program(bound, group, detected_isa());
    return program.instructions.size() + program.reductions.size();
  }
  return 0;
}

}  // namespace graphrun::runtime::testing
