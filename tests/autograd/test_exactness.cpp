// The passes after autograd change no bit in f64: random graphs with their gradients, before and after.
#include <cmath>
#include <cstring>
#include <limits>

#include "autograd/gradients.hpp"
#include "autograd/prepare.hpp"
#include "graph/print.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

/// Random graphs of ops that broadcast, reduce and move, with numbers that tempt a simplifier.
class RandomGraph {
 public:
  explicit RandomGraph(std::uint64_t seed) : random_(seed) {
    const Shape shapes[] = {batch_of({3}), batch_of({1}), shape({3}), shape({1, 3}), {}};
    for (const Shape& of : shapes) {
      pool_.push_back(m_.input("x" + std::to_string(pool_.size()), of));
      pool_.push_back(
          m_.param("w" + std::to_string(pool_.size()), of.empty() || of[0].is_number() ? of : Shape{}));
    }
    for (const double value : {0.0, -0.0, 1.0, -1.0, 2.0}) pool_.push_back(m_.number(value));
    for (int i = 0; i < 25; ++i) pool_.push_back(next());
  }

  /// The last nodes as outputs, and the gradients of their sum.
  Graph finish() {
    Term total = m_.number(0.25);
    for (std::size_t i = pool_.size() - 4; i < pool_.size(); ++i) {
      m_.output("y" + std::to_string(i), pool_[i]);
      total = total + sum(pool_[i]);
    }
    m_.output("total", total);
    const std::vector<NodeId> wrt = {pool_[0], pool_[1], pool_[2], pool_[4], pool_[5], pool_[7]};
    const std::vector<NodeId> gradients = append_gradients(m_.builder, total, wrt);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      m_.builder.output("gradient" + std::to_string(i), gradients[i]);
    }
    return m_.finish();
  }

 private:
  std::size_t below(std::size_t count) { return random_() % count; }
  Term any() { return pool_[below(pool_.size())]; }

  Term next() {
    switch (below(5)) {
      case 0:
        return unary();
      case 1:
        return moved();
      default:
        return binary();
    }
  }

  Term unary() {
    const std::string_view ops[] = {"neg", "tanh", "square", "relu", "sigmoid", "exp", "stop_gradient"};
    return call(ops[below(std::size(ops))], {any()});
  }

  Term binary() {
    const std::string_view ops[] = {"add", "sub", "mul", "div", "maximum"};
    const std::string_view op = ops[below(std::size(ops))];
    const Term a = any();
    Term b = any();
    while (!broadcast(a.type().shape, b.type().shape)) b = any();
    return call(op, {a, b});
  }

  Term moved() {
    const Term x = any();
    const Shape from = x.type().shape;
    switch (below(4)) {
      case 0:
        return call("sum", {x}, {{"keepdims", below(2) == 0}});
      case 1:
        return call("transpose", {call("transpose", {x})});
      case 2: {
        Shape longer = from;
        longer.insert(longer.begin(), Dim::number(1));
        return call("reshape", {call("reshape", {x}, {{"shape", longer}})}, {{"shape", from}});
      }
      default: {
        const std::optional<Shape> wide = broadcast(from, batch_of({3}));
        return wide ? call("broadcast_to", {x}, {{"shape", *wide}}) : x;
      }
    }
  }

  std::mt19937_64 random_;
  Maker m_;
  std::vector<Term> pool_;
};

bool same_bits(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof a) == 0;
}

/// Random numbers, some of them special.
Point tempting_point(const Graph& graph, std::uint64_t seed) {
  Point point = random_point(graph, 2, seed);
  std::mt19937_64 random(seed);
  const double special[] = {0.0, -0.0, 1.0, std::numeric_limits<double>::infinity()};
  for (auto& [name, tensor] : point.run.feeds) {
    if (random() % 3 == 0)
      tensor.values[random() % tensor.values.size()] = special[random() % std::size(special)];
  }
  return point;
}

void check_same_bits(const Graph& before, const Graph& after, std::uint64_t seed) {
  Point point = tempting_point(before, seed);
  const std::vector<HostTensor> expected = interpret(before, point.variables, point.run);
  const std::vector<HostTensor> values = interpret(after, point.variables, point.run);
  REQUIRE(before.outputs().size() == after.outputs().size());
  for (const NamedOutput& output : before.outputs()) {
    const HostTensor& a = expected[output.node];
    const HostTensor& b = values[after.output(output.name)];
    REQUIRE(a.extents == b.extents);
    for (std::size_t i = 0; i < a.values.size(); ++i) {
      if (same_bits(a.values[i], b.values[i])) continue;
      FAIL("seed " << seed << ", output " << output.name << ": " << a.values[i] << " became " << b.values[i]
                   << "\n"
                   << to_text(before) << "---\n"
                   << to_text(after));
    }
  }
}

}  // namespace

TEST_CASE("the passes after autograd change no bit of random graphs and their gradients") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Graph graph = RandomGraph(seed).finish();
    const Graph executable = make_executable(graph, ops::registry());
    CHECK(executable.size() < graph.size());
    check_same_bits(graph, executable, seed);
  }
}

TEST_CASE("each exact pass alone changes no bit of random graphs and their gradients") {
  for (std::uint64_t seed = 1001; seed <= 1100; ++seed) {
    const Graph graph = RandomGraph(seed).finish();
    for (const Pass& pass : exact_passes()) {
      const Graph result = pass.run(graph, ops::registry());
      verify(result, Stage::differentiable, pass.name);
      check_same_bits(graph, result, seed);
    }
  }
}
