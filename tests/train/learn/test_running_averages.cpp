// Running averages: learning moves them, evaluation and checkpoints use them.
#include <algorithm>
#include <filesystem>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/learn/checkpoint.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/running_averages.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::train;

namespace {

SharedDefinition model_of(const std::string& nodes) {
  return parse_definition("graphrun: 1\nname: m\ninputs: {x: {shape: [batch, 2]}}\nnodes:\n" + nodes +
                              "outputs: {image: y}\nloss:\n  error: {op: mse, in: [y, x]}\n"
                              "train: {optimizer: {op: sgd, lr: 0.1}, batch: 2, epochs: 1, seed: 1}\n",
                          "m.yaml");
}

void learn(Learner& learner, std::vector<float> x) {
  const runtime::Feed feed{"x", std::as_bytes(std::span(x))};
  std::vector<float> figures(learner.training_figures().size());
  learner.step(std::span(&feed, 1), static_cast<std::int64_t>(x.size()) / 2, 0, figures);
}

std::vector<float> values(const Learner& learner, const std::string& name) {
  const std::span<const float> all = learner.variables().find(name)->values;
  return {all.begin(), all.end()};
}

const char* const normalised = "  y: {op: batch_norm, in: x, momentum: 0.25, epsilon: 1.0e-30}\n";

}  // namespace

TEST_CASE("a step moves running averages by their momentum, and evaluation reads them") {
  Learner learner(model_of(normalised), {});
  learner.initialise();
  CHECK(values(learner, "y.mean") == std::vector<float>{0, 0});
  learn(learner, {1, 4, 3, 8});  // columns of mean 2 and 6, variance 1 and 4
  CHECK(values(learner, "y.mean") == std::vector<float>{0.5F, 1.5F});
  CHECK(values(learner, "y.variance") == std::vector<float>{1, 1.75F});
  learn(learner, {1, 4, 3, 8});
  CHECK(values(learner, "y.mean") == std::vector<float>{0.875F, 2.625F});

  const std::vector<float> x = {0.875F, 2.625F};
  Examples examples;
  examples.count = 1;
  examples.columns["x"] = {ColumnKind::f32_values, 2, std::as_bytes(std::span(x))};
  const OutputValues y = learner.run({"image"}, examples).front();
  CHECK(as_floats(y)[0] == Approx(values(learner, "y.shift")[0]).margin(1e-7));
}

TEST_CASE("a checkpoint keeps running averages") {
  const TemporaryFolder folder;
  Learner learner(model_of(normalised), {});
  learner.initialise();
  learn(learner, {1, 4, 3, 8});
  save_checkpoint(folder.path() / "a.safetensors", learner);
  Learner other(model_of(normalised), {});
  restore(other, Checkpoint(folder.path() / "a.safetensors"));
  CHECK(values(other, "y.mean") == values(learner, "y.mean"));
  CHECK(values(other, "y.variance") == values(learner, "y.variance"));
  Learner weights(model_of(normalised), {});
  restore_weights(weights, files::SafetensorsFile(folder.path() / "a.safetensors"));
  CHECK(values(weights, "y.mean") == values(learner, "y.mean"));
}

TEST_CASE("a running average must be a variable of its own that nothing learns") {
  const auto message = [](const std::string& nodes) {
    Learner learner(model_of(nodes), {});
    const auto error = thrown([&] { learner.prepare_training(2); });
    REQUIRE(error);
    CHECK(error->code() == ErrorCode::model);
    return std::string(error->what());
  };
  const auto contains = [](const std::string& text, const std::string& part) {
    INFO(text);
    return text.find(part) != std::string::npos;
  };
  const std::string start = "  w: {op: param, shape: [2], init: zeros}\n";
  CHECK(contains(message(start + "  m: {op: running_average, in: [\"sum(x, axis=0)\", w]}\n  y: x - m\n"),
                 "'w' must have `trainable: false`"));
  CHECK(contains(message(start + "  n: exp(w)\n  m: {op: running_average, in: [\"sum(x, axis=0)\", n]}\n"
                                 "  y: (x - m) * w\n"),
                 "'n' must be a param"));
  CHECK(contains(message("  a: {op: batch_norm, in: x, params: shared}\n"
                         "  y: {op: batch_norm, in: a, params: shared}\n"),
                 "'shared.mean' follows two values"));
}

TEST_CASE("an average that is read beside the value it follows is one variable") {
  const std::string nodes =
      "  m: {op: param, shape: [2], trainable: false}\n"
      "  h: {op: running_average, in: [\"mean(x, axis=0)\", m], momentum: 0.25}\n"
      "  w: {op: param, shape: [2], init: ones}\n"
      "  y: (x - h) * w + m\n";
  Learner learner(model_of(nodes), {});
  learner.initialise();
  learn(learner, {1, 4, 3, 8});
  CHECK(values(learner, "m") == std::vector<float>{0.5F, 1.5F});
  CHECK(learner.variables().all().size() == 2);
  // The loss reads what the step before has made of it.
  const std::vector<float> first = values(learner, "w");
  learn(learner, {1, 4, 3, 8});
  Learner still(model_of("  m: {op: param, shape: [2], trainable: false}\n"
                         "  w: {op: param, shape: [2], init: ones}\n"
                         "  y: (x - stop_gradient(mean(x, axis=0))) * w + m\n"),
                {});
  still.initialise();
  still.set_weights({{"m", {0.5F, 1.5F}}, {"w", first}});
  learn(still, {1, 4, 3, 8});
  CHECK(values(still, "w") == values(learner, "w"));
}

TEST_CASE("statistics of batch_norm in a loss are those that move") {
  Learner learner(model_of("  n: {op: batch_norm, in: x, momentum: 0.25}\n"
                           "  y: n * sqrt(n.variance) + n.mean\n"),
                  {});
  learner.initialise();
  learn(learner, {1, 4, 3, 8});
  CHECK(values(learner, "n.mean") == std::vector<float>{0.5F, 1.5F});
  CHECK(learner.variables().all().size() == 4);
}

TEST_CASE("averages of what is frozen do not move") {
  const auto moved = [](const std::string& trained) {
    const SharedDefinition model = parse_definition(
        "graphrun: 1\nname: m\ninputs: {x: {shape: [batch, 2]}}\nnodes:\n"
        "  a: {op: batch_norm, in: x}\n  b: {op: batch_norm, in: 2 * x + 1}\n"
        "  y: {op: dense, in: a + b, units: 2}\n"
        "loss: {error: {op: mse, in: [y, x]}}\n"
        "train: {optimizer: {op: sgd, lr: 0.1}, batch: 2, epochs: 1" +
            trained + "}\n",
        "m.yaml");
    Learner learner(model, {});
    learner.initialise();
    const Learner::Weights before = learner.weights();
    learn(learner, {1, 4, 3, 8});
    std::string names;
    for (const auto& [name, values] : learner.weights())
      if (values != before.at(name)) names += name + " ";
    return names;
  };
  CHECK(moved(", train: [y]") == "y.b y.w ");
  CHECK(moved(", train: [b]") == "b.gain b.mean b.shift b.variance ");
  CHECK(moved(", train: [y, a.mean]") == "a.mean y.b y.w ");
  CHECK(moved("") == "a.gain a.mean a.shift a.variance b.gain b.mean b.shift b.variance y.b y.w ");
}

TEST_CASE("what comes back through a pool and through the moments of the same images is one op") {
  Learner learner(parse_definition("graphrun: 1\nname: m\ninputs: {x: {shape: [batch, 6, 6, 2]}}\nnodes:\n"
                                   "  c: {op: conv2d, in: x, channels: 3, kernel: 3, pad: 1, bias: false}\n"
                                   "  n: {op: batch_norm, in: c}\n"
                                   "  p: {op: max_pool, in: relu(n), kernel: 2}\n"
                                   "loss: {error: {of: mean(square(p))}}\n"
                                   "train: {optimizer: {op: sgd, lr: 0.1}, batch: 2, epochs: 1, seed: 1}\n",
                                   "m.yaml"),
                  {});
  learner.prepare_training(2);
  const auto count = [&](const std::string& op) {
    return std::ranges::count(learner.training_graph().nodes(), op,
                              [](const Node& node) { return node.op->name; });
  };
  CHECK(count("normalised_pool_gradient") == 1);
  CHECK(count("extreme_pool_gradient") == 0);
}
