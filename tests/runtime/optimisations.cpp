// No optimisation changes what a graph computes.

#include <algorithm>
#include <random>

#include "graph/broadcast.hpp"
#include "graph/interpreter.hpp"
#include "graph/print.hpp"
#include "ops/op.hpp"
#include "runtime/lower/lower.hpp"
#include "tests/runtime/lowered.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;
using namespace graphrun::runtime;
using namespace graphrun::runtime::testing;

namespace {

/// Elementwise chains over every kind of broadcasting, reductions, reshapes and products, over and over.
class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : generator_(seed), builder_(ops::registry()) {
    const std::vector<Shape> shapes = {{n, k(7)},   {n, k(7)}, {n, k(1)},    {k(7)},          {k(1), k(7)},
                                       {},          {n},       {n, n},       {n, k(3), k(7)}, {k(3), k(1)},
                                       {n, k(600)}, {k(600)},  {k(4), k(7)}, {k(7), k(3)}};
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      pool_.push_back(builder_.add("input", {}, {{"shape", shapes[i]}}, {.name = "in" + std::to_string(i)}));
    }
    for (int i = 0; i < 40; ++i) grow();
    for (int i = 0; i < 6; ++i)
      builder_.output("out" + std::to_string(i), pool_[pool_.size() - 1 - pick(12)]);
  }

  Graph take() { return std::move(builder_).finish(); }

 private:
  std::size_t pick(std::size_t count) { return generator_() % count; }
  NodeId any() { return pool_[pool_.size() - 1 - pick(std::min<std::size_t>(pool_.size(), 24))]; }
  void keep(NodeId id) { pool_.push_back(id); }

  void grow() {
    const NodeId a = any();
    const Shape shape = builder_.type(a).shape;
    switch (pick(8)) {
      case 0:
      case 1:
      case 2:
        return binary(a);
      case 3:
        return keep(builder_.add("tanh", {a}));
      case 4:
        return keep(builder_.add("sigmoid", {a}));
      case 5:
        return reduce(a, shape);
      case 6:
        return product(a, shape);
      default:
        return reshape(a, shape);
    }
  }

  void binary(NodeId a) {
    const NodeId b = any();
    if (!broadcast(builder_.type(a).shape, builder_.type(b).shape)) return;
    const char* const names[] = {"add", "sub", "mul", "maximum"};
    // Bounded, so that errors stay small.
    keep(builder_.add("tanh", {builder_.add(names[pick(4)], {a, b})}));
  }

  void reduce(NodeId a, const Shape& shape) {
    if (shape.empty()) return;
    Axes axes{pick(3) == 0, {}};
    if (!axes.all) axes.list = {static_cast<std::int64_t>(pick(shape.size()))};
    const char* const op = pick(3) == 0 ? "max" : "sum";
    const NodeId reduced = builder_.add(op, {a}, {{"axis", axes}, {"keepdims", pick(2) == 0}});
    keep(builder_.add("tanh", {builder_.add("mul", {reduced, builder_.constant(0.01)})}));
  }

  void product(NodeId a, const Shape& shape) {
    if (shape.size() < 2) return;
    const NodeId b = any();
    const Shape& other = builder_.type(b).shape;
    if (other.size() < 2) return;
    const bool ta = pick(2) == 0;
    const bool tb = pick(2) == 0;
    if (shape[shape.size() - (ta ? 2 : 1)] != other[other.size() - (tb ? 1 : 2)]) return;
    if (!broadcast(Shape(shape.begin(), shape.end() - 2), Shape(other.begin(), other.end() - 2))) return;
    const NodeId product = builder_.add("matmul", {a, b}, {{"transpose_a", ta}, {"transpose_b", tb}});
    keep(builder_.add("tanh", {product}));
  }

  void reshape(NodeId a, const Shape& shape) {
    Shape to;
    if (shape == Shape{n, k(7)}) to = {n, k(7), k(1)};
    if (shape == Shape{n, k(3), k(7)}) to = {n, k(21)};
    if (shape == Shape{n}) to = {n, k(1)};
    if (shape == Shape{n, k(1)}) to = {n};
    if (shape == Shape{k(7)}) to = {k(7), k(1)};
    if (!to.empty()) keep(builder_.add("reshape", {a}, {{"shape", to}}));
  }

  std::mt19937 generator_;
  Builder builder_;
  std::vector<NodeId> pool_;
};

}  // namespace

TEST_CASE("random graphs agree with the f64 reference, each optimisation on and off") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const auto graph = std::make_shared<const Graph>(RandomGraph(seed).take());
    for (const std::int64_t batch : {1, 37}) {
      const auto inputs = random_inputs(*graph, batch, seed);
      HostVariables none;
      const auto exact = interpret(*graph, none, {batch, inputs.host(), {}});
      for (int off = 0; off < 5; ++off) {
        LoweringOptions options;
        options.fusion = off != 1;
        options.post_ops = off != 2;
        options.memory_sharing = off != 3;
        options.keep_values = off == 4;
        options.isa = std::min(static_cast<Isa>(off % 3), detected_isa());
        const auto values = outputs_of(graph, batch, inputs, options);
        for (std::size_t i = 0; i < values.size(); ++i) {
          CAPTURE(seed, batch, off, i, graph->node(graph->outputs()[i].node).name);
          CHECK(near(values[i], exact[graph->outputs()[i].node].values));
        }
      }
    }
  }
}
