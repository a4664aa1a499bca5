#include "tests/ops/rule_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "graph/op.hpp"
#include "graph/passes/apply_rules.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/print.hpp"
#include "ops/op.hpp"
#include "runtime/execute/session.hpp"
#include "tests/ops/op_case.hpp"
#include "tests/support/catch.hpp"

namespace graphrun::op_table {
namespace {

// Of real rules: |with - without| <= tolerance * max(1, |without|).
constexpr double real_tolerance_f64 = 1e-12;
constexpr double real_tolerance_f32 = 2e-5;

bool close(double a, double b, double tolerance) {
  return same_bits(a, b) || std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b));
}

/// A graph in a session whose every node has a buffer and a kernel call of its own.
class NodeByNode {
 public:
  explicit NodeByNode(const Graph& graph)
      : graph_(std::make_shared<const Graph>(graph)), session_(ops::registry(), ops::kernels(), options()) {
    program_ = session_.add(graph_);
  }

  std::vector<std::vector<double>> run(const Example& example, const Values& values) {
    std::vector<std::vector<std::byte>> buffers;
    std::vector<runtime::Feed> feeds;
    std::vector<runtime::Fetch> fetches;
    buffers.reserve(values.size() + graph_->outputs().size());
    for (const auto& [name, value] : values) {
      const std::optional<NodeId> id = graph_->find(name);
      if (!id) continue;
      feeds.push_back({name, buffers.emplace_back(to_bytes(value, graph_->node(*id).type.dtype))});
    }
    for (const NamedOutput& output : graph_->outputs()) {
      const Type& type = graph_->node(output.node).type;
      const auto count = static_cast<std::size_t>(element_count(bind(type.shape, example.batch)));
      fetches.push_back({output.name, buffers.emplace_back(count * bytes_of(type.dtype))});
    }
    runtime::Run run;
    run.batch = example.batch;
    run.feeds = feeds;
    run.fetches = fetches;
    session_.run(program_, run);
    std::vector<std::vector<double>> outputs;
    for (std::size_t i = 0; i < fetches.size(); ++i) {
      const DType dtype = graph_->node(graph_->outputs()[i].node).type.dtype;
      outputs.push_back(from_bytes({fetches[i].bytes.begin(), fetches[i].bytes.end()}, dtype));
    }
    return outputs;
  }

 private:
  static runtime::SessionOptions options() {
    runtime::SessionOptions options;
    options.threads = 1;
    options.executor = runtime::ExecutorKind::serial;
    options.lowering.keep_values = true;
    return options;
  }

  std::shared_ptr<const Graph> graph_;
  runtime::Session session_;
  decltype(session_.add(graph_)) program_;
};

/// Before and after, where both can run: marks for gradients have no kernel before they are erased.
class Comparison {
 public:
  explicit Comparison(const Example& example) : example_(example) {}

  void check(const std::string& name, const Graph& after, Phase phase) {
    const bool exact = phase == Phase::exact;
    std::vector<Values> points = example_.points;
    if (exact) points.insert(points.end(), example_.special_points.begin(), example_.special_points.end());
    NodeByNode kernels(after);
    if (before_ == nullptr) before_ = std::make_unique<NodeByNode>(example_.graph);
    for (const Values& values : points) {
      compare(name + " in f64", in_f64(example_.graph, example_, values), in_f64(after, example_, values),
              exact ? 0 : real_tolerance_f64, after);
      compare(name + " in f32", before_->run(example_, values), kernels.run(example_, values),
              exact ? 0 : real_tolerance_f32, after);
    }
  }

 private:
  void compare(const std::string& name, const std::vector<std::vector<double>>& before,
               const std::vector<std::vector<double>>& after, double tolerance, const Graph& graph) const {
    REQUIRE(before.size() == after.size());
    for (std::size_t output = 0; output < before.size(); ++output) {
      REQUIRE(before[output].size() == after[output].size());
      for (std::size_t i = 0; i < before[output].size(); ++i) {
        const double a = before[output][i];
        const double b = after[output][i];
        if (tolerance == 0 ? same_bits(a, b) : close(b, a, tolerance)) continue;
        FAIL_CHECK(name << ": element " << i << " of output " << output << " was " << a << " and is " << b
                        << "\n"
                        << to_text(example_.graph) << "---\n"
                        << to_text(graph));
        return;
      }
    }
  }

  const Example& example_;
  std::unique_ptr<NodeByNode> before_;
};

}  // namespace

bool same_bits(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof a) == 0;
}

std::vector<std::vector<double>> in_f64(const Graph& graph, const Example& example, const Values& values) {
  InterpreterRun run;
  run.batch = example.batch;
  run.feeds = values;
  HostVariables none;
  const std::vector<HostTensor> all = interpret(graph, none, run);
  std::vector<std::vector<double>> outputs;
  for (const NamedOutput& output : graph.outputs()) outputs.push_back(all[output.node].values);
  return outputs;
}

std::vector<std::vector<double>> in_f32(const Graph& graph, const Example& example, const Values& values) {
  return NodeByNode(graph).run(example, values);
}

std::set<std::string> check_all(const Example& example) {
  std::set<std::string> tempted;
  std::set<const OpDef*> ops;
  for (const Node& node : example.graph.nodes()) ops.insert(node.op);
  Comparison comparison(example);
  for (const OpDef* op : ops) {
    for (const Rule& rule : op->rules) {
      const Graph after = apply_rules(example.graph, ops::registry(),
                                      [&](const Rule& each) { return each.name == rule.name; });
      if (same(example.graph, after)) continue;
      tempted.insert(rule.name);
      comparison.check(rule.name, after, rule.phase);
    }
  }
  for (const Pass& pass : exact_passes()) {
    if (!pass.optional) continue;
    const Graph after = pass.run(example.graph, ops::registry());
    if (same(example.graph, after)) continue;
    tempted.insert(pass.name);
    comparison.check(pass.name, after, Phase::exact);
  }
  return tempted;
}

}  // namespace graphrun::op_table
