#include "train/learn/greedy.hpp"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <utility>

#include "graph/needed.hpp"
#include "graph/term.hpp"

namespace graphrun::train {

namespace {

/// Copies parts of a graph into another, so that they can be joined in another way.
class Splicer {
 public:
  Splicer(const Graph& graph, const OpRegistry& registry, const PhaseRecipe& phase)
      : graph_(graph), builder_(registry), phase_(phase) {}

  Builder& builder() { return builder_; }

  /// The node itself, cut off from what it is computed from.
  NodeId input(NodeId id) {
    const Node& node = graph_.node(id);
    builder_.set_origin(node.origin);
    return builder_.add("input", {},
                        {{"shape", node.type.shape}, {"dtype", std::string(to_string(node.type.dtype))}},
                        {.name = node.name});
  }

  /// What computes `to` from `from`, with `replacement` in place of `from`.
  NodeId between(NodeId from, NodeId to, NodeId replacement) {
    const std::vector<bool> needed =
        needed_by(graph_, std::span(&to, 1), [from](NodeId id) { return id == from; });
    std::map<NodeId, NodeId> made = {{from, replacement}};
    for (NodeId id = 0; id <= to; ++id)
      if (needed[id] && id != from) made[id] = copy(id, made, to, from);
    return made.at(to);
  }

 private:
  NodeId copy(NodeId id, const std::map<NodeId, NodeId>& made, NodeId to, NodeId from) {
    const Node& node = graph_.node(id);
    const bool scalar = node.type.shape.empty();
    if (node.op->traits.input && !scalar)
      throw Error(
          ErrorCode::model,
          fmt::format("'{}' needs the input '{}' beside '{}': a greedy layer is computed from the layer "
                      "before it alone",
                      graph_.node(to).name, node.name, graph_.node(from).name),
          phase_.where, graph_.node(to).name);
    // A variable, or a scalar that follows a schedule, is one and the same wherever it is used.
    const bool shared = node.op->traits.variable || node.op->traits.input;
    if (shared)
      if (const auto known = shared_.find(id); known != shared_.end()) return known->second;
    const auto mapped = [&made](const std::vector<NodeId>& ids) {
      std::vector<NodeId> result;
      for (const NodeId each : ids) result.push_back(made.at(each));
      return result;
    };
    const NodeId copied = builder_.add_like(node, mapped(node.inputs), mapped(node.controls));
    if (shared) shared_[id] = copied;
    return copied;
  }

  const Graph& graph_;
  Builder builder_;
  const PhaseRecipe& phase_;
  std::map<NodeId, NodeId> shared_;
};

NodeId mean_over(Builder& builder, NodeId node, const Axes& axes) {
  return Term(builder, builder.add("sum", {node}, {{"axis", axes}})) /
         Term(builder, builder.add("size", {node}, {{"axis", axes}}));
}

/// Of each row, then over rows: the same number as over all at once, in the form that runs in slices.
NodeId mean_squared_error(Builder& builder, NodeId value, NodeId target) {
  NodeId error = call("square", {Term(builder, value) - Term(builder, target)});
  Axes within{false, {}};
  for (std::size_t axis = 1; axis < builder.type(error).shape.size(); ++axis)
    within.list.push_back(static_cast<std::int64_t>(axis));
  if (!within.list.empty()) error = mean_over(builder, error, within);
  return mean_over(builder, error, Axes{false, {0}});
}

}  // namespace

std::string layer_name(const PhaseRecipe& phase, std::size_t layer) {
  return fmt::format("{}{}layer {} of {}", phase.name, phase.name.empty() ? "" : ", ", layer + 1,
                     phase.greedy->encoder.size());
}

LearningStep greedy_step(const ModelDefinition& model, const OpRegistry& registry, const PhaseRecipe& phase,
                         std::size_t layer) {
  const GreedyRecipe& greedy = *phase.greedy;
  const GreedyRecipe::Layer& down = greedy.encoder[layer];
  const GreedyRecipe::Layer& up = greedy.decoder[greedy.decoder.size() - 1 - layer];
  Splicer splicer(model.graph, registry, phase);
  const NodeId clean = splicer.input(down.input);
  NodeId given = clean;
  if (!greedy.corrupted.empty()) given = splicer.between(down.input, greedy.corrupted[layer], clean);
  const NodeId code = splicer.between(down.input, down.output, given);
  const NodeId image = splicer.between(up.input, up.output, code);
  Builder& builder = splicer.builder();
  builder.set_origin({});
  const NodeId loss = mean_squared_error(builder, image, clean);
  builder.output("loss", loss);
  LearningStep step{.forward = std::move(builder).finish(),
                    .figures = {{"loss"}, {"loss"}, {loss}},
                    .parameters = {},
                    .averages = {},
                    .optimizer = phase.optimizer,
                    .slots = phase.optimizer.op,
                    .every = 1,
                    .where = phase.where};
  step.parameters = names_of_variables(step.forward, {}, true);
  step.averages = names_of_variables(step.forward, {}, false);
  return step;
}

Examples layer_examples(Learner& learner, const PhaseRecipe& phase, std::size_t layer,
                        const Examples& examples, std::stop_token stop) {
  const NodeId input = phase.greedy->encoder[layer].input;
  const std::string& name = learner.model().graph.node(input).name;
  if (examples.columns.contains(name)) return examples;
  auto codes = std::make_shared<const OutputValues>(learner.run(input, examples, {.stop = std::move(stop)}));
  const std::int64_t elements = element_count(codes->extents) / examples.count;
  const ColumnKind kind = codes->type.dtype == DType::i32 ? ColumnKind::i32_labels : ColumnKind::f32_values;
  return {.count = examples.count, .columns = {{name, {kind, elements, codes->bytes}}}, .owner = codes};
}

}  // namespace graphrun::train
