// Nodes that no program would write: any op with any inputs and attributes is an error or a model.
// GRAPHRUN_SEED=N draws others, GRAPHRUN_MODELS=N more of them.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "graphrun/error.hpp"
#include "onnx/import/ops/imported_ops.hpp"
#include "tests/onnx/small_files.hpp"
#include "tests/support/catch.hpp"
#include "train/learn/definition.hpp"

using namespace graphrun;
using namespace graphrun::testing::small_files;

namespace {

using onnx::ElementType;

unsigned number_from(const char* variable, unsigned otherwise) {
  const char* const text = std::getenv(variable);
  return text != nullptr ? static_cast<unsigned>(std::stoul(text)) : otherwise;
}

std::vector<std::string> split(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

const std::vector<std::string> integer_names = split(
    "axis allowzero batch_axis batch_dims block_size blocksize ceil_mode count_include_pad "
    "detect_positive dtype exclusive fmod group hidden_size input_forget interleaved inverse is_causal k "
    "keepdims kv_num_heads layout linear_before_reset noop_with_empty_axes num_groups num_heads "
    "num_outputs num_scan_inputs onesided output_datatype output_dtype p periodic q_num_heads "
    "qk_matmul_output_mode reverse rotary_embedding_dim select_last_index size to training_mode transA "
    "transB upper");
const std::vector<std::string> list_names = split(
    "axes dilations ends kernel_shape output_padding output_shape pads perm scan_input_axes "
    "scan_input_directions shape split starts strides");
const std::vector<std::string> number_names =
    split("alpha beta clip cubic_coeff_a epsilon high low mean momentum scale softcap value");
const std::vector<std::string> text_names = split(
    "auto_pad coordinate_transformation_mode direction equation mode nearest_mode reduction padding_mode");
const std::vector<std::string> words = split(
    "SAME_UPPER SAME_LOWER VALID bidirectional reverse ij,jk->ik ij->ii ii->i i,ij-> linear cubic nearest "
    "edge reflect wrap tf_crop_and_resize align_corners none add sum CRD zeros RIGHT tanh border");

/// Draws mostly what is near the truth, now and then what is far from it.
class Drawing {
 public:
  explicit Drawing(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t count) { return random_() % count; }
  bool seldom() { return below(30) == 0; }

  template <class List>
  auto one_of(const List& list) {
    return list[below(std::size(list))];
  }

  std::int64_t integer() {
    constexpr std::array far = {std::numeric_limits<std::int64_t>::min(),
                                std::numeric_limits<std::int64_t>::max(),
                                std::int64_t{1} << 40,
                                -(std::int64_t{1} << 40),
                                std::int64_t{1} << 18,
                                std::int64_t{1000}};
    return seldom() ? one_of(far) : static_cast<std::int64_t>(below(8)) - 3;
  }
  std::vector<std::int64_t> integers() {
    std::vector<std::int64_t> all(below(6));
    for (std::int64_t& one : all) one = integer();
    return all;
  }
  float number() {
    constexpr std::array numbers = {
        0.0F, 1.0F, 0.5F, -1.0F, 2.0F, 1e30F, std::numeric_limits<float>::quiet_NaN()};
    return one_of(numbers);
  }

  /// Of all that any op asks for: most of them mean nothing to a node.
  std::vector<onnx::AttributeRecord> attributes() {
    std::vector<onnx::AttributeRecord> all;
    for (const std::string& name : integer_names)
      if (below(4) == 0) all.push_back({name, integer()});
    for (const std::string& name : list_names)
      if (below(2) == 0) all.push_back({name, integers()});
    for (const std::string& name : number_names)
      if (below(4) == 0) all.push_back({name, number()});
    for (const std::string& name : text_names)
      if (below(3) == 0) all.push_back({name, one_of(words)});
    if (below(4) == 0) all.push_back({"activations", std::vector<std::string>(below(5), one_of(words))});
    if (below(4) == 0) all.push_back({"scales", std::vector<float>(below(5), number())});
    return all;
  }

 private:
  std::mt19937 random_;
};

std::vector<std::string> all_ops() {
  std::vector<std::string> ops = {"Constant", "Shape", "Size", "Scan"};
  for (const onnx::ImportedOp& row : onnx::imported_ops()) ops.emplace_back(row.op);
  return ops;
}

/// What there is to be read: of every rank, known and not, in the order of the file and in another.
onnx::ModelRecord sources(Drawing& draw) {
  onnx::ModelRecord model = small_model(
      {node("Reshape", {"x", "as_series"}, {"series"}), node("Reshape", {"x", "as_images"}, {"images"}),
       node("Transpose", {"images"}, {"turned"}, {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}}),
       node("Conv", {"images", "kernel"}, {"convolved"}), node("Shape", {"x"}, {"known"}),
       node("Flatten", {"convolved"}, {"flat"}), node("Greater", {"x", "number"}, {"truth"})},
      {floats("number", {}), floats("list", {4}), floats("matrix", {2, 3}), floats("cube", {2, 1, 4}),
       floats("kernel", {2, 1, 2, 2}), floats("deep", {1, 1, 2, 2, 2}), floats("none", {0}),
       integers("as_series", {-1, 2, 2}), integers("as_images", {-1, 1, 2, 2}),
       tensor("index", ElementType::i64, {}, std::vector<std::int64_t>{draw.integer()}),
       tensor("table", ElementType::i64, {2, 2},
              std::vector<std::int64_t>{draw.integer(), draw.integer(), 0, 1}),
       integers("first", draw.integers()), integers("second", draw.integers()), integers("third", {1})});
  return model;
}

onnx::NodeRecord random_node(Drawing& draw, const std::vector<std::string>& ops, const std::string& output) {
  constexpr std::array names = {"x",     "series", "images", "turned", "convolved", "known",  "flat",
                                "truth", "number", "list",   "matrix", "cube",      "kernel", "deep",
                                "none",  "index",  "table",  "first",  "second",    "third",  ""};
  std::vector<std::string> inputs;
  for (std::size_t count = draw.below(6); count > 0; --count) inputs.emplace_back(draw.one_of(names));
  std::vector<std::string> outputs = {output};
  if (draw.below(3) == 0) outputs.push_back(output + "_second");
  onnx::NodeRecord made = node(draw.one_of(ops), std::move(inputs), std::move(outputs), draw.attributes());
  if (made.op == "Scan") {
    onnx::GraphRecord body;
    body.inputs = {value("a", {}), value("b", {})};
    body.nodes = {node("Add", {"a", "b"}, {"c"})};
    body.outputs = {value("c", {})};
    made.attributes.push_back({"body", onnx::SharedGraph(std::make_shared<const onnx::GraphRecord>(body))});
  }
  return made;
}

}  // namespace

TEST_CASE("any op with any inputs and attributes is an error or a model, and nothing else") {
  const unsigned seed = number_from("GRAPHRUN_SEED", 1);
  const unsigned count = number_from("GRAPHRUN_MODELS", 2000);
  const std::vector<std::string> ops = all_ops();
  constexpr std::array<std::int64_t, 6> opsets = {7, 9, 11, 13, 18, 21};
  unsigned models = 0;
  for (unsigned round = 0; round < count; ++round) {
    Drawing draw(seed + round);
    onnx::ModelRecord model = sources(draw);
    model.opset = draw.one_of(opsets);
    // One that becomes a model, or many that are refused at once.
    const int nodes = round % 2 == 0 ? 1 : 20;
    for (int i = 0; i < nodes; ++i)
      model.graph.nodes.push_back(random_node(draw, ops, i == 0 ? "y" : "n" + std::to_string(i)));
    INFO("seed " << seed + round << ", opset " << model.opset);
    try {
      const onnx::Imported made = imported(model);
      ++models;
      CHECK_NOTHROW(train::parse_definition(made.model, "model.yaml"));
    } catch (const Error& error) {
      INFO(error.what());
      CHECK(error.code() != ErrorCode::internal);
    }
  }
  CHECK(models > count / 50);
}
