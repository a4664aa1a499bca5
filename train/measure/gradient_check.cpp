#include "train/measure/gradient_check.hpp"

#include <fmt/format.h>

#include <set>

#include "graph/print.hpp"
#include "runtime/state/initialize.hpp"
#include "runtime/state/philox.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::train {

namespace {

/// Rows of the batch at which gradients are checked: more than one, so that sums over it are seen.
constexpr std::int64_t rows = 3;

RandomState random_state(std::uint64_t seed) {
  return {.seed = seed,
          .domain = static_cast<std::uint32_t>(runtime::RandomDomain::data),
          .step = 0,
          .first_row = 0};
}

HostTensor random_input(const Node& node, std::uint64_t seed) {
  HostTensor tensor{bind(node.type.shape, rows), {}};
  tensor.values.resize(static_cast<std::size_t>(element_count(tensor.extents)));
  runtime::fill_uniform(runtime::RandomStream::of(node.name, random_state(seed)), 0, tensor.values.size(),
                        std::span(tensor.values));
  if (node.type.dtype != DType::f32)
    for (double& value : tensor.values) value = value < 0.5 ? 0.0 : 1.0;
  return tensor;
}

double scheduled_value(const ModelDefinition& model, const std::string& name, double otherwise) {
  for (const ScheduledInput& input : model.scheduled)
    if (input.name == name) return value_at(input.schedule, {});
  return otherwise;
}

std::map<std::string, HostTensor> feeds_of(const ModelDefinition& model, const Graph& graph) {
  std::map<std::string, HostTensor> feeds;
  for (const Node& node : graph.nodes()) {
    if (!node.op->traits.input) continue;
    HostTensor tensor = random_input(node, model.train->seed);
    if (tensor.extents.empty()) tensor.values[0] = scheduled_value(model, node.name, tensor.values[0]);
    feeds.emplace(node.name, std::move(tensor));
  }
  return feeds;
}

/// The parameters of the step that its loss depends on at all.
std::vector<std::string> checked_parameters(const LearningStep& step, const Graph& graph) {
  std::vector<std::string> names = step.parameters;
  std::erase_if(names, [&](const std::string& name) { return !graph.find(name); });
  return names;
}

std::vector<GradientCheck> check_step(const ModelDefinition& model, const LearningStep& step,
                                      const OpRegistry& registry) {
  const Graph graph = loss_graph(step, registry);
  InterpreterRun run;
  run.batch = rows;
  run.feeds = feeds_of(model, graph);
  run.random = random_state(model.train->seed);
  run.random.domain = static_cast<std::uint32_t>(runtime::RandomDomain::training);
  return check_gradients(graph, registry, "loss", checked_parameters(step, graph), initial_variables(model),
                         run);
}

}  // namespace

HostVariables initial_variables(const ModelDefinition& model) {
  HostVariables variables;
  const std::uint64_t seed = model.train ? model.train->seed : TrainRecipe{}.seed;
  for (const Node& node : model.graph.nodes()) {
    if (!node.op->traits.variable) continue;
    const Extents extents = bind(node.type.shape, std::int64_t{1});
    std::vector<float> values(static_cast<std::size_t>(element_count(extents)));
    runtime::initialize(node.attributes.initializer("init"), node.name, extents, seed, values);
    variables[node.name] = {extents, std::vector<double>(values.begin(), values.end())};
  }
  return variables;
}

std::vector<StepGradients> check_gradients_by_step(const ModelDefinition& model, const OpRegistry& registry) {
  std::vector<StepGradients> all;
  std::set<std::string> seen;
  for (const BatchSteps& batch : steps_of_phases(model, registry)) {
    for (std::size_t i = 0; i < batch.steps.size(); ++i) {
      const LearningStep& step = batch.steps[i];
      const std::string what = to_text(step.forward) + fmt::format("{}", fmt::join(step.parameters, " "));
      if (!seen.insert(what).second) continue;
      std::string name = batch.name;
      if (batch.steps.size() > 1) name += fmt::format("{}step {}", name.empty() ? "" : ", ", i + 1);
      all.push_back({std::move(name), check_step(model, step, registry)});
    }
  }
  return all;
}

std::vector<GradientCheck> check_model_gradients(const ModelDefinition& model, const OpRegistry& registry) {
  std::vector<GradientCheck> all;
  for (StepGradients& step : check_gradients_by_step(model, registry))
    all.insert(all.end(), step.gradients.begin(), step.gradients.end());
  return all;
}

}  // namespace graphrun::train
