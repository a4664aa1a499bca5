// Users' names and the program's own: what is learnt, measured, fed and read is a node, whatever it is
// called.
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/greedy.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/programs.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::train;

namespace {

SharedDefinition model_of(const std::string& rest) {
  return parse_definition("graphrun: 1\nname: m\ninputs: {x: {shape: [batch, 2]}}\n" + rest, "m.yaml");
}

Examples columns(const std::string& name, std::span<const float> values) {
  return {.count = static_cast<std::int64_t>(values.size()) / 2,
          .columns = {{name, {ColumnKind::f32_values, 2, std::as_bytes(values)}}},
          .owner = {}};
}

std::vector<float> floats(const OutputValues& output) {
  const std::span<const float> values = as_floats(output);
  return {values.begin(), values.end()};
}

const std::vector<float> given = {1, 2, 3, 4};

}  // namespace

TEST_CASE("an output called loss is no objective") {
  const SharedDefinition model = model_of(
      "nodes: {w: {op: param, shape: [2], init: ones}, s: sum(w) * 0 + 42}\n"
      "outputs: {loss: s, w: 2 * w}\nloss: {r: sum(w * w)}\n"
      "train: {optimizer: {op: sgd, lr: 0.25}, batch: 2, epochs: 1}\n");
  Learner learner(model, {});
  learner.initialise();
  CHECK(learner.evaluate(columns("x", given)).at("loss") == 2);
  std::vector<float> figures(learner.training_figures().size());
  learner.step({}, 2, 0, figures);
  CHECK(figures == std::vector<float>{2, 2});
  CHECK(learner.weights().at("w") == std::vector<float>{0.5F, 0.5F});
  CHECK(floats(learner.run(asked_node(*model, "loss"), columns("x", given))) == std::vector<float>{42});
}

TEST_CASE("an output called as an input is not what data are fed to") {
  Learner learner(model_of("nodes: {h: x + 1}\noutputs: {x: h, image: 2 * h}\n"), {});
  CHECK(floats(learner.run({"image"}, columns("x", given)).front()) == std::vector<float>{4, 6, 8, 10});
  CHECK(floats(learner.run({"x"}, columns("x", given)).front()) == std::vector<float>{2, 3, 4, 5});
  CHECK(given_node(learner.model(), "x") == *learner.model().graph.find("x"));
  CHECK(asked_node(learner.model(), "x") == *learner.model().graph.find("h"));
}

TEST_CASE("a greedy layer is given its node, not an output of that name") {
  const SharedDefinition model = model_of(
      "nodes:\n"
      "  a: {op: dense, in: x, units: 2}\n  b: {op: dense, in: a, units: 2}\n"
      "  c: {op: dense, in: b, units: 2}\n  d: {op: dense, in: c, units: 2}\n"
      "outputs: {a: 100 * d}\nloss: {r: {op: mse, in: [d, x]}}\n"
      "train: {greedy: {encoder: [a, b], decoder: [c, d]}, epochs: 1}\n");
  Learner learner(model, {});
  learner.initialise();
  const Examples examples = columns("x", given);
  const Examples codes = layer_examples(learner, model->train->phases.front(), 1, examples, {});
  const OutputValues wanted = learner.run(*model->graph.find("a"), examples);
  CHECK(std::equal(wanted.bytes.begin(), wanted.bytes.end(), codes.columns.at("a").bytes.begin()));
}

TEST_CASE("a model with metrics alone is measured") {
  Learner learner(model_of("nodes: {h: x + 1}\nmetrics: {d: mean(h - x)}\n"), {});
  const Figures figures = learner.evaluate(columns("x", given));
  CHECK(figures.values.size() == 1);
  CHECK(figures.at("d") == 1);
}

TEST_CASE("a probability that would have to be learnt through draws is refused") {
  const auto message = [](const std::string& p) {
    Learner learner(model_of("nodes: {p: {op: param, shape: []}, w: {op: param, shape: [2], init: ones},\n"
                             "  b: {op: bernoulli, in: " +
                             p +
                             ", shape: [batch, 2]}}\n"
                             "loss: {r: mean(x * b * w)}\n"
                             "train: {optimizer: {op: sgd}, batch: 2, epochs: 1}\n"),
                    {});
    const auto error = thrown([&] { learner.prepare_training(2); });
    return error ? std::string(error->what()) : "fine";
  };
  CHECK(message("sigmoid(p)").find("no slope leads from it to its probability") != std::string::npos);
  CHECK(message("stop_gradient(sigmoid(p))") == "fine");
}
