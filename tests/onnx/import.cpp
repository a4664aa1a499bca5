// What an ONNX file becomes: bundled models come back with the same weights and the same values; layers,
// repeats and formulas as one would write them; what cannot be imported is said at once.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "graph/graph.hpp"
#include "graphrun/error.hpp"
#include "onnx/export/export_model.hpp"
#include "tests/onnx/block_models.hpp"
#include "tests/onnx/bundled.hpp"
#include "tests/onnx/mutation.hpp"
#include "tests/onnx/small_files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/learn/programs.hpp"

using namespace graphrun;
using namespace graphrun::testing::small_files;
using graphrun::testing::contains;
using graphrun::testing::throws;

namespace {

namespace fs = std::filesystem;
using onnx::ElementType;

struct Rows {
  std::map<std::string, std::vector<float>> floats = {};
  std::map<std::string, std::vector<std::int32_t>> integers = {};
  train::Examples examples = {};
};

/// The same numbers for the same order of inputs, whatever they are called: classes where they are integers.
Rows rows_for(train::Learner& learner, const std::vector<std::string>& inputs,
              const std::vector<bool>& are_classes, std::int64_t count) {
  Rows rows;
  rows.examples.count = count;
  std::mt19937 random(11);
  std::uniform_real_distribution<float> unit(0.0F, 1.0F);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Type& type = learner.model().graph.node(train::given_node(learner.model(), inputs[i])).type;
    const std::int64_t elements = element_count(bind(type.shape, count));
    train::Column column;
    column.row_elements = elements / count;
    std::vector<float>& floats = rows.floats[inputs[i]];
    for (std::int64_t k = 0; k < elements; ++k)
      floats.push_back(are_classes[i] ? static_cast<float>(random() % 10) : unit(random));
    if (type.dtype == DType::i32) {
      std::vector<std::int32_t>& integers = rows.integers[inputs[i]];
      for (const float value : floats) integers.push_back(static_cast<std::int32_t>(value));
      column.kind = train::ColumnKind::i32_labels;
      column.bytes = std::as_bytes(std::span(integers));
    } else {
      column.kind = train::ColumnKind::f32_values;
      column.bytes = std::as_bytes(std::span(floats));
    }
    rows.examples.columns[inputs[i]] = column;
  }
  return rows;
}

std::string word(const std::string& described) {
  return described.substr(0, described.find(' '));
}

/// Export, import, and the same values; each weight has the bits of one of the original's.
/// Those of a few odd models stay in the order of pixels that the file has.
void check_round_trip(train::Learner& learner, train::Learner& runner, const onnx::ExportOptions& options,
                      bool in_order = true) {
  const onnx::Exported file = onnx::export_model(learner, options);
  const onnx::Imported imported = onnx::import_model(file.bytes, {});
  INFO(imported.model);
  train::Learner made = learner_of(imported);
  const auto as_set = [in_order](std::vector<float> values) {
    if (!in_order) std::ranges::sort(values);
    return values;
  };
  for (const auto& [name, values] : imported.weights) {
    INFO(name);
    const std::vector<float> wanted = as_set(values);
    const auto is_it = [&](const auto& weight) { return as_set(weight.second) == wanted; };
    CHECK(std::ranges::any_of(learner.weights(), is_it));
  }
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<bool> are_classes;
  for (const std::string& input : file.inputs) {
    inputs.push_back(word(input));
    are_classes.push_back(contains(input, " i32"));
  }
  for (const std::string& output : file.outputs) outputs.push_back(word(output));
  const Rows theirs = rows_for(runner, inputs, are_classes, 5);
  const Rows ours = rows_for(made, imported.input_names, are_classes, 5);
  const auto wanted = runner.run(outputs, theirs.examples, {.together = true});
  const auto got = made.run(imported.output_names, ours.examples, {.together = true});
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    INFO(outputs[i]);
    REQUIRE(got[i].extents == wanted[i].extents);
    if (wanted[i].type.dtype != DType::f32) continue;
    const auto a = train::as_floats(wanted[i]);
    const auto b = train::as_floats(got[i]);
    float worst = 0;
    for (std::size_t k = 0; k < a.size(); ++k)
      worst = std::max(worst, std::abs(a[k] - b[k]) / std::max(1.0F, std::abs(a[k])));
    CHECK(worst <= 1e-6F);
  }
}

}  // namespace

TEST_CASE("bundled models come back with the same weights, and compute the same") {
  for (const fs::directory_entry& entry : fs::directory_iterator(testing::in_source("/models"))) {
    if (entry.path().extension() != ".yaml") continue;
    const std::string name = entry.path().stem().string();
    INFO(name);
    train::Learner learner = testing::stirred(train::load_definition(entry.path().string()));
    train::Learner runner = testing::stirred(testing::clean(entry.path().string()));
    check_round_trip(learner, runner, {.part = {"whole"}, .given = testing::draws_of(name)});
  }
  for (const testing::BlockModel& block : testing::block_models()) {
    if (block.name == "names_that_meet") continue;  // its output has another name in the file
    INFO(block.name);
    train::Learner learner = testing::stirred(train::parse_definition(block.text, block.name + ".yaml"));
    check_round_trip(learner, learner, {}, block.name != "images_of_rows_with_vectors");
  }
}

TEST_CASE("an autoencoder is written as one would write it") {
  train::Learner learner =
      testing::stirred(train::load_definition(testing::in_source("/models/autoencoder.yaml")));
  const onnx::Imported made = onnx::import_model(onnx::export_model(learner, {}).bytes,
                                                 {.name = "autoencoder", .data = "fashion_mnist"});
  CHECK(made.model ==
        "graphrun: 1\nname: autoencoder\nabout: Imported from an ONNX file.\ndata: fashion_mnist\n"
        "inputs:\n  x: {shape: [batch, 784]}\nnodes:\n"
        "  enc: {op: dense, in: x, repeat: [256, 128, 64], units: $item, act: tanh}\n"
        "  code: {op: dense, in: enc, units: 2, act: tanh}\n"
        "  dec: {op: dense, in: code, repeat: [64, 128, 256], units: $item, act: tanh}\n"
        "  recon: {op: dense, in: dec, units: 784, act: sigmoid}\n"
        "outputs:\n  code: code\n  image: recon\n"
        "loss:\n  reconstruction: {op: mse, in: [recon, x]}\n"
        "train: {optimizer: adam, batch: 64, epochs: 10}\n");
  CHECK(learner_of(made).digest() == learner.digest());
}

TEST_CASE("shapes are computed with the batch as a symbol, and leave no trace") {
  // Flatten as PyTorch writes it: Shape, Gather, Concat, Reshape.
  const onnx::Imported made =
      imported(small_model({node("Shape", {"x"}, {"s"}), node("Gather", {"s", "zero"}, {"n"}),
                            node("Unsqueeze", {"n", "axis"}, {"one"}),
                            node("Concat", {"one", "two"}, {"shape"}, {{"axis", std::int64_t{0}}}),
                            node("Reshape", {"x", "shape"}, {"r"}),
                            node("Transpose", {"r"}, {"t"}, {{"perm", std::vector<std::int64_t>{0, 2, 1}}}),
                            node("Reshape", {"t", "back"}, {"y"})},
                           {tensor("zero", ElementType::i64, {}, std::vector<std::int64_t>{0}),
                            integers("axis", {0}), integers("two", {2, 2}), integers("back", {-1, 4})}));
  CHECK(!contains(made.model, "Shape"));
  CHECK(run(made, {1, 2, 3, 4, 5, 6, 7, 8}, 2) == std::vector<float>{1, 3, 2, 4, 5, 7, 6, 8});
}

TEST_CASE("a branch whose condition is known is taken, within others too") {
  const auto branch = [](const std::string& op) {
    onnx::GraphRecord graph;
    graph.nodes = {node(op, {"x"}, {"inner" + op})};
    graph.outputs = {value("inner" + op, {})};
    return onnx::SharedGraph(std::make_shared<const onnx::GraphRecord>(graph));
  };
  const auto model = [&](std::uint8_t condition) {
    return small_model(
        {node("If", {"c"}, {"y"}, {{"then_branch", branch("Neg")}, {"else_branch", branch("Exp")}})},
        {tensor("c", ElementType::boolean, {}, std::vector<std::uint8_t>{condition})});
  };
  CHECK(run(imported(model(1)), {1, 2, 3, 4}, 1) == std::vector<float>{-1, -2, -3, -4});
  CHECK(run(imported(model(0)), {0, 0, 0, 0}, 1) == std::vector<float>{1, 1, 1, 1});
}

TEST_CASE("weights of 16 bits are read") {
  const auto product = [](const onnx::TensorRecord& weight) {
    return imported(small_model({node("Mul", {"x", "w"}, {"y"})}, {weight}));
  };
  const std::vector<float> wanted{1, -2, 0.5F, 0x1p-24F};
  const onnx::Imported half =
      product(tensor("w", ElementType::f16, {4}, std::vector<std::uint16_t>{0x3C00, 0xC000, 0x3800, 0x0001}));
  CHECK(run(half, {1, 1, 1, 1}, 1) == wanted);
  const onnx::Imported brain = product(
      tensor("w", ElementType::bf16, {4}, std::vector<std::uint16_t>{0x3F80, 0xC000, 0x3F00, 0x3380}));
  CHECK(run(brain, {1, 1, 1, 1}, 1) == wanted);
  const onnx::Imported wide =
      product(tensor("w", ElementType::f64, {4}, std::vector<double>{1, -2, 0.5, 0x1p-24}));
  CHECK(run(wide, {1, 1, 1, 1}, 1) == wanted);
}

TEST_CASE("what graphrun lacks is said at once, with counts and nodes") {
  const onnx::ModelRecord model =
      small_model({node("Mel", {"x"}, {"a"}), node("Det", {"a"}, {"b"}), node("Mel", {"x"}, {"c"}),
                   node("Add", {"b", "c"}, {"y"}), node("Reshape", {"x", "x"}, {"z"})});
  try {
    imported(model, {.file = "m.onnx"});
    FAIL("nothing was said");
  } catch (const ModelError& error) {
    REQUIRE(error.diagnostics().size() == 3);
    CHECK(error.diagnostics()[0].message == "Mel: graphrun does not import it (2 nodes: a, c)");
    CHECK(error.diagnostics()[1].message == "Det: graphrun does not import it (1 node: b)");
    CHECK(error.diagnostics()[2].message ==
          "Reshape: its shape depends on what the model is given (1 node: z)");
    CHECK(contains(error.what(), "m.onnx"));
  }
}

TEST_CASE("inputs and versions that a file leaves open are asked for") {
  onnx::ModelRecord model = small_model({node("Neg", {"x"}, {"y"})});
  model.graph.inputs[0].shape[1] = {0, "width"};
  const auto refused = [&](const onnx::ImportOptions& options, ErrorCode code, const std::string& what) {
    return throws([&] { imported(model, options); }, code, what);
  };
  CHECK(refused({}, ErrorCode::model, "axis 1 of input 'x' has no size, but a name: width"));
  CHECK(refused({}, ErrorCode::model, "--shape 'x=batch,"));
  CHECK(refused({.shapes = {{"z", {Dim::batch()}}}}, ErrorCode::usage, "no input 'z'"));
  CHECK(imported(model, {.shapes = {{"x", onnx::shape_from("batch,7")}}}).inputs ==
        std::vector<std::string>{"x f32[batch, 7]"});
  CHECK(throws([] { onnx::shape_from("batch,-3"); }, ErrorCode::usage, "'-3' is no size"));
  model.opset = 6;
  CHECK(refused({}, ErrorCode::model, "the file is of opset 6; those from 7 to 27 are read"));
  // A file that was made for one example is read for any number.
  onnx::ModelRecord one =
      small_model({node("Reshape", {"x", "shape"}, {"y"})}, {integers("shape", {1, 2, 2})});
  one.graph.inputs[0].shape[0] = {1};
  one.graph.outputs[0].shape = {{1}, {2}, {2}};
  CHECK(imported(one).outputs == std::vector<std::string>{"y f32[batch, 2, 2]"});
}

// ---- Hostile files ----

TEST_CASE("a file that is cut or changed anywhere is an error or a model, and nothing else") {
  const onnx::ModelRecord model =
      small_model({node("MatMul", {"x", "w"}, {"h"}), node("Add", {"h", "b"}, {"g"}),
                   node("Relu", {"g"}, {"r"}), node("Reshape", {"r", "s"}, {"q"}),
                   node("Transpose", {"q"}, {"t"}, {{"perm", std::vector<std::int64_t>{0, 2, 1}}}),
                   node("Slice", {"t", "zero", "two", "one"}, {"u"}), node("Tile", {"u", "many"}, {"v"}),
                   node("Expand", {"v", "stretch"}, {"e"}), node("Reshape", {"e", "back"}, {"y"})},
                  {floats("w", {4, 4}), floats("b", {4}), integers("s", {-1, 2, 2}), integers("zero", {0}),
                   integers("one", {1}), integers("stretch", {1, 2, 2}), integers("two", {2}),
                   integers("many", {1, 1, 1}), integers("back", {-1, 4})});
  const std::string bytes = onnx::serialise(model);
  std::size_t models = 0;
  const auto attempt = [&](const std::string& changed) {
    try {
      onnx::import_model(changed, {});
      ++models;
    } catch (const Error& error) {
      CHECK(error.code() != ErrorCode::internal);
    }
  };
  for (std::size_t length = 0; length < bytes.size(); ++length) attempt(bytes.substr(0, length));
  const char* const wanted = std::getenv("GRAPHRUN_SEED");
  const unsigned seed = wanted != nullptr ? static_cast<unsigned>(std::stoul(wanted)) : 1U;
  std::mt19937 random(seed);
  for (int round = 0; round < 3000; ++round) {
    INFO("seed " << seed << ", round " << round);
    attempt(testing::mutated(bytes, random));
  }
  CHECK(models > 0);
}

TEST_CASE("sizes, depths and circles that a file claims are held against what is there") {
  const auto refused = [](const onnx::ModelRecord& model, const std::string& what,
                          ErrorCode code = ErrorCode::data) {
    return throws([&] { imported(model); }, code, what);
  };
  onnx::TensorRecord huge = floats("w", {4});
  huge.shape = {std::int64_t{1} << 60, 4};
  CHECK(refused(small_model({node("Add", {"x", "w"}, {"y"})}, {huge}), "more than 1099511627776 elements"));
  huge.shape = {std::int64_t{1} << 30, std::int64_t{1} << 8};
  CHECK(refused(small_model({node("Add", {"x", "w"}, {"y"})}, {huge}),
                "has 16 bytes instead of 1099511627776"));
  huge.shape = {-4};
  CHECK(refused(small_model({node("Add", {"x", "w"}, {"y"})}, {huge}), "an axis of -4"));
  CHECK(refused(small_model({node("Add", {"x", "z"}, {"y"}), node("Neg", {"y"}, {"z"})}),
                "nothing before it makes 'z': there is a circle"));
  CHECK(refused(small_model({node("Neg", {"x"}, {"y"}), node("Neg", {"x"}, {"y"})}), "two nodes make 'y'"));
  onnx::ModelRecord wide = small_model({node("Neg", {"x"}, {"y"})});
  wide.graph.inputs[0].shape[1].number = std::int64_t{1} << 60;
  wide.graph.inputs[0].shape.push_back({std::int64_t{1} << 60});
  CHECK(testing::thrown([&] { imported(wide); }).has_value());
  for (const std::int64_t many : {std::int64_t{1} << 60, std::int64_t{-1}})
    CHECK(refused(small_model({node("Tile", {"x", "n"}, {"y"})}, {integers("n", {1, many})}), "copies",
                  ErrorCode::model));
  CHECK(refused(small_model({node("ConstantOfShape", {"n"}, {"c"}), node("Add", {"x", "c"}, {"y"})},
                            {integers("n", {std::int64_t{1} << 31, std::int64_t{1} << 31})}),
                "", ErrorCode::model));
  CHECK(refused(
      small_model({node("Range", {"a", "b", "c"}, {"r"}), node("Add", {"x", "r"}, {"y"})},
                  {tensor("a", ElementType::i64, {}, std::vector<std::int64_t>{0}),
                   tensor("b", ElementType::i64, {}, std::vector<std::int64_t>{std::int64_t{1} << 62}),
                   tensor("c", ElementType::i64, {}, std::vector<std::int64_t>{1})}),
      "", ErrorCode::model));
  const std::vector<std::int64_t> least(1, std::numeric_limits<std::int64_t>::min());
  CHECK(refused(small_model({node("Range", {"a", "b", "c"}, {"r"}), node("Add", {"x", "r"}, {"y"})},
                            {tensor("a", ElementType::i64, {}, least),
                             tensor("b", ElementType::i64, {}, std::vector<std::int64_t>{0}),
                             tensor("c", ElementType::i64, {}, std::vector<std::int64_t>{1})}),
                "a range of no elements, or of more than a million", ErrorCode::model));
  CHECK(refused(small_model({node("Reshape", {"x", "shape"}, {"y"}, {{"allowzero", std::int64_t{1}}})},
                            {integers("shape", {0, -1})}),
                "does not become [0, -1]", ErrorCode::model));
  for (const char* const op : {"ReduceProd", "ReduceLogSumExp", "ReduceSum"})
    CHECK(refused(
        small_model({node(op, {"cube"}, {"r"},
                          {{"axes", std::vector<std::int64_t>{0, -3}}, {"keepdims", std::int64_t{0}}}),
                     node("Add", {"x", "r"}, {"y"})},
                    {floats("cube", {2, 3, 4})}),
        "it names an axis twice", ErrorCode::model));
  std::vector<onnx::NodeRecord> tiles;
  for (int i = 0; i < 400; ++i) tiles.push_back(node("Tile", {"x", "n"}, {"t" + std::to_string(i)}));
  tiles.push_back(node("Neg", {"x"}, {"y"}));
  CHECK(refused(small_model(tiles, {integers("n", {1, 10000})}),
                "its nodes become more than 4000000 nodes and operands"));
  // A graph in a node of a graph, again and again.
  onnx::GraphRecord inner;
  inner.nodes = {node("Neg", {"x"}, {"d"})};
  inner.outputs = {value("d", {})};
  for (int depth = 0; depth < 40; ++depth) {
    onnx::GraphRecord outer;
    outer.nodes = {
        node("If", {"c"}, {"d"},
             {{"then_branch", onnx::SharedGraph(std::make_shared<const onnx::GraphRecord>(inner))}})};
    outer.outputs = {value("d", {})};
    inner = std::move(outer);
  }
  onnx::ModelRecord deep = small_model({});
  deep.graph.nodes = inner.nodes;
  deep.graph.outputs = {value("d", {batch, {4}})};
  CHECK(refused(deep, "deep"));
  CHECK(throws([] { onnx::import_model(std::string(1000, '\xFF'), {}); }, ErrorCode::data, "no ONNX file"));
  CHECK(throws([] { onnx::import_model("", {}); }, ErrorCode::data, "no graph"));
}

TEST_CASE("weights in other files are read within one folder, if that is allowed") {
  const testing::TemporaryFolder folder;
  std::ofstream(folder.path() / "weights.bin", std::ios::binary)
      << std::string(8, '\0') << floats("w", {4}).bytes;
  onnx::TensorRecord outside = floats("w", {4});
  outside.bytes.clear();
  const auto model_with = [&](const std::string& location, std::int64_t offset) {
    onnx::TensorRecord weight = outside;
    weight.external = onnx::ExternalData{location, offset, std::nullopt};
    return onnx::serialise(small_model({node("Mul", {"x", "w"}, {"y"})}, {weight}));
  };
  const auto import_with = [&](const std::string& location, std::int64_t offset = 8, bool allowed = true) {
    onnx::ImportOptions options;
    if (allowed) options.external_data = folder.path();
    return onnx::import_model(model_with(location, offset), options);
  };
  const auto refused = [&](const std::string& location, const std::string& what, std::int64_t offset = 8,
                           bool allowed = true) {
    return throws([&] { import_with(location, offset, allowed); }, ErrorCode::data, what);
  };
  CHECK(run(import_with("weights.bin"), {1, 1, 1, 1}, 1) == std::vector<float>{0.5F, 0.75F, 1.0F, 1.25F});
  CHECK(refused("weights.bin", "--external-data", 8, false));
  CHECK(refused("../weights.bin", "not beside it"));
  CHECK(refused("/etc/passwd", "not beside it"));
  CHECK(refused("none.bin", "not there"));
  CHECK(refused("weights.bin", "has 24 bytes", 12));
  fs::create_symlink(folder.path() / "weights.bin", folder.path() / "link.bin");
  CHECK(refused("link.bin", "a link leads to"));
  fs::create_hard_link(folder.path() / "weights.bin", folder.path() / "hard.bin");
  CHECK(refused("hard.bin", "another name too"));
}
