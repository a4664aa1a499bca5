#include "train/learn/running_averages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "graph/term.hpp"
#include "graphrun/error.hpp"

namespace graphrun::train {

namespace {

constexpr std::string_view prefix = "running/";

bool is_running(const Node& node) {
  return node.op->traits.running;
}

std::string output_of(const Node& average) {
  return fmt::format("{}{}", prefix, average.name);
}

const Node& average_of(const Graph& graph, const Node& node) {
  const Node& average = graph.node(node.inputs[1]);
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::model, fmt::format("'{}' {}", average.name, why),
                 node.origin ? node.origin->where : SourceLocation{}, node.name);
  };
  if (!average.op->traits.variable) throw refuse("must be a param: a running average is kept");
  if (average.attributes.flag("trainable"))
    throw refuse("must have `trainable: false`: it follows its value, and no optimizer may move it too");
  return average;
}

bool moves(const std::vector<std::string>& moving, const Node& average) {
  return std::find(moving.begin(), moving.end(), average.name) != moving.end();
}

/// The variable itself: the graph may read it beside the value that it follows.
NodeId variable_like(Builder& builder, const Node& variable) {
  for (NodeId id = 0; id < builder.size(); ++id)
    if (builder.node(id).op->traits.variable && builder.node(id).name == variable.name) return id;
  return builder.add("param", {}, variable.attributes, {.name = variable.name});
}

/// What every update waits for, if there are any.
std::vector<NodeId> controls_of(const Builder& builder) {
  for (NodeId id = 0; id < builder.size(); ++id)
    if (builder.node(id).name == "optimizer/loss_is_finite") return {id};
  return {};
}

}  // namespace

bool is_running_value(std::string_view output) {
  return output.starts_with(prefix);
}

Graph with_running_values(Graph graph, const OpRegistry& registry, const std::vector<std::string>& moving) {
  std::vector<NamedOutput> averages;
  std::set<std::string> followed;
  for (const Node& node : graph.nodes()) {
    if (!is_running(node)) continue;
    const Node& average = average_of(graph, node);
    if (!followed.insert(average.name).second)
      throw Error(ErrorCode::model,
                  fmt::format("'{}' follows two values: layers that share parameters cannot keep running "
                              "averages",
                              average.name),
                  node.origin ? node.origin->where : SourceLocation{}, node.name);
    if (moves(moving, average)) averages.push_back({output_of(average), node.inputs[0]});
  }
  Builder builder(registry, std::move(graph));
  for (NamedOutput& output : averages) builder.output(std::move(output.name), output.node);
  return std::move(builder).finish();
}

void append_running_averages(Builder& builder, const Graph& model, std::span<const NamedOutput> prepared,
                             const std::vector<std::string>& moving) {
  const std::vector<NodeId> controls = controls_of(builder);
  for (const Node& node : model.nodes()) {
    if (!is_running(node)) continue;
    const Node& average = average_of(model, node);
    if (!moves(moving, average)) continue;
    builder.set_origin(average.origin);
    const Term value(builder, std::ranges::find(prepared, output_of(average), &NamedOutput::name)->node);
    const Term before(builder, variable_like(builder, average));
    const Term after = before + node.attributes.number("momentum") * (value - before);
    builder.add("assign", {before, after}, {},
                {.name = fmt::format("assign/{}", average.name), .controls = controls});
  }
  builder.set_origin({});
}

}  // namespace graphrun::train
