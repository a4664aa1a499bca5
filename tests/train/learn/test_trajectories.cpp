// Learning, step by step, against an independent implementation: see tests/goldens/README.md.
#include <algorithm>
#include <cmath>

#include "graph/passes/cut.hpp"
#include "ops/op.hpp"
#include "tests/support/catch.hpp"
#include "tests/train/learn/golden.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/optimizer.hpp"
#include "train/learn/programs.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

double relative_error(double value, double expected) {
  return std::abs(value - expected) / std::max(std::abs(expected), 1e-300);
}

ModelDefinition golden_model(const Golden& golden) {
  return *train::load_definition(golden.model, golden.settings);
}

/// The training program, with what the golden run was given, noise among it, in place of what is drawn.
train::Program golden_program(const Golden& golden, const ModelDefinition& model) {
  train::LearningStep step = train::steps_of_phases(model, ops::registry()).front().steps.front();
  step.forward = cut(std::move(step.forward), ops::registry(), golden.feeds);
  return train::training_program(step, ops::registry());
}

/// Variables of the training graph: weights by the rule, everything else zeros.
HostVariables golden_variables(const Golden& golden, const Graph& graph) {
  HostVariables variables;
  for (const Node& node : graph.nodes()) {
    if (!node.op->traits.variable) continue;
    const Extents extents = bind(node.type.shape, std::int64_t{1});
    variables[node.name] = {extents, std::vector<double>(static_cast<std::size_t>(element_count(extents)))};
  }
  for (const GoldenParameter& parameter : golden.parameters) {
    REQUIRE(variables.contains(parameter.name));
    REQUIRE(variables[parameter.name].extents == parameter.extents);
    variables[parameter.name].values = golden_weights(parameter);
  }
  return variables;
}

std::map<std::string, HostTensor> golden_feeds(const Golden& golden, const ModelDefinition& model,
                                               const train::Program& program, std::uint64_t step) {
  std::map<std::string, HostTensor> feeds;
  for (const train::ProgramInput& input : program.inputs) {
    if (std::find(golden.feeds.begin(), golden.feeds.end(), input.name) != golden.feeds.end()) {
      feeds[input.name] = golden_feed(golden, input.name, step);
    } else {
      REQUIRE(train::is_optimizer_scalar(input.name));
      feeds[input.name] = {{}, {train::optimizer_scalar(model.train->optimizer, input.name, {.step = step})}};
    }
  }
  return feeds;
}

/// The largest relative error of the loss over all steps, on the f64 reference.
double worst_reference_error(const std::string& name) {
  const Golden golden = read_golden(name);
  const ModelDefinition model = golden_model(golden);
  const train::Program program = golden_program(golden, model);
  HostVariables variables = golden_variables(golden, *program.graph);
  const NodeId loss = program.graph->output("loss");
  double worst = 0;
  for (std::uint64_t step = 0; step < golden.steps; ++step) {
    InterpreterRun run;
    run.batch = golden.batch;
    run.feeds = golden_feeds(golden, model, program, step);
    const std::vector<HostTensor> values = interpret(*program.graph, variables, run);
    worst = std::max(worst, relative_error(values[loss].values.at(0), golden.loss.at(step)));
  }
  return worst;
}

/// The same in f32, on plans.
std::vector<double> plan_errors(const std::string& name, std::uint64_t steps) {
  const Golden golden = read_golden(name);
  train::Learner learner(std::make_shared<const ModelDefinition>(golden_model(golden)), {});
  for (const GoldenParameter& parameter : golden.parameters) {
    runtime::VariableStore::Variable& variable = learner.variables().get(parameter.name);
    const std::vector<double> values = golden_weights(parameter);
    std::transform(values.begin(), values.end(), variable.values.begin(),
                   [](double value) { return static_cast<float>(value); });
    variable.initialised = true;
  }
  learner.prepare_training(golden.batch);
  learner.initialise();
  std::vector<double> errors;
  std::vector<float> figures(learner.training_figures().size());
  for (std::uint64_t step = 0; step < steps; ++step) {
    const std::vector<double> batch = golden_batch(golden, step);
    const std::vector<float> pixels(batch.begin(), batch.end());
    const runtime::Feed feed{"x", std::as_bytes(std::span(pixels))};
    learner.step(std::span(&feed, 1), golden.batch, 0, figures);
    errors.push_back(relative_error(static_cast<double>(figures[0]), golden.loss.at(step)));
  }
  return errors;
}

}  // namespace

TEST_CASE("the rule of the golden weights is followed") {
  for (const std::string name : {"autoencoder", "stacked_ae", "denoising_ae", "vae"}) {
    for (const GoldenParameter& parameter : read_golden(name).parameters) {
      const std::vector<double> values = golden_weights(parameter);
      CHECK(values.front() == parameter.first);
      CHECK(values.back() == parameter.last);
    }
  }
}

TEST_CASE("the f64 reference learns as NumPy and PyTorch do: the lecture's network", "[single-threaded]") {
  CHECK(worst_reference_error("autoencoder") < 1e-10);
}
TEST_CASE("the f64 reference learns as NumPy and PyTorch do: stacked", "[single-threaded]") {
  CHECK(worst_reference_error("stacked_ae") < 1e-10);
}
TEST_CASE("the f64 reference learns as NumPy and PyTorch do: denoising", "[single-threaded]") {
  CHECK(worst_reference_error("denoising_ae") < 1e-10);
}
TEST_CASE("the f64 reference learns as NumPy and PyTorch do: variational", "[single-threaded]") {
  CHECK(worst_reference_error("vae") < 1e-10);
}

TEST_CASE("in f32 the lecture's network stays within 1e-5 over all steps") {
  const std::vector<double> errors = plan_errors("autoencoder", 100);
  CHECK(*std::max_element(errors.begin(), errors.end()) < 1e-5);
}

TEST_CASE("in f32 a network of ReLU stays close for its first steps") {
  // Rounding flips single units from step to step, so only the beginning can be compared.
  const std::vector<double> errors = plan_errors("stacked_ae", 10);
  CHECK(*std::max_element(errors.begin(), errors.end()) < 1e-5);
}
