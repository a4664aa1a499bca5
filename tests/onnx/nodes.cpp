// The tests of single nodes that come with the onnx package, run as models of graphrun's: for
// tests/onnx/nodes.py, which writes the table of docs/import.md.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "files/file.hpp"
#include "graphrun/error.hpp"
#include "onnx/import/import_model.hpp"
#include "onnx/import/read_model.hpp"
#include "onnx/import/value.hpp"
#include "tests/onnx/mutation.hpp"
#include "tests/support/catch.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/programs.hpp"

using namespace graphrun;

namespace {

namespace fs = std::filesystem;

struct Tensor {
  Extents extents;
  std::vector<double> values;
};

Tensor read(const fs::path& path) {
  const onnx::Value value = onnx::value_of(onnx::read_tensor(files::read_text_file(path, 1U << 30)), "");
  return {graphrun::bind(value.shape, 1), onnx::numbers_of(value).value()};
}

/// One row of a message, so that it can stand in a list.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// How far off a number may be, relative where it is above 1; nothing: the tests are onnx's own, with its
/// runner's.
std::optional<double> given_tolerance() {
  const char* const tolerance = std::getenv("GRAPHRUN_ONNX_TOLERANCE");
  return tolerance != nullptr ? std::optional(std::stod(tolerance)) : std::nullopt;
}

/// Empty when all outputs are equal, by the tolerances of onnx's own runner.
std::string difference(const Tensor& wanted, const train::OutputValues& output) {
  if (output.extents != wanted.extents)
    return fmt::format("output {} is {}, not {}", output.name, to_string(output.extents),
                       to_string(wanted.extents));
  const std::span<const float> values = train::as_floats(output);
  const std::optional<double> given = given_tolerance();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto got = static_cast<double>(values[i]);
    const double want = wanted.values[i];
    if (got == want || (std::isnan(got) && std::isnan(want))) continue;
    const double allowed = given ? *given * std::max(1.0, std::abs(want)) : 1e-7 + 1e-3 * std::abs(want);
    if (!(std::abs(got - want) <= allowed))
      return fmt::format("output {} has {} instead of {}", output.name, got, want);
  }
  return {};
}

Tensor input_of(const fs::path& folder, std::size_t i) {
  return read(folder / "test_data_set_0" / fmt::format("input_{}.pb", i));
}

/// As it is; and where that is refused, with sizes and axes settled, which tests like to give as inputs, and
/// the shapes that the data have.
onnx::Imported import(const fs::path& folder, std::vector<std::size_t>& given) {
  const std::string bytes = files::read_text_file(folder / "model.onnx", 1U << 30);
  const std::vector<onnx::ValueInfo> inputs = onnx::read_model(bytes).model.graph.inputs;
  onnx::ImportOptions options;
  given.clear();
  for (std::size_t i = 0; i < inputs.size(); ++i) given.push_back(i);
  try {
    return onnx::import_model(bytes, options);
  } catch (const Error&) {
    if (given_tolerance()) throw;
    given.clear();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Tensor tensor = input_of(folder, i);
      const bool is_size = tensor.extents.size() < 2 && (i > 0 || onnx::is_integer(inputs[i].type));
      if (is_size)
        options.settled[inputs[i].name] = tensor.values;
      else
        for (const std::int64_t extent : tensor.extents)
          options.shapes[inputs[i].name].push_back(Dim::number(extent));
      if (!is_size) given.push_back(i);
    }
    try {
      return onnx::import_model(bytes, options);
    } catch (const Error&) {
    }
    throw;
  }
}

std::string outcome(const fs::path& folder) {
  onnx::Imported imported;
  std::vector<std::size_t> given;
  try {
    imported = import(folder, given);
  } catch (const ModelError& error) {
    std::string all;
    for (const Diagnostic& one : error.diagnostics()) all += (all.empty() ? "" : "; ") + one.message;
    return "refused\t" + all;
  } catch (const Error& error) {
    return "refused\t" + error.message();
  }
  train::Learner learner(train::parse_definition(imported.model, "model.yaml"), {});
  learner.set_weights(imported.weights);
  for (int set = 0; fs::exists(folder / fmt::format("test_data_set_{}", set)); ++set) {
    const fs::path data = folder / fmt::format("test_data_set_{}", set);
    std::map<std::string, std::vector<float>> values;
    std::map<std::string, std::vector<std::int32_t>> labels;
    train::Examples examples;
    examples.count = 1;
    for (std::size_t i = 0; i < imported.input_names.size(); ++i) {
      const Tensor tensor = read(data / fmt::format("input_{}.pb", given.at(i)));
      if (tensor.values.empty()) continue;  // an input that says a type alone
      const std::string& name = imported.input_names[i];
      values[name].assign(tensor.values.begin(), tensor.values.end());
      const Type& type = learner.model().graph.node(train::given_node(learner.model(), name)).type;
      if (type.dtype == DType::i32) labels[name].assign(tensor.values.begin(), tensor.values.end());
      if (!type.shape.empty() && type.shape[0].is_batch()) examples.count = tensor.extents.at(0);
    }
    for (auto& [name, numbers] : values) {
      train::Column column;
      column.kind = train::ColumnKind::f32_values;
      column.row_elements = static_cast<std::int64_t>(numbers.size()) / examples.count;
      column.bytes = std::as_bytes(std::span(numbers));
      if (labels.contains(name)) {
        column.kind = train::ColumnKind::i32_labels;
        column.bytes = std::as_bytes(std::span(labels[name]));
      }
      examples.columns[name] = column;
    }
    const std::vector<train::OutputValues> outputs =
        learner.run(imported.output_names, examples, {.together = true});
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::string fault = difference(read(data / fmt::format("output_{}.pb", i)), outputs[i]);
      if (!fault.empty()) return "differs\t" + fault;
    }
  }
  return "equal\t";
}

}  // namespace

TEST_CASE("the node tests in GRAPHRUN_ONNX_NODES, one line each into GRAPHRUN_ONNX_REPORT", "[.onnx-nodes]") {
  const char* const folder = std::getenv("GRAPHRUN_ONNX_NODES");
  const char* const report = std::getenv("GRAPHRUN_ONNX_REPORT");
  REQUIRE(folder != nullptr);
  REQUIRE(report != nullptr);
  std::vector<fs::path> tests;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (fs::exists(entry.path() / "model.onnx")) tests.push_back(entry.path());
  std::ranges::sort(tests);
  std::ofstream lines(report);
  for (const fs::path& test : tests) {
    std::string result;
    try {
      result = outcome(test);
    } catch (const std::exception& error) {
      result = std::string("failed\t") + error.what();
    }
    lines << test.filename().string() << "\t" << first_line(result) << "\n" << std::flush;
  }
}

TEST_CASE("the node tests in GRAPHRUN_ONNX_NODES with changed bytes are errors or models", "[.onnx-fuzz]") {
  const char* const folder = std::getenv("GRAPHRUN_ONNX_NODES");
  const char* const wanted = std::getenv("GRAPHRUN_SEED");
  REQUIRE(folder != nullptr);
  const unsigned seed = wanted != nullptr ? static_cast<unsigned>(std::stoul(wanted)) : 1U;
  std::mt19937 random(seed);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string bytes = files::read_text_file(entry.path() / "model.onnx", 1U << 30);
    for (int round = 0; round < 20; ++round) {
      INFO(entry.path() << ", seed " << seed << ", round " << round);
      try {
        onnx::import_model(testing::mutated(bytes, random), {});
      } catch (const Error& error) {
        INFO(error.what());
        CHECK(error.code() != ErrorCode::internal);
      }
    }
  }
}
