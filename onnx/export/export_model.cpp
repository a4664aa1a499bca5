#include "onnx/export/export_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "autograd/prepare.hpp"
#include "files/json.hpp"
#include "graph/op.hpp"
#include "graph/passes/apply_rules.hpp"
#include "graph/passes/cut.hpp"
#include "graph/passes/dead_nodes.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/rewrite.hpp"
#include "graphrun/version.hpp"
#include "onnx/export/raw_columns.hpp"
#include "onnx/records.hpp"
#include "onnx/translate.hpp"
#include "ops/op.hpp"
#include "train/learn/learning_step.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::onnx {

namespace {

/// What is computed, and what is given instead of being computed.
struct Part {
  std::vector<NamedOutput> outputs;
  std::vector<std::string> given;
};

NodeId role_of(const ModelDefinition& model, const char* part, const char* role) {
  if (const std::optional<NodeId> node = model.role(role)) return *node;
  throw Error(ErrorCode::usage,
              fmt::format("the model has no output '{}', which its {} is known by; name the nodes to export",
                          role, part));
}

/// All outputs but those that are nothing but draws: there is nothing to compute in them.
std::vector<NamedOutput> whole(const ModelDefinition& model) {
  std::vector<NamedOutput> outputs;
  for (const NamedOutput& role : model.roles)
    if (!model.graph.node(role.node).op->traits.random) outputs.push_back(role);
  if (outputs.empty())
    throw Error(ErrorCode::usage, "the model has no `outputs:` to export; name the nodes to export");
  return outputs;
}

Part part_of(const ModelDefinition& model, const ExportOptions& options) {
  Part part;
  for (const std::string& name : options.part) {
    if (name == "whole") {
      for (NamedOutput& output : whole(model)) part.outputs.push_back(std::move(output));
    } else if (name == "encoder") {
      part.outputs.push_back({"code", role_of(model, "encoder", "code")});
    } else if (name == "decoder") {
      part.outputs.push_back({"image", role_of(model, "decoder", "image")});
      const NodeId latent = role_of(model, "decoder", model.role("latent") ? "latent" : "code");
      part.given.push_back(model.graph.node(latent).name);
    } else {
      part.outputs.push_back({name, train::asked_node(model, name)});
    }
  }
  for (const std::string& name : options.given)
    part.given.push_back(model.graph.node(train::given_node(model, name)).name);
  return part;
}

/// Noise is for learning: what it is added to takes its place.
Graph without_noise(Graph graph, const OpRegistry& registry) {
  const auto choose = [](Builder& /*builder*/, const Node& node, NodeId) -> std::optional<NodeId> {
    return node.op->name == "during" ? std::optional(node.inputs.at(1)) : std::nullopt;
  };
  return remove_dead_nodes(rewrite(std::move(graph), registry, choose), registry);
}

/// Pools of what is normalised then stand behind the normalisation, as models have them: runtimes join that
/// with the convolution before it.
std::optional<NodeId> pooled_last(RuleContext& context) {
  Builder& builder = context.builder;
  const Node& normalise = context.node;
  if (normalise.op->name != "normalise") return std::nullopt;
  const Node pool = builder.node(normalise.inputs[0]);
  if (pool.op->name != "extreme_pool" || pool.inputs[1] != normalise.inputs[2]) return std::nullopt;
  std::vector<NodeId> inputs = normalise.inputs;
  inputs[0] = pool.inputs[0];
  const NodeId whole = builder.add("normalise", std::move(inputs), normalise.attributes);
  return builder.add("max_pool", {whole}, pool.attributes, {normalise.name, normalise.origin, {}});
}

Graph graph_of(const ModelDefinition& model, const Part& part, bool raw) {
  const OpRegistry& registry = ops::registry();
  Builder builder = train::copy_of(model.graph, registry);
  for (const NamedOutput& output : part.outputs) builder.output(output.name, output.node);
  Graph graph = without_noise(cut(std::move(builder).finish(), registry, part.given), registry);
  if (raw) graph = with_raw_columns(std::move(graph), model, registry);
  graph = make_executable(prepare(std::move(graph), registry, Mode::evaluate), registry);
  const Rule rule{"pooled_last", Phase::real, pooled_last};
  return remove_dead_nodes(apply_once(std::move(graph), registry, {&rule, 1}), registry);
}

std::map<std::string, double> settled(const train::Learner& learner) {
  std::map<std::string, double> values;
  const train::TrainingState& state = learner.state();
  for (const ScheduledInput& input : learner.model().scheduled)
    values[input.name] =
        value_at(input.schedule, {state.stage_step(), std::max<std::uint64_t>(state.steps_per_epoch, 1)});
  return values;
}

std::map<std::string, double> pixels(const ModelDefinition& model, const Graph& graph) {
  const double divide_by = model.data && model.data->divide_by ? *model.data->divide_by : 255;
  std::map<std::string, double> inputs;
  for (const ModelInput& input : model.inputs) {
    const std::optional<NodeId> id = graph.find(input.name);
    if (id && input.source == InputSource::images && graph.node(*id).type.dtype == DType::f32)
      inputs[input.name] = divide_by;
  }
  if (inputs.empty())
    throw Error(ErrorCode::usage, "the exported part has no input of images that could take pixels");
  return inputs;
}

std::string as_json(const std::vector<std::string>& words) {
  files::JsonArray array;
  for (const std::string& word : words) array.add(word);
  return array.text();
}

std::vector<std::string> trainable(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes())
    if (train::is_parameter(node)) names.push_back(node.name);
  return names;
}

std::vector<std::string> described(const std::vector<ValueInfo>& values) {
  std::vector<std::string> texts;
  for (const ValueInfo& value : values) {
    std::vector<std::string> extents;
    for (const Dimension& dimension : value.shape)
      extents.push_back(dimension.symbol.empty() ? std::to_string(dimension.number) : dimension.symbol);
    const char* const type =
        value.type == ElementType::f32 ? "f32" : (value.type == ElementType::u8 ? "u8" : "i32");
    texts.push_back(fmt::format("{} {}[{}]", value.name, type, fmt::join(extents, ", ")));
  }
  return texts;
}

/// The oldest version of the format that has the opset: runtimes refuse one that they do not know.
std::int64_t ir_version(std::int64_t opset) {
  if (opset <= 14) return 7;
  if (opset <= 18) return 8;
  return opset <= 20 ? 9 : 10;
}

}  // namespace

Exported export_model(const train::Learner& learner, const ExportOptions& options) {
  if (options.opset < oldest_opset || options.opset > newest_opset)
    throw Error(ErrorCode::usage, fmt::format("opset {} is not written; the opsets from {} to {} are",
                                              options.opset, oldest_opset, newest_opset));
  const ModelDefinition& model = learner.model();
  const Graph graph = graph_of(model, part_of(model, options), options.raw);
  Surroundings surroundings;
  surroundings.variable = [&](const std::string& name) -> std::span<const float> {
    return learner.variables().find(name)->values;
  };
  surroundings.settled = settled(learner);
  if (options.pixels) surroundings.pixels = pixels(model, graph);

  ModelRecord record;
  record.ir_version = ir_version(options.opset);
  record.opset = options.opset;
  record.graph = translate(graph, surroundings, options.opset);
  record.graph.name = model.name;
  record.graph.about = model.about;
  record.metadata = {{"graphrun.model", model.resolved},
                     {"graphrun.digest", learner.digest()},
                     {"graphrun.trainable", as_json(trainable(graph))}};
  if (options.raw) record.metadata.emplace_back("graphrun.columns", as_json(raw_columns(model)));
  if (model.data && !model.data->classes.empty())
    record.metadata.emplace_back("graphrun.classes", as_json(model.data->classes));
  return {serialise(record), described(record.graph.inputs), described(record.graph.outputs),
          record.graph.nodes.size()};
}

}  // namespace graphrun::onnx
