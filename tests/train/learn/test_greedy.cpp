// A layer that is trained greedily is an autoencoder of its own: compared with that autoencoder, bit by bit.
#include <algorithm>

#include "ops/op.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/phased_model.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/greedy.hpp"
#include "train/learn/phases.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::train;

namespace {

SharedDefinition layered(const std::string& more = "") {
  return parse_definition(phased_model("  epochs: 2\n"
                                       "  greedy: {encoder: [enc, code], decoder: [dec, recon]" +
                                       more + "}\n"),
                          "phased.yaml");
}

/// The outer pair alone, written by hand, with the parameters' names.
const char* const outer_pair = R"yaml(
graphrun: 1
name: pair
inputs: {x: {shape: [batch, 784]}}
nodes:
  enc: {op: dense, in: x, repeat: [24], units: $item, act: tanh}
  recon: {op: dense, in: enc, units: 784, act: sigmoid}
loss: {reconstruction: {op: mse, in: [recon, x]}}
train: {optimizer: {op: adam, lr: 2.0e-3}, batch: 64, epochs: 2, seed: 1}
)yaml";

Learner learner_of(const SharedDefinition& model) {
  runtime::SessionOptions options;
  options.executor = runtime::ExecutorKind::serial;
  return Learner(model, options);
}

bool same(const Learner& a, const Learner& b, const std::string& name) {
  const auto& left = a.variables().find(name)->values;
  const auto& right = b.variables().find(name)->values;
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

}  // namespace

TEST_CASE("the first layer learns as the outer pair does that is written by hand") {
  const SharedDefinition model = layered();
  const SharedDefinition pair = parse_definition(outer_pair, "pair.yaml");
  const Dataset data = load_model_data(*model);
  const auto images = std::make_shared<const ImageSet>(data.train);
  Learner greedy = learner_of(model);
  PhaseObserver nobody;
  const Examples examples = bind_images(*model, images);
  Phases phases(greedy, examples);
  REQUIRE(phases.run(nobody, 32, {}) == LoopEnd::finished);  // two epochs of 16 batches: one layer
  Learner alone = learner_of(pair);
  LoopObserver no_one;
  learn(alone, bind_images(*pair, images), loop_options(*pair->train), no_one);
  CHECK(same(greedy, alone, "enc.0.w"));
  CHECK(same(greedy, alone, "enc.0.b"));
  CHECK(same(greedy, alone, "recon.w"));
  Learner fresh = learner_of(model);
  fresh.initialise();
  for (const char* const name : {"enc.1.w", "code.w", "dec.0.w", "dec.1.w", "logits.w"})
    CHECK(same(greedy, fresh, name));  // the others wait
  // The next layer learns from the codes of the finished one, which stays.
  REQUIRE(phases.run(nobody, 64, {}) == LoopEnd::finished);
  CHECK(same(greedy, alone, "enc.0.w"));
  CHECK(same(greedy, alone, "recon.w"));
  CHECK_FALSE(same(greedy, fresh, "enc.1.w"));
  CHECK_FALSE(same(greedy, fresh, "dec.1.w"));
  CHECK(same(greedy, fresh, "code.w"));
}

TEST_CASE("what a layer is given are the codes of the finished layers") {
  const SharedDefinition model = layered();
  const Dataset data = load_model_data(*model);
  const Examples examples = first_of(bind_images(*model, std::make_shared<const ImageSet>(data.train)), 20);
  Learner learner = learner_of(model);
  learner.initialise();
  const PhaseRecipe& phase = model->train->phases.front();
  CHECK(layer_examples(learner, phase, 0, examples, {}).columns.contains("x"));
  const Examples codes = layer_examples(learner, phase, 1, examples, {});
  CHECK(codes.count == 20);
  CHECK(codes.columns.at("enc.0").row_elements == 24);
  const OutputValues expected = learner.run({"enc.0"}, examples).front();
  CHECK(std::equal(expected.bytes.begin(), expected.bytes.end(), codes.columns.at("enc.0").bytes.begin()));
}

TEST_CASE("corruption changes what is learnt, not what is reconstructed") {
  const SharedDefinition model = layered(", corrupt: {op: masking, amount: 0.9999999}");
  const Dataset data = load_model_data(*model);
  const Examples examples = bind_images(*model, std::make_shared<const ImageSet>(data.train));
  Learner learner = learner_of(model);
  learner.initialise();
  const Learner::Weights before = learner.weights();
  PhaseObserver nobody;
  Phases phases(learner, examples);
  phases.run(nobody, 8, {});
  // Everything is dropped: nothing reaches the weight, while the biases learn the mean image.
  CHECK(learner.weights().at("enc.0.w") == before.at("enc.0.w"));
  CHECK(learner.weights().at("recon.b") != before.at("recon.b"));
}

TEST_CASE("a layer that needs more than the layer before is refused") {
  const auto model = parse_definition(R"yaml(
graphrun: 1
name: skip
inputs: {x: {shape: [batch, 8]}}
blocks:
  wide:
    in: [h, x]
    nodes: {y: {op: dense, in: "concat(h, x, axis=1)", units: 4}}
    out: y
nodes:
  a: {op: dense, in: x, units: 4}
  b: {op: wide, in: [a, x]}
  c: {op: dense, in: b, units: 4}
  d: {op: dense, in: c, units: 8}
loss: {rec: {op: mse, in: [d, x]}}
train: {epochs: 1, greedy: {encoder: [a, b], decoder: [c, d]}}
)yaml",
                                      "skip.yaml");
  CHECK(throws([&] { steps_of_phases(*model, ops::registry()); }, ErrorCode::model,
               "'b' needs the input 'x' beside 'a'"));
}
