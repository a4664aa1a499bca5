// Recurrent layers: which tensors of PyTorch's and Keras's are theirs, and back.
#include <algorithm>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "tests/weights/file_maker.hpp"
#include "train/learn/definition.hpp"
#include "weights/foreign.hpp"
#include "weights/save.hpp"

using namespace graphrun;
using graphrun::testing::FileMaker;
using graphrun::testing::TemporaryFolder;
using weights::Convention;

namespace {

train::SharedDefinition parsed(const std::string& nodes) {
  return train::parse_definition(
      "graphrun: 1\nname: m\ninputs: {x: {shape: [batch, 5, 3]}}\nnodes:\n" + nodes + "outputs: {code: y}\n",
      "model.yaml");
}

train::Learner::Weights taken(const ModelDefinition& model, const files::SafetensorsFile& file,
                              weights::ForeignOptions options = {}) {
  return weights::read(weights::match(model, file, options), file);
}

/// What nn.LSTM or nn.GRU has, of so many gates, for each of its layers: sizes of inputs, "_reverse" or not.
FileMaker& add_module(FileMaker& maker, const std::string& name, std::size_t gates, std::size_t inputs,
                      const std::string& layer) {
  return maker.add(name + "weight_ih_" + layer, {gates, inputs})
      .add(name + "weight_hh_" + layer, {gates, 2})
      .add(name + "bias_ih_" + layer, {gates})
      .add(name + "bias_hh_" + layer, {gates});
}

std::vector<float> sum_of(const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<float> sum(a.size());
  std::ranges::transform(a, b, sum.begin(), std::plus<>());
  return sum;
}

}  // namespace

TEST_CASE("an lstm's weights are turned, and its two biases are one") {
  const auto model = parsed("  rnn: {op: lstm, in: x, units: 2}\n  y: {op: dense, in: rnn.last, units: 2}\n");
  const TemporaryFolder folder;
  FileMaker maker;
  add_module(maker, "rnn.", 8, 3, "l0").add("head.weight", {2, 2}).add("head.bias", {2});
  const files::SafetensorsFile file = maker.write(folder);
  const train::Learner::Weights values = taken(*model, file);
  REQUIRE(values.size() == 5);
  CHECK(values.at("rnn.b") == sum_of(maker.values(2), maker.values(3)));
  CHECK(values.at("rnn.w")[1] == maker.values(0)[3]);
  CHECK(values.at("rnn.u")[8] == maker.values(1)[1]);
  CHECK(values.at("y.b") == maker.values(5));
  const weights::ForeignWeights found = weights::match(*model, file, {});
  CHECK(found.left_out.empty());
  CHECK(graphrun::testing::contains(weights::table_of(found),
                                    "rnn.bias_ih_l0 f32[8] -> rnn.b [8], rnn.bias_hh_l0 added"));
}

TEST_CASE("layers of a recurrent module keep their order and their direction") {
  const auto model = parsed(
      "  a: {op: gru, in: x, units: 2}\n  b: {op: gru, in: x, units: 2, reverse: true}\n"
      "  ab: {op: concat, in: [a.h, b.h], axis: 2}\n"
      "  c: {op: gru, in: ab, units: 2}\n  d: {op: gru, in: ab, units: 2, reverse: true}\n"
      "  y: {op: add, in: [c.last, d.last]}\n");
  const TemporaryFolder folder;
  FileMaker maker;
  for (const char* const layer : {"l0", "l0_reverse"}) add_module(maker, "model.net.", 6, 3, layer);
  for (const char* const layer : {"l1", "l1_reverse"}) add_module(maker, "model.net.", 6, 4, layer);
  const train::Learner::Weights values = taken(*model, maker.write(folder));
  CHECK(values.at("a.b") == maker.values(2));
  CHECK(values.at("a.recurrent") == maker.values(3));
  CHECK(values.at("b.b") == maker.values(6));
  CHECK(values.at("c.b") == maker.values(10));
  CHECK(values.at("d.recurrent") == maker.values(15));
}

TEST_CASE("Keras has an lstm's weights as graphrun") {
  const auto model = parsed("  rnn: {op: lstm, in: x, units: 2}\n  y: relu(rnn.last)\n");
  const TemporaryFolder folder;
  FileMaker maker;
  maker.add("lstm/lstm_cell/kernel:0", {3, 8})
      .add("lstm/lstm_cell/recurrent_kernel:0", {2, 8})
      .add("lstm/lstm_cell/bias:0", {8});
  const train::Learner::Weights values =
      taken(*model, maker.write(folder), {.convention = Convention::keras});
  CHECK(values.at("rnn.w") == maker.values(0));
  CHECK(values.at("rnn.u") == maker.values(1));
  CHECK(values.at("rnn.b") == maker.values(2));
}

TEST_CASE("Keras has the update gate of a gru first, and both its biases in one tensor") {
  const auto model = parsed("  rnn: {op: gru, in: x, units: 2}\n  y: relu(rnn.last)\n");
  const TemporaryFolder folder;
  FileMaker maker;
  maker.add("gru/gru_cell/kernel", {3, 6})
      .add("gru/gru_cell/recurrent_kernel", {2, 6})
      .add("gru/gru_cell/bias", {2, 6});
  const files::SafetensorsFile file = maker.write(folder);
  const weights::ForeignWeights found = weights::match(*model, file, {.convention = Convention::keras});
  CHECK(found.left_out.empty());
  CHECK(graphrun::testing::contains(weights::table_of(found), "its row 1, reset and update gate swapped"));
  const train::Learner::Weights values = weights::read(found, file);
  // Update, reset and value, two units each, are reset, update and value.
  const auto row = [&](std::size_t tensor, std::size_t first) {
    std::vector<float> numbers;
    for (const std::size_t column : {2U, 3U, 0U, 1U, 4U, 5U})
      numbers.push_back(maker.values(tensor)[first * 6 + column]);
    return numbers;
  };
  const auto last_row = [](const std::vector<float>& all) {
    return std::vector<float>(all.end() - 6, all.end());
  };
  CHECK(last_row(values.at("rnn.w")) == row(0, 2));
  CHECK(last_row(values.at("rnn.u")) == row(1, 1));
  CHECK(values.at("rnn.b") == row(2, 0));
  CHECK(values.at("rnn.recurrent") == row(2, 1));
}

TEST_CASE("a gru of Keras that resets before its product is another function, and refused") {
  const auto model = parsed("  rnn: {op: gru, in: x, units: 2}\n  y: relu(rnn.last)\n");
  const TemporaryFolder folder;
  FileMaker maker;
  maker.add("gru/gru_cell/kernel", {3, 6})
      .add("gru/gru_cell/recurrent_kernel", {2, 6})
      .add("gru/gru_cell/bias", {6});
  const files::SafetensorsFile file = maker.write(folder);
  const auto error =
      graphrun::testing::thrown([&] { weights::match(*model, file, {.convention = Convention::keras}); });
  REQUIRE(error);
  CHECK(graphrun::testing::contains(error->what(),
                                    "a GRU of Keras with reset_after=False is another function"));
}

TEST_CASE("a tensor without axes in the place of a gru's weights is refused as any other that does not fit") {
  const auto model = parsed("  rnn: {op: gru, in: x, units: 2}\n  y: relu(rnn.last)\n");
  const TemporaryFolder folder;
  FileMaker maker;
  maker.add("gru/gru_cell/kernel", {3, 6})
      .add("gru/gru_cell/recurrent_kernel", {})
      .add("gru/gru_cell/bias", {6});
  const files::SafetensorsFile file = maker.write(folder);
  CHECK(graphrun::testing::throws([&] { weights::match(*model, file, {.convention = Convention::keras}); },
                                  ErrorCode::data, "it has no module that could be 'rnn'"));
}

TEST_CASE(
    "what is written of a recurrent layer is taken again, and PyTorch's load_state_dict finds its names") {
  for (const char* const op : {"lstm", "gru"}) {
    INFO(op);
    const auto model = parsed(std::string("  rnn: {op: ") + op + ", in: x, units: 2}\n  y: relu(rnn.last)\n");
    const TemporaryFolder folder;
    train::Learner learner(model, {});
    learner.initialise();
    weights::save_weights(folder / "saved", learner, Convention::torch);
    const files::SafetensorsFile file(folder / "saved");
    for (const char* const name :
         {"rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0"})
      CHECK(file.find(name) != nullptr);
    CHECK(file.tensors().size() == 4);
    CHECK(taken(*model, file) == learner.weights());
    weights::save_weights(folder / "keras", learner, Convention::keras);
    const files::SafetensorsFile keras(folder / "keras");
    CHECK(keras.tensors().size() == 3);
    CHECK(taken(*model, keras, {.convention = Convention::keras}) == learner.weights());
  }
}
