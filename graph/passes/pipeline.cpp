#include "graph/passes/pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "graph/passes/apply_rules.hpp"
#include "graph/passes/dead_nodes.hpp"

namespace graphrun {

// Passes that run from here alone: each is one file of this folder, and a row below.
PassFunction erase_forwards, fold_constants, merge_common_subexpressions, round_products,
    use_implicit_broadcasts;

namespace {

bool same_node(const Node& a, const Node& b) {
  return a.op == b.op && a.inputs == b.inputs && a.controls == b.controls && a.name == b.name &&
         a.attributes == b.attributes && a.type == b.type;
}

bool same_output(const NamedOutput& a, const NamedOutput& b) {
  return a.name == b.name && a.node == b.node;
}

/// `watched`: somebody wants to know whether the pass changed anything.
PassReport run_pass(Graph& graph, const OpRegistry& registry, const Pass& pass, bool watched) {
  PassReport report;
  report.name = pass.name;
  report.nodes_before = graph.size();
  const Graph before = watched ? graph : Graph();
  const auto start = std::chrono::steady_clock::now();
  graph = pass.run(std::move(graph), registry);
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  report.milliseconds = elapsed.count();
  report.nodes_after = graph.size();
  report.changed = watched && !same(before, graph);
  verify(graph, pass.after, pass.name);
  graph.set_verified();
  return report;
}

}  // namespace

bool same(const Graph& a, const Graph& b) {
  return std::equal(a.nodes().begin(), a.nodes().end(), b.nodes().begin(), b.nodes().end(), same_node) &&
         std::equal(a.outputs().begin(), a.outputs().end(), b.outputs().begin(), b.outputs().end(),
                    same_output);
}

Graph run_passes(Graph graph, const OpRegistry& registry, std::span<const Pass> passes,
                 const PassOptions& options) {
  const bool watched = options.report || options.dump;
  for (const Pass& pass : passes) {
    PassReport report{.name = pass.name, .nodes_before = graph.size(), .nodes_after = graph.size()};
    report.off = options.off.contains(pass.name);
    if (report.off && !pass.optional) {
      throw Error(ErrorCode::usage,
                  fmt::format("the pass '{}' cannot be switched off: the next need it", pass.name));
    }
    if (!report.off) report = run_pass(graph, registry, pass, watched);
    if (options.report) options.report(report);
    if (options.dump && report.changed) options.dump(pass.name, graph);
  }
  return graph;
}

std::span<const Pass> exact_passes() {
  static const std::array passes = {
      Pass{"erase_forwards", erase_forwards, Stage::executable, false},
      Pass{"dead_nodes", remove_dead_nodes, Stage::executable},
      Pass{"exact_identities", apply_exact_rules, Stage::executable},
      Pass{"implicit_broadcasts", use_implicit_broadcasts, Stage::executable},
      Pass{"fold_constants", fold_constants, Stage::executable},
      Pass{"exact_identities", apply_exact_rules, Stage::executable},  // what folding has made plain
      Pass{"common_subexpressions", merge_common_subexpressions, Stage::executable},
      Pass{"dead_nodes", remove_dead_nodes, Stage::executable},
  };
  return passes;
}

Graph make_executable(Graph graph, const OpRegistry& registry, const PassOptions& options) {
  const std::span<const Pass> exact = exact_passes();
  if (options.precision == Precision::f32) return run_passes(std::move(graph), registry, exact, options);
  std::vector<Pass> passes(exact.begin(), exact.end());
  const auto merging = std::ranges::find(passes, "common_subexpressions", &Pass::name);
  passes.insert(merging, {"round_products", round_products, Stage::executable, false});
  return run_passes(std::move(graph), registry, passes, options);
}

}  // namespace graphrun
