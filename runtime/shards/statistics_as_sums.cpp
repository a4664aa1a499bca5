#include "runtime/shards/statistics_as_sums.hpp"

#include <optional>
#include <utility>

#include "graph/rewrite.hpp"
#include "graph/term.hpp"

namespace graphrun::runtime {
namespace {

Axes first_axis() {
  Axes axes;
  axes.all = false;
  axes.list = {0};
  return axes;
}

Term sum_of_rows(const Term& x) {
  return call("sum", {x}, {{"axis", first_axis()}});
}

/// Row `i` of [n, 2, c], as [n, c].
Term half(const Term& pairs, std::int64_t i) {
  const Shape& shape = pairs.type().shape;
  const Term taken = call("slice", {pairs}, {{"axis", std::int64_t{1}}, {"start", i}, {"stop", i + 1}});
  return call("reshape", {taken}, {{"shape", Shape{shape[0], shape[2]}}});
}

/// Two values of [c] as [2, c].
Term pair_of(const Term& a, const Term& b) {
  const Shape row = {Dim::number(1), a.type().shape.back()};
  return call("concat", {call("reshape", {a}, {{"shape", row}}), call("reshape", {b}, {{"shape", row}})},
              {{"axis", std::int64_t{0}}});
}

bool has_batch_rows(const Type& type) {
  return !type.shape.empty() && !type.shape.front().is_number();
}

}  // namespace

Graph statistics_as_sums(Graph graph, const OpRegistry& registry) {
  return rewrite(std::move(graph), registry,
                 [](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
                   const bool pools = node.op->name == "pooled_moments";
                   if (!pools && node.op->name != "moments") return std::nullopt;
                   const Term x(builder, node.inputs[0]);
                   if (!has_batch_rows(x.type()) || (!pools && x.type().shape.size() != 2))
                     return std::nullopt;
                   const Term count = call("size", {x}, {{"axis", first_axis()}});
                   const Term means = pools ? half(x, 0) : x;
                   const Term mean = sum_of_rows(means) / count;
                   const Term distance = means - mean;
                   const Term square = distance * distance;
                   const Term variance = sum_of_rows(pools ? half(x, 1) + square : square) / count;
                   return pair_of(mean, variance).id();
                 });
}

}  // namespace graphrun::runtime
