/// \file
/// Graphs by hand for tests: short names for inputs and parameters, and numbers to run them on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "graph/interpreter.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/term.hpp"
#include "ops/op.hpp"

namespace graphrun::testing {

inline Dim rows() {
  return Dim::batch();
}

inline Shape shape(std::initializer_list<std::int64_t> sizes) {
  Shape result;
  for (const std::int64_t size : sizes) result.push_back(Dim::number(size));
  return result;
}

/// [batch, sizes…]
inline Shape batch_of(std::initializer_list<std::int64_t> sizes) {
  Shape result = shape(sizes);
  result.insert(result.begin(), rows());
  return result;
}

/// A Builder over the ops of the language.
class Maker {
 public:
  Term input(std::string name, Shape of, std::string dtype = "f32") {
    return make("input", std::move(name), {{"shape", std::move(of)}, {"dtype", std::move(dtype)}});
  }
  Term param(std::string name, Shape of) {
    return make("param", std::move(name), {{"shape", std::move(of)}});
  }
  Term number(double value) { return {builder, builder.constant(value)}; }
  void output(std::string name, Term node) { builder.output(std::move(name), node); }
  Graph finish() { return std::move(builder).finish(); }

  Builder builder{ops::registry()};

 private:
  Term make(std::string_view op, std::string name, Attributes attributes) {
    return {builder, builder.add(op, {}, std::move(attributes), {.name = std::move(name)})};
  }
};

/// What one of the exact passes makes of a graph, by its name.
inline Graph only_pass(std::string_view name, Graph graph) {
  const Pass& pass = *std::ranges::find(exact_passes(), name, &Pass::name);
  return pass.run(std::move(graph), ops::registry());
}

inline Term sum(Term x) {
  return call("sum", {x});
}
inline Term sum_over(Term x, std::vector<std::int64_t> axes, bool keepdims = false) {
  return call("sum", {x}, {{"axis", Axes{false, std::move(axes)}}, {"keepdims", keepdims}});
}
inline Term matmul(Term x, Term w, bool transpose_a = false, bool transpose_b = false) {
  return call("matmul", {x, w}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}});
}
inline Term gradient(Term y, Term x) {
  return call("grad", {y, x});
}

/// Uniform numbers in [low, high), the same for a seed everywhere.
inline HostTensor random_tensor(Extents extents, std::uint64_t seed, double low = -1, double high = 1) {
  std::mt19937_64 random(seed);
  HostTensor tensor{std::move(extents), {}};
  tensor.values.resize(static_cast<std::size_t>(element_count(tensor.extents)));
  for (double& value : tensor.values) {
    value = low + (high - low) * static_cast<double>(random() >> 11U) * 0x1p-53;
  }
  return tensor;
}

/// Random numbers for all inputs and variables of a graph.
struct Point {
  HostVariables variables;
  InterpreterRun run;
};
inline Point random_point(const Graph& graph, std::int64_t batch, std::uint64_t seed, double low = -1,
                          double high = 1) {
  Point point;
  point.run.batch = batch;
  point.run.random.seed = seed;
  for (const Node& node : graph.nodes()) {
    if (!node.op->traits.input && !node.op->traits.variable) continue;
    HostTensor value = random_tensor(bind(node.type.shape, batch), ++seed, low, high);
    (node.op->traits.input ? point.run.feeds : point.variables)[node.name] = std::move(value);
  }
  return point;
}

}  // namespace graphrun::testing
