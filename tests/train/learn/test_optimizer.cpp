// Optimizers against trajectories of an independent implementation (tests/goldens), and what goes wrong.
#include <fstream>
#include <nlohmann/json.hpp>

#include "autograd/gradients.hpp"
#include "graph/interpreter.hpp"
#include "language/recipe/optimizer_kind.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/thrown.hpp"
#include "train/learn/optimizer.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using Json = nlohmann::json;

namespace {

Json goldens() {
  std::ifstream file(testing::in_source("/tests/goldens/optimizers.json"));
  return Json::parse(file);
}

/// Rows of numbers, or numbers, as a tensor.
HostTensor tensor(const Json& json) {
  HostTensor result;
  result.extents.push_back(static_cast<std::int64_t>(json.size()));
  if (json[0].is_array()) result.extents.push_back(static_cast<std::int64_t>(json[0].size()));
  for (const Json& row : json) {
    if (!row.is_array()) result.values.push_back(row.get<double>());
    for (const Json& value : row.is_array() ? row : Json::array())
      result.values.push_back(value.get<double>());
  }
  return result;
}

OptimizerRecipe recipe_of(const Json& settings) {
  OptimizerRecipe recipe;
  for (const auto& [name, value] : settings.items()) {
    const double number = value.is_string()    ? 0
                          : value.is_boolean() ? (value.get<bool>() ? 1 : 0)
                                               : value.get<double>();
    if (name == "op") {
      recipe.op = value.get<std::string>();
    } else if (name == "lr") {
      recipe.learning_rate = Schedule::constant(number);
    } else if (name == "clip_value") {
      recipe.clip_value = number;
    } else if (name == "clip_norm") {
      recipe.clip_norm = number;
    } else {
      recipe.settings[name] = number;
    }
  }
  return recipe;
}

/// tanh(x @ w + b) against y by mean squared error, with gradients and updates.
Graph training_graph(const OptimizerRecipe& recipe) {
  Maker maker;
  const Term x = maker.input("x", batch_of({3}));
  const Term target = maker.input("y", batch_of({2}));
  const Term w = maker.param("w", shape({3, 2}));
  const Term b = maker.param("b", shape({2}));
  const Term error = call("square", {call("tanh", {matmul(x, w) + b}) - target});
  const Term loss = sum(error) / call("size", {error});
  maker.output("loss", loss);
  const std::vector<NodeId> parameters = {w, b};
  const std::vector<NodeId> gradients = append_gradients(maker.builder, loss, parameters);
  maker.builder.output("gradient.w", gradients[0]);
  maker.builder.output("gradient.b", gradients[1]);
  train::append_updates(maker.builder, loss, parameters, gradients, recipe);
  return maker.finish();
}

/// The state of a run: parameters by name, slots at their start.
HostVariables start(const Graph& graph, const Json& all) {
  HostVariables variables = {{"w", tensor(all["w"])}, {"b", tensor(all["b"])}};
  for (const Node& node : graph.nodes()) {
    if (!node.op->traits.variable || node.attributes.flag("trainable")) continue;
    const Initializer& init = node.attributes.initializer("init");
    HostTensor slot{graphrun::bind(node.type.shape, 1), {}};
    slot.values.assign(static_cast<std::size_t>(element_count(slot.extents)),
                       init.arguments.empty() ? 0.0 : init.arguments[0].second);
    variables[node.name] = std::move(slot);
  }
  return variables;
}

InterpreterRun step(const Graph& graph, const OptimizerRecipe& recipe, const Json& all,
                    std::uint64_t number) {
  InterpreterRun run{.batch = 4, .feeds = {{"x", tensor(all["x"])}, {"y", tensor(all["y"])}}};
  for (const Node& node : graph.nodes()) {
    if (!node.op->traits.input || !train::is_optimizer_scalar(node.name)) continue;
    run.feeds[node.name] = {{}, {train::optimizer_scalar(recipe, node.name, {.step = number})}};
  }
  return run;
}

void compare(const std::vector<double>& got, std::vector<double>::const_iterator& wanted) {
  for (const double value : got) CHECK(value == Approx(*wanted++).epsilon(1e-10).margin(1e-14));
}

std::vector<double> numbers(const Json& json) {
  return json.get<std::vector<double>>();
}

OptimizerRecipe named(std::string op, std::map<std::string, double> settings = {}) {
  OptimizerRecipe recipe;
  recipe.op = std::move(op);
  recipe.settings = std::move(settings);
  return recipe;
}

}  // namespace

TEST_CASE("every optimizer follows PyTorch's trajectory in f64") {
  const Json all = goldens();
  std::vector<std::string> seen;
  for (const auto& [name, golden] : all.items()) {
    if (!golden.is_object()) continue;
    INFO(name);
    const OptimizerRecipe recipe = recipe_of(golden["optimizer"]);
    seen.push_back(recipe.op);
    const Graph graph = training_graph(recipe);
    HostVariables variables = start(graph, all);
    for (std::size_t i = 0; i < golden["loss"].size(); ++i) {
      INFO("step " << i);
      const std::vector<HostTensor> values = interpret(graph, variables, step(graph, recipe, all, i));
      CHECK(values[graph.output("loss")].values[0] == Approx(golden["loss"][i].get<double>()).epsilon(1e-10));
      const std::vector<double> gradients = numbers(golden["gradients"][i]);
      auto gradient = gradients.begin();
      compare(values[graph.output("gradient.w")].values, gradient);
      compare(values[graph.output("gradient.b")].values, gradient);
      const std::vector<double> parameters = numbers(golden["parameters"][i]);
      auto parameter = parameters.begin();
      compare(variables.at("w").values, parameter);
      compare(variables.at("b").values, parameter);
    }
  }
  for (const OptimizerKind& kind : optimizer_kinds()) {
    INFO(kind.name);
    CHECK(std::find(seen.begin(), seen.end(), kind.name) != seen.end());
  }
}

TEST_CASE("slots are named for the checkpoint, not trained, and start where they should") {
  const Graph graph = training_graph(named("adagrad", {{"initial_accumulator", 0.25}}));
  const std::optional<NodeId> slot = graph.find("adagrad/w/sum");
  REQUIRE(slot.has_value());
  const Node& node = graph.node(*slot);
  CHECK(node.type.shape == shape({3, 2}));
  CHECK_FALSE(node.attributes.flag("trainable"));
  CHECK(node.attributes.initializer("init") == Initializer{"constant", {{"value", 0.25}}});
  const Graph adam = training_graph(named("adam"));
  for (const char* const name : {"adam/w/m", "adam/w/v", "adam/b/m", "adam/b/v"}) {
    INFO(name);
    CHECK(adam.find(name).has_value());
  }
}

TEST_CASE("every update waits for a finite loss") {
  const OptimizerRecipe recipe = named("sgd");
  const Graph graph = training_graph(recipe);
  const NodeId finite = graph.find("optimizer/loss_is_finite").value();
  std::size_t updates = 0;
  for (const Node& node : graph.nodes()) {
    if (node.op->writes.empty()) continue;
    ++updates;
    CHECK(node.controls == std::vector<NodeId>{finite});
  }
  CHECK(updates == 2);
  const Json all = goldens();
  HostVariables variables = start(graph, all);
  const HostVariables before = variables;
  InterpreterRun run = step(graph, recipe, all, 0);
  run.feeds["y"].values[3] = std::numeric_limits<double>::infinity();
  CHECK(throws([&] { interpret(graph, variables, run); }, ErrorCode::not_finite, "must be finite"));
  CHECK(variables.at("w").values == before.at("w").values);
}

TEST_CASE("the host's scalars: schedules, bias corrections, decay") {
  OptimizerRecipe recipe = named("adam");
  recipe.learning_rate = {
      .shape = Schedule::Shape::linear, .from = 1, .to = 0, .length = 10, .unit = Schedule::Unit::steps};
  CHECK(train::optimizer_scalar(recipe, "optimizer/learning_rate", {.step = 5}) == Approx(0.5));
  CHECK(train::optimizer_scalar(recipe, "optimizer/correction1", {.step = 0}) == Approx(0.1).epsilon(1e-14));
  CHECK(train::optimizer_scalar(recipe, "optimizer/correction2", {.step = 1}) ==
        Approx(1 - 0.999 * 0.999).epsilon(1e-13));
  CHECK(train::optimizer_scalar(recipe, "optimizer/correction1", {.step = 1'000'000}) == 1.0);
  const OptimizerRecipe without_memory = named("adam", {{"beta1", 0.0}});
  CHECK(train::optimizer_scalar(without_memory, "optimizer/correction1", {.step = 0}) == 1.0);
  OptimizerRecipe falling = named("adagrad", {{"lr_decay", 0.5}});
  falling.learning_rate = Schedule::constant(1);
  CHECK(train::optimizer_scalar(falling, "optimizer/learning_rate", {.step = 2}) == Approx(0.5));
  // The momenta of the first steps by hand, and what the shares go to.
  const OptimizerRecipe ahead = named("nadam", {{"momentum_decay", 1.0}});
  const double mu1 = 0.9 * (1 - 0.5 * 0.96);
  const double mu2 = 0.9 * (1 - 0.5 * 0.96 * 0.96);
  CHECK(train::optimizer_scalar(ahead, "optimizer/gradient_share", {.step = 0}) == Approx(1).epsilon(1e-14));
  CHECK(train::optimizer_scalar(ahead, "optimizer/gradient_share", {.step = 1}) ==
        Approx((1 - mu2) / (1 - mu1 * mu2)).epsilon(1e-14));
  CHECK(train::optimizer_scalar(ahead, "optimizer/mean_share", {.step = 0}) ==
        Approx(mu2 / (1 - mu1 * mu2)).epsilon(1e-14));
  CHECK(train::optimizer_scalar(ahead, "optimizer/mean_share", {.step = 1'000'000}) == Approx(0.9));
  CHECK(throws([&] { train::optimizer_scalar(recipe, "x", {}); }, ErrorCode::internal,
               "no optimizer is fed 'x'"));
  CHECK_FALSE(train::is_optimizer_scalar("learning_rate"));
}

TEST_CASE("settings that make no sense are refused") {
  const auto refused = [](const OptimizerRecipe& recipe, const std::string& message) {
    INFO(message);
    CHECK(throws([&] { check_optimizer(recipe); }, ErrorCode::model, message));
  };
  refused(named("adm"), "there is no optimizer 'adm'; there are: sgd, adam, adamw, nadam, rmsprop, adagrad");
  refused(named("adam", {{"momentum", 0.9}}),
          "adam has no setting 'momentum'; it has: lr, clip_value, clip_norm, beta1");
  refused(named("adam", {{"beta1", 1.0}}), "beta1 of adam is at least 0 and below 1, not 1");
  refused(named("adam", {{"eps", -1.0}}), "eps of adam is above 0, not -1");
  refused(named("sgd", {{"nesterov", 0.5}, {"momentum", 0.5}}), "nesterov of sgd is true or false");
  refused(named("sgd", {{"nesterov", 1.0}}), "give momentum");
  OptimizerRecipe clipped = named("sgd");
  clipped.clip_norm = 0.0;
  refused(clipped, "clip_norm is above 0, not 0");
  clipped.clip_norm.reset();
  clipped.clip_value = -1.0;
  refused(clipped, "clip_value is above 0");
  CHECK(throws([] { setting_of(named("sgd"), "beta1"); }, ErrorCode::internal, "has no setting 'beta1'"));
}
