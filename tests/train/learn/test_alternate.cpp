// Steps that alternate: their order, their own optimizers, their own noise.
#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/phased_model.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/phases.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::train;

namespace {

/// Two numbers that are pulled by two losses; every draw of the noise moves `a`.
std::string tug(const std::string& train) {
  return R"yaml(
graphrun: 1
name: tug
inputs: {x: {shape: [batch, 1]}}
nodes:
  a: {op: param, shape: [1], init: zeros}
  b: {op: param, shape: [1], init: zeros}
  noise: {op: random_uniform, shape: [batch, 1]}
loss:
  first: mean(a * noise)
  second: mean(a * noise + b)
train:
  optimizer: {op: sgd, lr: 1}
  batch: 1
)yaml" + train;
}

/// The model after a few steps on one example.
struct Pulled {
  Pulled(const std::string& train, int steps)
      : model(parse_definition(tug(train), "tug.yaml")), learner(model, {}) {
    learner.initialise();
    figures.resize(learner.training_figures().size());
    const float x = 0;
    const runtime::Feed feed{"x", std::as_bytes(std::span(&x, 1))};
    for (int i = 0; i < steps; ++i) {
      learner.step(std::span(&feed, 1), 1, 0, figures);
      history.push_back(figures);
    }
  }
  double value(const char* name) { return static_cast<double>(learner.variables().get(name).values[0]); }
  SharedDefinition model;
  Learner learner;
  std::vector<float> figures;
  std::vector<std::vector<float>> history;
};

}  // namespace

TEST_CASE("each step learns its own variables by its own loss") {
  Pulled pulled(R"yaml(
  epochs: 1
  alternate: [{train: [a], loss: [first]}, {train: [b], loss: [second], optimizer: {op: sgd, lr: 0.25}}]
)yaml",
                3);
  CHECK(pulled.learner.training_figures() == std::vector<std::string>{"loss", "first", "loss", "second"});
  CHECK(pulled.value("a") < 0);
  CHECK(pulled.value("b") == -0.75);
  CHECK(pulled.learner.state().step == 3);
  CHECK(pulled.learner.state().updates == 6);
}

TEST_CASE("a step with every waits for its turn, and its optimizer counts its own steps") {
  Pulled pulled(R"yaml(
  epochs: 1
  alternate: [{train: [a], loss: [first]}, {train: [b], loss: [second], every: 3}]
)yaml",
                7);
  CHECK(pulled.value("b") == -2);  // after steps 3 and 6
  for (std::size_t step = 0; step < pulled.history.size(); ++step)
    CHECK(std::isnan(pulled.history[step][3]) == ((step + 1) % 3 != 0));
  CHECK(pulled.learner.state().updates == 7 + 2);
  FigureSum sum(pulled.learner.training_figures());
  for (const std::vector<float>& figures : pulled.history) sum.add_learnt(figures, 1);
  CHECK(sum.figure_rows()[0] == 7);
  CHECK(sum.figure_rows()[3] == 2);
  CHECK(sum.loss() == Approx(sum.means().at("first") + sum.means().at("second")));
}

TEST_CASE("each step of a batch draws fresh noise") {
  // The gradient of `a` is the noise itself: two steps that share it would move `a` by twice the same.
  const std::string twice = R"yaml(
  epochs: 1
  alternate: [{train: [a], loss: [first]}, {train: [a], loss: [first]}]
)yaml";
  Pulled once(R"yaml(
  epochs: 1
  train: [a]
  loss: [first]
)yaml",
              1);
  Pulled pulled(twice, 1);
  CHECK(pulled.value("a") != 2 * once.value("a"));
  Pulled again(twice, 1);
  CHECK(pulled.value("a") == again.value("a"));
}

TEST_CASE("steps that learn the same variables keep their optimizers apart") {
  const auto model = parse_definition(phased_model("  epochs: 1\n"
                                                   "  alternate:\n"
                                                   "    - {train: [enc], loss: [reconstruction]}\n"
                                                   "    - {train: [enc], loss: [class]}\n"),
                                      "phased.yaml");
  Learner learner(model, {});
  learner.training_program();
  CHECK(learner.variables().find("adam-1/enc.0.w/m") != nullptr);
  CHECK(learner.variables().find("adam-2/enc.0.w/m") != nullptr);
  CHECK(learner.variables().find("adam/enc.0.w/m") == nullptr);
}

TEST_CASE("a stop between the steps of a batch lets all of them be done") {
  const std::string train = R"yaml(
  epochs: 1
  alternate: [{train: [a], loss: [first]}, {train: [b], loss: [second]}]
)yaml";
  Pulled expected(train, 1);
  const auto model = parse_definition(tug(train), "tug.yaml");
  std::stop_source source;
  std::size_t first_tasks = 0;
  std::size_t begun = 0;
  runtime::SessionOptions options;
  options.executor = runtime::ExecutorKind::serial;
  options.before_task = [&](std::size_t) {
    if (++begun > first_tasks) source.request_stop();  // the first step is done
  };
  Learner learner(model, options);
  first_tasks = learner.prepare_training(1).tasks.size();
  learner.initialise();
  std::vector<float> figures(learner.training_figures().size());
  const float x = 0;
  const runtime::Feed feed{"x", std::as_bytes(std::span(&x, 1))};
  learner.step(std::span(&feed, 1), 1, 0, figures, source.get_token());
  CHECK(source.stop_requested());
  CHECK(learner.state().step == 1);
  CHECK(learner.variables().get("b").values[0] == -1);
  CHECK(learner.digest() == expected.learner.digest());
  // The next batch is not begun.
  CHECK_THROWS_AS(learner.step(std::span(&feed, 1), 1, 0, figures, source.get_token()), Error);
  CHECK(learner.digest() == expected.learner.digest());
}

TEST_CASE("when a later step of a batch is not finite, those before it are undone") {
  const auto model = parse_definition(R"yaml(graphrun: 1
name: root
inputs: {x: {shape: [batch, 1]}}
nodes:
  a: {op: param, shape: [1], init: zeros}
  b: {op: param, shape: [1], init: zeros}
  c: {op: param, shape: [1], init: zeros}
loss:
  first: mean(a * x * random_uniform(shape=[batch, 1]))
  second: mean(b * x)
  third: mean(c * sqrt(b + 2.5))
train:
  optimizer: {op: sgd, lr: 1}
  batch: 1
  epochs: 1
  alternate:
    - {train: [a], loss: [first], optimizer: {op: sgd, lr: 1, momentum: 0.5}}
    - {train: [b], loss: [second]}
    - {train: [c], loss: [third]}
)yaml",
                                      "root.yaml");
  const auto step = [](Learner& learner, float x) {
    std::vector<float> figures(learner.training_figures().size());
    const runtime::Feed feed{"x", std::as_bytes(std::span(&x, 1))};
    learner.step(std::span(&feed, 1), 1, 0, figures);
  };
  Learner learner(model, {});
  Learner expected(model, {});
  for (Learner* each : {&learner, &expected}) {
    each->training_program();
    each->initialise();
    step(*each, 1);
    step(*each, 1);
  }
  const std::string before = learner.digest();
  CHECK(throws([&] { step(learner, 1); }, ErrorCode::not_finite, "sqrt"));  // of -0.5
  CHECK(learner.digest() == before);
  CHECK(learner.state().step == 2);
  for (Learner* each : {&learner, &expected}) step(*each, -1);
  CHECK(learner.digest() == expected.digest());  // the momentum and the noise are as if nothing had been
}
