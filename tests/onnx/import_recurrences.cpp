// What recurrent ops of an ONNX file become: the layers that they are here, or the same step by step.
#include <cmath>

#include "graphrun/error.hpp"
#include "onnx/export/export_model.hpp"
#include "tests/onnx/bundled.hpp"
#include "tests/onnx/small_files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing::small_files;
using graphrun::testing::contains;
using graphrun::testing::throws;
using onnx::ElementType;

namespace {

/// A recurrent op of the file over [steps, N, 3] whose weights are all alike, with 2 units.
onnx::ModelRecord recurrence(const std::string& op, std::int64_t gates,
                             std::vector<onnx::AttributeRecord> attributes, bool two_ways = false) {
  const std::int64_t directions = two_ways ? 2 : 1;
  attributes.push_back({"hidden_size", std::int64_t{2}});
  onnx::ModelRecord model;
  model.graph.name = "g";
  model.graph.inputs = {value("x", {batch, {4}, {3}})};
  model.graph.outputs = {value("y", {{4}, {directions}, batch, {2}})};
  model.graph.nodes = {node("Transpose", {"x"}, {"t"}, {{"perm", std::vector<std::int64_t>{1, 0, 2}}}),
                       node(op, {"t", "w", "r", "b"}, {"y"}, std::move(attributes))};
  model.graph.initializers = {floats("w", {directions, gates * 2, 3}, -0.5F),
                              floats("r", {directions, gates * 2, 2}, -0.25F),
                              floats("b", {directions, gates * 4}, -1.5F)};
  return model;
}

}  // namespace

TEST_CASE("recurrent layers come back as the blocks that they were") {
  for (const std::string layer :
       {"{op: lstm, in: x, units: 4}", "{op: gru, in: x, units: 3, reverse: true}"}) {
    const std::string text =
        "graphrun: 1\nname: series\ninputs:\n  x: {shape: [batch, 5, 3]}\nnodes:\n  y: " + layer +
        "\noutputs: {code: y}\n";
    train::Learner learner = testing::stirred(train::parse_definition(text, "series.yaml"));
    const onnx::Imported made = onnx::import_model(onnx::export_model(learner, {}).bytes, {});
    INFO(made.model);
    CHECK(contains(made.model, "  y: " + layer + "\n"));
    CHECK(made.weights == learner.weights());
  }
}

TEST_CASE("recurrent ops of graphrun's cells are these, and others are made step by step") {
  const auto text = [](const onnx::ModelRecord& model) { return imported(model).model; };
  const std::string after = "linear_before_reset";
  CHECK(contains(text(recurrence("LSTM", 4, {})), "op: lstm, "));
  CHECK(contains(text(recurrence("GRU", 3, {{after, std::int64_t{1}}})), "op: gru, "));
  CHECK(contains(text(recurrence("LSTM", 4, {{"direction", std::string("bidirectional")}}, true)),
                 "reverse: true"));
  CHECK_FALSE(contains(text(recurrence("GRU", 3, {})), "op: gru"));
  CHECK_FALSE(contains(text(recurrence("RNN", 1, {})), "op: lstm"));
  const std::vector<std::string> words = {"Sigmoid", "Relu", "Tanh"};
  CHECK_FALSE(contains(text(recurrence("LSTM", 4, {{"activations", words}})), "op: lstm"));
  const std::vector<std::string> odd = {"Sigmoid", "Sinus", "Tanh"};
  CHECK(throws(
      [&] {
        text(recurrence("LSTM", 4, {{"activations", odd}}));
      },
      ErrorCode::model, "the activation Sinus"));
}

TEST_CASE("series that end early keep the state of their end, and are 0 behind it") {
  // Lengths as files have them: a number for each row of the batch.
  onnx::ModelRecord model = recurrence("GRU", 3, {{"linear_before_reset", std::int64_t{1}}});
  model.graph.nodes.back().inputs.push_back("lengths");
  model.graph.nodes.back().outputs.push_back("end");
  const std::vector<onnx::NodeRecord> lengths = {node("Shape", {"x"}, {"shape"}),
                                                 node("Slice", {"shape", "zero", "one"}, {"rows"}),
                                                 node("Expand", {"three", "rows"}, {"lengths"})};
  model.graph.nodes.insert(model.graph.nodes.begin(), lengths.begin(), lengths.end());
  model.graph.initializers.push_back(tensor("three", ElementType::i32, {1}, std::vector<std::int32_t>{3}));
  model.graph.initializers.push_back(integers("zero", {0}));
  model.graph.initializers.push_back(integers("one", {1}));
  const std::vector<float> x = {0.5F, -1, 2, 0, 1, -0.5F, 0.25F, 1, 1, -2, 0.75F, 0};
  const std::vector<float> y = run(imported(model), x, 1);  // [steps, 1, 1, 2]
  model.graph.outputs = {value("end", {{1}, batch, {2}})};
  const std::vector<float> end = run(imported(model), x, 1);
  REQUIRE(y.size() == 8);
  REQUIRE(end.size() == 2);
  CHECK(std::vector<float>(y.begin() + 4, y.begin() + 6) == end);
  CHECK(std::vector<float>(y.begin() + 6, y.end()) == std::vector<float>{0, 0});
  CHECK(y[4] != 0);
  constexpr std::int64_t steps = (1 << 20) + 1;
  model.graph.inputs = {value("x", {batch, {steps}, {3}})};
  CHECK(throws([&] { imported(model); }, ErrorCode::model, "a mask of 1048577 steps"));
}

TEST_CASE("a cell step by step computes what the op of that cell does") {
  // Clipping at a limit that nothing reaches changes the way, and no value.
  const std::vector<float> x = {0.5F, -1, 2, 0, 1, -0.5F, 0.25F, 1, 1, -2, 0.75F, 0};
  for (const std::string op : {"LSTM", "GRU"}) {
    const std::int64_t gates = op == "LSTM" ? 4 : 3;
    const std::vector<onnx::AttributeRecord> plain = {{"linear_before_reset", std::int64_t{1}},
                                                      {"direction", std::string("bidirectional")}};
    std::vector<onnx::AttributeRecord> clipped = plain;
    clipped.push_back({"clip", 1e6F});
    const std::vector<float> wanted = run(imported(recurrence(op, gates, plain, true)), x, 1);
    const std::vector<float> got = run(imported(recurrence(op, gates, clipped, true)), x, 1);
    REQUIRE(wanted.size() == got.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(std::abs(got[i] - wanted[i]) < 1e-6F);
  }
}
