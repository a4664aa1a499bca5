// Random graphs of ops, with gradients and updates: each runs through every executor, to the same bits. A
// valid graph must have a plan, whatever reads what before it is written.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>

#include "autograd/gradients.hpp"
#include "autograd/prepare.hpp"
#include "graph/passes/pipeline.hpp"
#include "ops/op.hpp"
#include "runtime/execute/session.hpp"
#include "tests/runtime/network.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/same_bits.hpp"

using namespace graphrun;
using namespace graphrun::runtime;
using graphrun::testing::all_values;
using graphrun::testing::batch_of;
using graphrun::testing::Maker;
using graphrun::testing::matmul;
using graphrun::testing::same_bits;
using graphrun::testing::shape;
using graphrun::testing::sum;
using graphrun::testing::sum_over;

namespace {

class RandomGraph {
 public:
  explicit RandomGraph(std::uint64_t seed) : random_(seed) {}

  std::shared_ptr<const Graph> make() {
    leaves();
    const int nodes = 4 + pick(26);
    for (int i = 0; i < nodes; ++i) values_.push_back(next());
    outputs();
    const Graph forward = prepare(maker_.finish(), ops::registry(), Mode::train);
    return std::make_shared<const Graph>(make_executable(with_effects(forward), ops::registry()));
  }

 private:
  int pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
  bool chance(int in) { return pick(in) == 0; }
  /// One of the latest more often than one of the first.
  Term any() {
    const auto count = static_cast<int>(values_.size());
    return values_[static_cast<std::size_t>(chance(2) ? pick(count) : count - 1 - pick(std::min(count, 4)))];
  }

  void leaves() {
    width_ = 1 + pick(chance(3) ? 64 : 6);
    height_ = 1 + pick(8);
    values_.push_back(maker_.input("x", batch_of({width_})));
    values_.push_back(maker_.param("square", shape({width_, width_})));
    values_.push_back(maker_.param("matrix", shape({height_, width_})));
    values_.push_back(maker_.param("row", shape({width_})));
    values_.push_back(maker_.param("scalar", shape({})));
    if (chance(2)) values_.push_back(maker_.param("other", shape({height_, width_})));
  }

  /// Bounded, so that no chain of them overflows.
  Term unary(Term a) {
    constexpr const char* ops[] = {"neg", "abs", "tanh", "sigmoid", "relu", "softplus", "silu", "erf"};
    return call(ops[pick(std::size(ops))], {a});
  }

  Term binary(Term a, Term b) {
    constexpr const char* ops[] = {"add", "sub", "mul", "maximum", "minimum"};
    return call(ops[pick(std::size(ops))], {call("tanh", {a}), b});
  }

  /// Many fit only some operands: then a unary one takes the place.
  Term next() {
    const Term a = any();
    const Term b = any();
    const std::size_t rank = a.type().shape.size();
    try {
      switch (pick(9)) {
        case 0:
        case 1:
        case 2:
          return binary(a, b);
        case 3:
          return matmul(call("tanh", {a}), call("tanh", {b}), chance(2), chance(2));
        case 4:
          return rank == 0 ? unary(a)
                           : sum_over(call("tanh", {a}), {pick(static_cast<int>(rank))}, chance(2));
        case 5:
          return call("reshape", {a}, {{"shape", shape({height_ * width_})}});
        case 6:
          return call("transpose", {a});
        case 7:
          return rank == 0 ? unary(a) : call("softmax", {a});
        default:
          return unary(a);
      }
    } catch (const OpError&) {
      return unary(a);
    }
  }

  void outputs() {
    Term loss = maker_.number(0);
    for (int i = 1 + pick(3); i > 0; --i) loss = loss + sum(call("tanh", {any()}));
    maker_.output("loss", loss);
    if (chance(2)) maker_.output("value", any());
    for (int i = pick(3); i > 0; --i) maker_.output("next/" + std::to_string(i), any());
  }

  /// Updates of what is learnt, and assignments to variables that other nodes read before or after.
  Graph with_effects(const Graph& forward) {
    Builder builder(ops::registry(), forward);
    builder.clear_outputs();
    std::vector<NodeId> parameters;
    for (NodeId id = 0; id < forward.size(); ++id) {
      if (forward.node(id).op->traits.variable && !chance(8)) parameters.push_back(id);
    }
    const Term loss(builder, forward.output("loss"));
    builder.output("loss", loss);
    std::vector<NodeId> gradients = append_gradients(builder, loss, parameters);
    if (chance(3)) scale_by_norm(builder, gradients);
    const NodeId check = builder.add("check_finite", {loss});
    for (std::size_t i = 0; i < parameters.size(); ++i) update(builder, parameters[i], gradients[i], check);
    for (const NamedOutput& output : forward.outputs()) {
      if (output.name == "value") builder.output(output.name, output.node);
      if (output.name.starts_with("next/")) follow(builder, output, check);
    }
    return std::move(builder).finish();
  }

  static void scale_by_norm(Builder& builder, std::vector<NodeId>& gradients) {
    Term total(builder, builder.constant(1));
    for (const NodeId gradient : gradients) total = total + sum(call("square", {Term(builder, gradient)}));
    for (NodeId& gradient : gradients) gradient = Term(builder, gradient) / call("sqrt", {total});
  }

  void update(Builder& builder, NodeId parameter, NodeId gradient, NodeId check) {
    const Term rate(builder, builder.constant(0.01));
    const Term current(builder, parameter);
    if (chance(3)) {
      builder.add("assign", {parameter, current - rate * Term(builder, gradient)}, {}, {.controls = {check}});
    } else {
      builder.add("sgd_update", {parameter, gradient, rate}, {{"weight_decay", 0.0}}, {.controls = {check}});
    }
  }

  /// A running mean of a value over the batch, if it has one, which a fetched node reads as it was.
  void follow(Builder& builder, const NamedOutput& output, NodeId check) {
    Term value(builder, output.node);
    if (!value.type().shape.empty()) value = sum_over(call("tanh", {value}), {0});
    for (const Dim& dim : value.type().shape) {
      if (!dim.is_number()) return;
    }
    const Term mean(builder, builder.add("param", {}, {{"shape", value.type().shape}, {"trainable", false}},
                                         {.name = output.name}));
    const Term moved = 0.9 * mean + 0.1 * value;
    if (chance(2)) builder.output("read " + output.name, call("neg", {mean}));
    builder.add("assign", {mean, moved}, {}, {.controls = {check}});
    if (chance(2)) builder.output("seen " + output.name, call("tanh", {mean}));
  }

  std::mt19937_64 random_;
  Maker maker_;
  std::vector<Term> values_;
  std::int64_t width_ = 1;
  std::int64_t height_ = 1;
};

SessionOptions with(ExecutorKind executor) {
  SessionOptions options;
  options.executor = executor;
  options.threads = 3;
  options.share_small_plans = true;
  options.poison_workspace = true;
  return options;
}

/// Node by node, each with memory of its own.
SessionOptions plain() {
  SessionOptions options = with(ExecutorKind::serial);
  options.lowering.fusion = options.lowering.post_ops = options.lowering.fused_update = false;
  options.lowering.slicing = options.lowering.memory_sharing = false;
  return options;
}

/// Every output of two steps, and the variables after them.
std::vector<float> values_of(const std::shared_ptr<const Graph>& graph, std::int64_t batch,
                             std::uint64_t seed, const SessionOptions& options) {
  Session session(ops::registry(), ops::kernels(), options);
  const ProgramId program = session.add(graph);
  session.variables().initialise(seed);
  for (VariableStore::Variable* variable : session.variables().all()) {
    std::mt19937_64 random(seed + variable->values.size());
    for (float& value : variable->values) value = static_cast<float>(random() % 2001) / 1000.0F - 1;
  }
  const auto point = graphrun::testing::random_point(*graph, batch, seed);
  graphrun::testing::Values values;
  for (const auto& [name, tensor] : point.run.feeds) {
    values.set(name, tensor.extents, {tensor.values.begin(), tensor.values.end()});
  }
  const auto feeds = values.feeds();
  std::vector<float> seen;
  for (int step = 0; step < 2; ++step) {
    std::vector<std::vector<float>> fetched;
    std::vector<Fetch> fetches;
    for (const PlanOutput& output : session.prepare(program, batch).outputs) {
      fetched.emplace_back(output.bytes / sizeof(float));
      fetches.push_back({output.name, std::as_writable_bytes(std::span(fetched.back()))});
    }
    session.run(program, {.batch = batch, .feeds = feeds, .fetches = fetches, .random = {}, .stop = {}});
    for (const std::vector<float>& one : fetched) seen.insert(seen.end(), one.begin(), one.end());
  }
  const std::vector<float> variables = all_values(session.variables());
  seen.insert(seen.end(), variables.begin(), variables.end());
  return seen;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(double{a[i]} - b[i]) / std::max(1.0, std::abs(double{b[i]})));
  }
  return largest;
}

void run_through_all(const std::shared_ptr<const Graph>& graph, std::int64_t batch, std::uint64_t seed) {
  CAPTURE(seed);
  const std::vector<float> expected = values_of(graph, batch, seed, with(ExecutorKind::serial));
  CHECK(same_bits(values_of(graph, batch, seed, with(ExecutorKind::threads)), expected));
  CHECK(same_bits(values_of(graph, batch, seed, with(ExecutorKind::tbb)), expected));
  CHECK(largest_difference(values_of(graph, batch, seed, plain()), expected) < 1e-3);
}

void run_random_graph(std::uint64_t seed) {
  const std::int64_t batch = seed % 4 == 0 ? 300 : 1 + static_cast<std::int64_t>(seed % 37);
  run_through_all(RandomGraph(seed).make(), batch, seed);
}

}  // namespace

TEST_CASE("random graphs run through every executor to the same bits") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) run_random_graph(seed);
}

TEST_CASE("thousands of random graphs run through every executor to the same bits", "[.][long]") {
  const char* const first = std::getenv("GRAPHRUN_SEED");
  const std::uint64_t begin = first == nullptr ? 1 : std::strtoull(first, nullptr, 10);
  for (std::uint64_t seed = begin; seed < begin + 2000; ++seed) run_random_graph(seed);
  std::cout << "seeds " << begin << " to " << begin + 1999 << '\n';
}

TEST_CASE("groups that would wait for each other are taken apart") {
  Maker maker;
  const Term matrix = call("neg", {maker.param("matrix", shape({8, 4}))});
  const Term row = call("neg", {maker.param("row", shape({4}))});
  // A chain over the row hands a value to one over the matrix, and takes the sum of another from it.
  const Term squares = row * row;
  maker.output("loss", sum(squares * matrix));
  maker.output("back", call("tanh", {sum_over(matrix, {0})}) * row);
  maker.output("on", call("neg", {squares}));
  const auto graph = std::make_shared<const Graph>(
      make_executable(prepare(maker.finish(), ops::registry(), Mode::train), ops::registry()));
  run_through_all(graph, 2, 1);
}
