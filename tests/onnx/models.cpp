// The bundled models as ONNX files, part by part, with what graphrun makes of some rows: for
// tests/onnx/compare.py, which lets a stranger's runtime compute them.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "files/npy.hpp"
#include "graph/graph.hpp"
#include "onnx/export/export_model.hpp"
#include "tests/onnx/block_models.hpp"
#include "tests/onnx/bundled.hpp"
#include "tests/onnx/reader.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/programs.hpp"

using namespace graphrun;
using graphrun::testing::clean;
using graphrun::testing::draws_of;
using graphrun::testing::stirred;

namespace {

namespace fs = std::filesystem;

struct Values {
  std::map<std::string, std::vector<float>> floats = {};
  std::map<std::string, std::vector<std::int32_t>> integers = {};
};

void write_floats(const fs::path& path, const Extents& extents, std::span<const std::byte> bytes,
                  DType dtype) {
  const std::vector<std::size_t> shape(extents.begin(), extents.end());
  files::write_npy(path, dtype == DType::i32 ? files::StoredType::i32 : files::StoredType::f32, shape, bytes);
}

/// Draws a value for each input of the file, runs the model on it, and writes both.
void write_rows(const fs::path& folder, train::Learner& learner, const testing::ReadModel& file,
                std::int64_t rows) {
  fs::create_directories(folder);
  std::mt19937 random(static_cast<unsigned>(rows));
  std::uniform_real_distribution<float> unit(0.0F, 1.0F);
  Values drawn;
  train::Examples examples;
  examples.count = rows;
  for (const std::string& input : file.inputs) {
    const std::string name = input.substr(0, input.find(' '));
    const Type& type = learner.model().graph.node(train::given_node(learner.model(), name)).type;
    const Extents extents = bind(type.shape, rows);
    const std::int64_t count = element_count(extents);
    train::Column column;
    column.row_elements = count / rows;
    if (type.dtype == DType::i32) {
      std::vector<std::int32_t>& values = drawn.integers[name];
      for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<std::int32_t>(random() % 10));
      column.kind = train::ColumnKind::i32_labels;
      column.bytes = std::as_bytes(std::span(values));
    } else {
      std::vector<float>& values = drawn.floats[name];
      for (std::int64_t i = 0; i < count; ++i) values.push_back(unit(random));
      column.kind = train::ColumnKind::f32_values;
      column.bytes = std::as_bytes(std::span(values));
    }
    write_floats(folder / ("in." + name + ".npy"), extents, column.bytes, type.dtype);
    examples.columns[name] = column;
  }
  std::vector<std::string> outputs;
  for (const std::string& output : file.outputs) outputs.push_back(output.substr(0, output.find(' ')));
  for (const train::OutputValues& output : learner.run(outputs, examples, {.together = true}))
    write_floats(folder / ("out." + output.name + ".npy"), output.extents, output.bytes, output.type.dtype);
}

/// One file an opset, computed by a learner with the same weights that adds no noise.
void write_part(const fs::path& folder, train::Learner& learner, train::Learner& runner,
                const onnx::ExportOptions& part) {
  fs::create_directories(folder);
  std::ofstream(folder / "about.txt") << folder.filename().string() << "\n";
  for (const std::int64_t opset : {13, 17, 18, 20, 21}) {
    onnx::ExportOptions options = part;
    options.opset = opset;
    const std::string bytes = onnx::export_model(learner, options).bytes;
    std::ofstream(folder / ("opset" + std::to_string(opset) + ".onnx"), std::ios::binary) << bytes;
    if (opset != 17) continue;
    for (const std::int64_t rows : {1, 7})
      write_rows(folder / std::to_string(rows), runner, testing::read_model(bytes), rows);
  }
}

}  // namespace

TEST_CASE("the bundled models as ONNX files in GRAPHRUN_ONNX_FOLDER", "[.write-onnx]") {
  const char* const folder = std::getenv("GRAPHRUN_ONNX_FOLDER");
  REQUIRE(folder != nullptr);
  for (const fs::directory_entry& entry : fs::directory_iterator(testing::in_source("/models"))) {
    if (entry.path().extension() != ".yaml") continue;
    const std::string name = entry.path().stem().string();
    INFO(name);
    const train::SharedDefinition model = train::load_definition(entry.path().string());
    train::Learner learner = stirred(model);
    train::Learner runner = stirred(clean(entry.path().string()));
    const auto write = [&](const char* part, const std::vector<std::string>& given) {
      write_part(fs::path(folder) / (name + "." + part), learner, runner, {.part = {part}, .given = given});
    };
    write("whole", draws_of(name));
    if (model->role("code")) write("encoder", {});
    if (model->role("image")) write("decoder", {});
  }
  for (const testing::BlockModel& block : testing::block_models()) {
    INFO(block.name);
    if (block.name == "names_that_meet") continue;  // its output has another name in the file
    train::Learner learner = stirred(train::parse_definition(block.text, block.name + ".yaml"));
    write_part(fs::path(folder) / ("block." + block.name), learner, learner, {});
  }
}
