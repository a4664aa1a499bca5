// Ops of a file that are made of graphrun's own: draws, training, rows that are written, angles.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "graphrun/error.hpp"
#include "tests/onnx/small_files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing::small_files;
using graphrun::testing::contains;
using graphrun::testing::thrown;
using graphrun::testing::throws;

namespace {

using onnx::ElementType;

const std::vector<float> two_rows = {1, -2, 3, 0.5F, -1, 4, 2, 7};

onnx::TensorRecord number(const std::string& name, float value) {
  return tensor(name, ElementType::f32, {}, std::vector<float>{value});
}

onnx::TensorRecord truth(const std::string& name, bool value) {
  return tensor(name, ElementType::boolean, {},
                std::vector<std::uint8_t>{value ? std::uint8_t{1} : std::uint8_t{0}});
}

}  // namespace

TEST_CASE("what a file draws is drawn anew, and never a constant") {
  const auto made = [](const std::string& op, std::vector<onnx::AttributeRecord> attributes) {
    return imported(
        small_model({node(op, {"x"}, {"r"}, std::move(attributes)), node("Add", {"r", "r"}, {"y"})}));
  };
  const onnx::Imported normal = made("RandomNormalLike", {{"mean", 100.0F}, {"scale", 0.5F}});
  CHECK(contains(normal.model, "random_normal"));
  const std::vector<float> drawn = run(normal, two_rows, 2);
  for (const float y : drawn) CHECK(std::abs(y - 200) < 10);
  CHECK(drawn[0] != drawn[1]);
  for (const float y : run(made("RandomUniformLike", {{"low", 2.0F}, {"high", 3.0F}}), two_rows, 2)) {
    CHECK(y >= 4);
    CHECK(y < 6);
  }
  // Of constants, too: what they are folded into would be one draw for all times.
  const onnx::Imported constant =
      imported(small_model({node("Constant", {}, {"c"}, {{"value_floats", std::vector<float>(4, 1)}}),
                            node("RandomNormalLike", {"c"}, {"r"}), node("Add", {"x", "r"}, {"y"})}));
  CHECK(contains(constant.model, "random_normal"));
  const std::vector<float> chances(8, 1.0F);
  CHECK(run(imported(small_model({node("Bernoulli", {"x"}, {"y"})})), chances, 2) == chances);
}

TEST_CASE("a dropout in training drops, and one that is not keeps all") {
  const auto dropped = [](float ratio, bool training) {
    return run(imported(small_model({node("Dropout", {"x", "ratio", "training"}, {"y"})},
                                    {number("ratio", ratio), truth("training", training)})),
               std::vector<float>(400, 1.0F), 100);
  };
  CHECK(std::ranges::all_of(dropped(0.75F, false), [](float y) { return y == 1; }));
  CHECK(std::ranges::all_of(dropped(0, true), [](float y) { return y == 1; }));
  const std::vector<float> y = dropped(0.75F, true);
  CHECK(std::ranges::all_of(y, [](float one) { return one == 0 || one == 4; }));
  const auto kept = std::ranges::count(y, 4.0F);
  CHECK(kept > 60);
  CHECK(kept < 140);
}

TEST_CASE("batch normalisation in training goes by the rows at hand, and moves the averages") {
  const std::vector<onnx::TensorRecord> weights = {floats("gain", {4}), floats("shift", {4}),
                                                   floats("mean", {4}), floats("variance", {4})};
  onnx::ModelRecord model =
      small_model({node("BatchNormalization", {"x", "gain", "shift", "mean", "variance"}, {"y", "m", "v"},
                        {{"training_mode", std::int64_t{1}}, {"momentum", 0.75F}, {"epsilon", 0.0F}})},
                  weights);
  const std::vector<float> y = run(imported(model), two_rows, 2);
  // Of two rows one is a deviation above the mean and one below it.
  for (std::size_t i = 0; i < 4; ++i) {
    const float gain = 0.5F + 0.25F * static_cast<float>(i);
    const float sign = two_rows[i] > two_rows[i + 4] ? 1.0F : -1.0F;
    CHECK(std::abs(y[i] - (gain + sign * gain)) < 1e-5F);
    CHECK(std::abs(y[i + 4] - (gain - sign * gain)) < 1e-5F);
  }
  model.graph.outputs = {value("m", {{4}}), value("v", {{4}})};
  const onnx::Imported averages = imported(model);
  const std::vector<float> mean = run(averages, two_rows, 2);
  CHECK(std::abs(mean[1] - (0.75F * 0.75F + 0.25F * 1.0F)) < 1e-6F);
}

TEST_CASE("rows that are written at known places are slices beside each other") {
  const auto written = [](const std::vector<std::int64_t>& places, std::int64_t width) {
    const auto count = static_cast<std::int64_t>(places.size());
    onnx::TensorRecord index = integers("index", places);
    index.shape = {count, 1};
    return small_model({node("Transpose", {"x"}, {"t"}, {{"perm", std::vector<std::int64_t>{1, 0}}}),
                        node("Slice", {"t", "begin", "end"}, {"part"}), node("Neg", {"part"}, {"updates"}),
                        node("ScatterND", {"t", "index", "updates"}, {"s"}),
                        node("Transpose", {"s"}, {"y"}, {{"perm", std::vector<std::int64_t>{1, 0}}})},
                       {index, integers("begin", {0}), integers("end", {width})});
  };
  const onnx::Imported made = imported(written({2, 1}, 2));
  CHECK_FALSE(contains(made.model, "gather"));
  CHECK(run(made, two_rows, 2) == std::vector<float>{1, 2, -1, 0.5F, -1, -4, 1, 7});
  CHECK(run(imported(written({-1}, 1)), two_rows, 2) == std::vector<float>{1, -2, 3, -1, -1, 4, 2, 1});
  CHECK(throws([&] { imported(written({4}, 1)); }, ErrorCode::model, "index 4 of an axis of 4"));
  CHECK(throws(
      [&] {
        imported(written({2, 1}, 1));
      },
      ErrorCode::model, "2 indices, and updates of the shape"));
  onnx::ModelRecord scalar = written({2, 1}, 1);
  scalar.graph.nodes[3].inputs[2] = "number";
  scalar.graph.initializers.push_back(number("number", 1));
  CHECK(throws([&] { imported(scalar); }, ErrorCode::model, "updates of fewer axes than their indices"));
}

TEST_CASE("one place along an axis is written by slices, for any batch") {
  const auto written = [](std::int64_t place) {
    onnx::TensorRecord index = integers("index", {place});
    index.shape = {1, 1};
    return imported(small_model(
        {node("Shape", {"x"}, {"shape"}), node("Gather", {"shape", "first"}, {"rows"}),
         node("Concat", {"rows", "first_one"}, {"wide"}, {{"axis", std::int64_t{0}}}),
         node("Expand", {"index", "wide"}, {"everywhere"}),
         node("Slice", {"x", "zero", "first_one", "first_one"}, {"part"}), node("Neg", {"part"}, {"updates"}),
         node("ScatterElements", {"x", "everywhere", "updates"}, {"y"}, {{"axis", std::int64_t{1}}})},
        {index, integers("first", {0}), integers("zero", {0}), integers("first_one", {1})}));
  };
  CHECK(run(written(2), two_rows, 2) == std::vector<float>{1, -2, -1, 0.5F, -1, 4, 1, 7});
  CHECK(run(written(-1), two_rows, 2) == std::vector<float>{1, -2, 3, -1, -1, 4, 2, 1});
  CHECK(throws([&] { written(4); }, ErrorCode::model, "index 4 of an axis of 4"));
  CHECK(throws([&] { written(std::int64_t{1} << 60); }, ErrorCode::model,
               "1.152921504606847e+18 as an integer"));
}

TEST_CASE("an output that no weight has a part in learns nothing") {
  onnx::ModelRecord model =
      small_model({node("Relu", {"x"}, {"y"}), node("Mul", {"x", "w"}, {"z"})}, {floats("w", {4})});
  model.graph.outputs.push_back(value("z", {batch, {4}}));
  const onnx::Imported both = imported(model);
  CHECK(contains(both.model, "reconstruction: {op: mse, in: [z, x]}"));
  CHECK(run(both, two_rows, 2)[1] == 0);
  model.graph.outputs = {value("y", {batch, {4}}), value("z", {batch, {2}, {2}})};
  model.graph.nodes[1].outputs = {"product"};
  model.graph.nodes.push_back(node("Reshape", {"product", "shape"}, {"z"}));
  model.graph.initializers.push_back(integers("shape", {-1, 2, 2}));
  CHECK(contains(imported(model).model, "# To train it further"));
}

TEST_CASE("angles have sines, of constants too") {
  const std::vector<float> y =
      run(imported(small_model(
              {node("Sin", {"x"}, {"a"}), node("Cos", {"x"}, {"b"}), node("Div", {"a", "b"}, {"c"}),
               node("Tan", {"x"}, {"d"}), node("Sub", {"c", "d"}, {"zero"}), node("Sin", {"w"}, {"e"}),
               node("Add", {"zero", "e"}, {"y"})},
              {floats("w", {4})})),
          two_rows, 2);
  for (std::size_t i = 0; i < 8; ++i)
    CHECK(std::abs(y[i] - std::sin(0.5F + 0.25F * static_cast<float>(i % 4))) < 1e-5F);
}

TEST_CASE("sizes that are asked for decide, and not a scale beside them") {
  const auto resized = [](const std::string& sizes, float scale) {
    return imported(small_model(
        {node("Resize", {"x", "", "scales", sizes}, {"z"},
              {{"axes", std::vector<std::int64_t>{1}}, {"mode", std::string("linear")}}),
         node("Slice", {"z", "zero", "four", "one"}, {"y"})},
        {tensor("scales", ElementType::f32, {1}, std::vector<float>{scale}), integers("eight", {8}),
         integers("zero", {0}), integers("four", {4}), integers("one", {1})}));
  };
  const std::vector<float> y = run(resized("", 2), two_rows, 2);
  CHECK(std::abs(y[1] - 0.25F) < 1e-6F);  // a quarter of the way from 1 to -2
  CHECK(run(resized("eight", 1e-30F), two_rows, 2) == y);
  for (const float scale : {-1.0F, 0.1F, 1e20F, std::numeric_limits<float>::quiet_NaN()})
    CHECK(throws([&] { resized("", scale); }, ErrorCode::model, "resizing 4 by a scale of"));
}

TEST_CASE("what is joined has as many axes") {
  const onnx::ModelRecord joined =
      small_model({node("Concat", {"cube", "row"}, {"both"}, {{"axis", std::int64_t{0}}}),
                   node("Add", {"x", "both"}, {"y"})},
                  {tensor("cube", ElementType::f32, {1, 1, 4}, std::vector<float>{1, 2, 3, 4}),
                   tensor("row", ElementType::f32, {4}, std::vector<float>{5, 6, 7, 8})});
  CHECK(throws([&] { imported(joined); }, ErrorCode::model, "tensors of different numbers of axes"));
}

TEST_CASE("windows that write a series make it as long as is asked for") {
  const auto made = [](std::vector<std::int64_t> length) {
    return imported(small_model(
        {node("Unsqueeze", {"x", "one"}, {"series"}),
         node("ConvTranspose", {"series", "w"}, {"wide"},
              {{"strides", std::vector<std::int64_t>{2}}, {"output_shape", std::move(length)}}),
         node("Squeeze", {"wide", "one"}, {"y"})},
        {integers("one", {1}), tensor("w", ElementType::f32, {1, 1, 3}, std::vector<float>{1, 1, 1})}));
  };
  // Each point is written to three places, two apart; one place is cut off at each end.
  CHECK(run(made({7}), {1, 2, 4, 8}, 1) == std::vector<float>{1, 3, 2, 6, 4, 12, 8});
  CHECK(run(made({9}), {1, 2, 4, 8}, 1) == std::vector<float>{1, 1, 3, 2, 6, 4, 12, 8, 8});
  CHECK(throws([&] { made({10}); }, ErrorCode::model, "an output_shape beyond the windows"));
}

TEST_CASE("images have an output_shape for both sides, channels neighbours, and angles what they turn") {
  const auto refused = [](const std::vector<onnx::NodeRecord>& nodes, const std::string& what) {
    return throws(
        [&] {
          imported(small_model(nodes, {integers("shape", {-1, 1, 2, 2}), floats("w", {1, 1, 3, 3}),
                                       floats("angles", {1, 2, 1}), integers("pair", {-1, 2, 1, 2})}));
        },
        ErrorCode::model, what);
  };
  const onnx::NodeRecord images = node("Reshape", {"x", "shape"}, {"images"});
  CHECK(refused({images, node("ConvTranspose", {"images", "w"}, {"y"},
                              {{"output_shape", std::vector<std::int64_t>{7}}})},
                "output_shape of 1 numbers"));
  CHECK(refused({images, node("LRN", {"images"}, {"y"}, {{"size", std::int64_t{-1}}})}, "no neighbours"));
  CHECK(refused(
      {node("Reshape", {"x", "pair"}, {"heads"}), node("RotaryEmbedding", {"heads", "angles", "angles"},
                                                       {"y"}, {{"rotary_embedding_dim", std::int64_t{4}}})},
      "4 numbers of 2 are turned"));
}

TEST_CASE("sizes of a file that an axis does not have are refused, and the node is named") {
  const auto refused = [](onnx::NodeRecord node, const std::vector<onnx::TensorRecord>& weights,
                          const std::string& what) {
    node.name = "odd_one";
    const auto error = thrown([&] { imported(small_model({node}, weights)); });
    UNSCOPED_INFO((error ? error->what() : "imported"));
    return error && error->code() == ErrorCode::model && contains(error->what(), what) &&
           contains(error->what(), "odd_one");
  };
  const auto with = [](const char* name, std::int64_t value) {
    return std::vector<onnx::AttributeRecord>{{name, value}};
  };
  CHECK(refused(node("TopK", {"x", "k"}, {"y", ""}), {integers("k", {7})}, "the 7 largest of an axis of 4"));
  CHECK(refused(node("TopK", {"x", "k"}, {"y", ""}), {integers("k", {0})}, "the 0 largest of an axis of 4"));
  CHECK(refused(node("Flatten", {"x"}, {"y"}, with("axis", 3)), {}, "axis 3 of a tensor of 2 axes"));
  CHECK(refused(node("Flatten", {"x"}, {"y"}, with("axis", -3)), {}, "axis -3 of a tensor of 2 axes"));
  const auto split = [&](const std::vector<std::int64_t>& parts, const std::string& what) {
    return refused(node("Split", {"x", "parts"}, {"y", "z"}, with("axis", 1)), {integers("parts", parts)},
                   what);
  };
  CHECK(split({3, 2}, "a part of 2 elements, of 1"));
  CHECK(split({1, 2}, "2 outputs of an axis of 4, of which 2 parts leave 1 elements"));
  CHECK(split({1, 2, 1}, "2 outputs of an axis of 4, of which 3 parts leave 0 elements"));
  CHECK(refused(node("Slice", {"x", "one", "two", "one", "steps"}, {"y"}),
                {integers("one", {1}), integers("two", {2}), integers("steps", {1, 1})},
                "starts, ends, axes and steps are of different lengths"));
  CHECK(refused(node("Gather", {"x", "at"}, {"y"}, with("axis", 1)), {integers("at", {4})},
                "index 4 of an axis of 4"));
  CHECK(refused(node("Gather", {"x", "at"}, {"y"}, with("axis", 1)), {integers("at", {1, -5})},
                "index -5 of an axis of 4"));
}

TEST_CASE("groups and blocks that do not divide an axis are refused") {
  const auto refused = [](const char* op, std::vector<std::int64_t> shape, const char* attribute,
                          std::int64_t value, const std::string& what) {
    const std::vector<onnx::NodeRecord> nodes = {
        node("Reshape", {"x", "shape"}, {"images"}),
        node(op,
             op == std::string("GroupNormalization") ? std::vector<std::string>{"images", "w", "w"}
                                                     : std::vector<std::string>{"images"},
             {"y"}, {{attribute, value}})};
    return throws(
        [&] {
          imported(small_model(nodes, {integers("shape", shape), floats("w", {4})}));
        },
        ErrorCode::model, what);
  };
  CHECK(
      refused("DepthToSpace", {-1, 4, 1, 1}, "blocksize", 3, "4 channels, which 3 x 3 blocks do not divide"));
  CHECK(refused("SpaceToDepth", {-1, 1, 4, 1}, "blocksize", 2, "images of 4 x 1, which 2 x 2 blocks"));
  // Two channels of two pixels: as many numbers as four groups would need.
  CHECK(refused("GroupNormalization", {-1, 2, 1, 2}, "num_groups", 4,
                "2 channels, which 4 groups do not divide"));
}

TEST_CASE("vectors, margins and parts that do not fit an axis are refused, and none is stretched") {
  const auto refused = [](const onnx::NodeRecord& last, const std::string& what) {
    const std::vector<onnx::TensorRecord> weights = {
        integers("shape", {-1, 2, 1, 2}), floats("one", {1}),
        floats("w", {2, 2, 1, 1}),        integers("pads", {0, 0, 0, 2, 0, 0, 0, 0}),
        integers("twice", {1, 1}),        integers("zeros", {0, 0}),
        integers("ends", {2, 1})};
    return throws(
        [&] {
          imported(small_model({node("Reshape", {"x", "shape"}, {"images"}), last}, weights));
        },
        ErrorCode::model, what);
  };
  const auto pool = [](const char* op) {
    return node(
        op, {"images"}, {"y"},
        {{"kernel_shape", std::vector<std::int64_t>{1, 2}}, {"pads", std::vector<std::int64_t>{0, 2, 0, 0}}});
  };
  CHECK(refused(node("Conv", {"images", "w", "one"}, {"y"}), "a bias of [1] for 2 channels"));
  CHECK(refused(node("BatchNormalization", {"images", "one", "one", "one", "one"}, {"y"}),
                "[1] numbers for 2 channels"));
  CHECK(
      refused(node("InstanceNormalization", {"images", "one", "one"}, {"y"}), "[1] numbers for 2 channels"));
  CHECK(refused(pool("MaxPool"), "margins of 2 and 0 for windows of 2"));
  CHECK(refused(pool("AveragePool"), "margins of 2 and 0 for windows of 2"));
  CHECK(refused(node("Pad", {"images", "pads"}, {"y"}, {{"mode", std::string("reflect")}}),
                "margins of 2 and 0"));
  CHECK(refused(node("Pad", {"images", "pads"}, {"y"}, {{"mode", std::string("mirror")}}),
                "margins that are mirror"));
  CHECK(refused(node("Slice", {"images", "zeros", "ends", "twice"}, {"y"}), "it names an axis twice"));
  onnx::ModelRecord old = small_model({node("Split", {"x"}, {"y", "b", "c"}, {{"axis", std::int64_t{1}}})});
  old.opset = 13;
  CHECK(throws([&] { imported(old); }, ErrorCode::model, "an axis of 4, which 3 equal parts do not divide"));
}

TEST_CASE("a scan goes over inputs of one length") {
  onnx::GraphRecord step;
  step.inputs = {value("a", {}), value("b", {})};
  step.nodes = {node("Add", {"a", "b"}, {"c"})};
  step.outputs = {value("c", {})};
  const auto scanned = [&](std::vector<std::int64_t> others) {
    return imported(
        small_model({node("Scan", {"rows", "others"}, {"sums"},
                          {{"body", onnx::SharedGraph(std::make_shared<const onnx::GraphRecord>(step))},
                           {"num_scan_inputs", std::int64_t{2}}}),
                     node("Mul", {"x", "sums"}, {"y"})},
                    {floats("rows", {4}), floats("others", std::move(others))}));
  };
  CHECK(run(scanned({4}), {1, 1, 1, 1}, 1) == std::vector<float>{1, 1.5F, 2, 2.5F});
  for (const std::vector<std::int64_t>& others : {std::vector<std::int64_t>{}, {5}})
    CHECK(throws([&] { scanned(others); }, ErrorCode::model, "a scan over inputs of several lengths"));
}

TEST_CASE("an output that is named twice has two names") {
  onnx::ModelRecord model = small_model({node("Neg", {"x"}, {"y"})});
  model.graph.outputs.push_back(model.graph.outputs[0]);
  CHECK(imported(model).output_names == std::vector<std::string>{"y", "y_2"});
}

TEST_CASE("axes are put in an order that has each of them once, and something is looked up") {
  const auto turned = [](std::vector<std::int64_t> perm, bool is_weight) {
    return small_model({node("Transpose", {is_weight ? "w" : "x"}, {"t"}, {{"perm", std::move(perm)}}),
                        node("MatMul", {"x", "t"}, {"y"})},
                       {floats("w", {4, 4})});
  };
  CHECK_NOTHROW(imported(turned({1, 0}, true)));
  for (const std::vector<std::int64_t>& perm : {std::vector<std::int64_t>{0, 0}, {0}, {1, 0, 1}})
    for (const bool is_weight : {true, false})
      CHECK(
          throws([&] { imported(turned(perm, is_weight)); }, ErrorCode::model, "perm is no order of 2 axes"));
  CHECK(throws(
      [] {
        imported(small_model({node("Gather", {"x", "none"}, {"y"}, {{"axis", std::int64_t{1}}})},
                             {integers("none", {})}));
      },
      ErrorCode::model, "a tensor without elements"));
}
