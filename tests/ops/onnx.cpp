// The whole op table as ONNX files. Here it is held that each can be written; a stranger's runtime computes
// them in tests/onnx/compare.py, for which a hidden case writes files, inputs and what the reference makes of
// them.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <set>

#include "autograd/gradients.hpp"
#include "files/npy.hpp"
#include "graph/op.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/term.hpp"
#include "graph/window.hpp"
#include "onnx/records.hpp"
#include "onnx/translate.hpp"
#include "onnx/translation.hpp"
#include "ops/op.hpp"
#include "tests/ops/op_case.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;
using namespace graphrun::op_table;

namespace {

/// How many ops are written at least. One more needs no word here; one fewer is a translation that got lost.
constexpr std::ptrdiff_t fewest_written = 58;

/// Ops may have no translation: draws, what only gradients are made of, what ONNX has nothing for.
bool is_translated(const Node& node) {
  return node.op->traits.input || node.op->traits.variable || node.op->traits.constant ||
         onnx::translation_of(*node.op) != nullptr;
}

Graph program_of(const OpCase& one) {
  Builder builder(ops::registry());
  builder.output("y", add_op(builder, one));
  return make_executable(std::move(builder).finish(), ops::registry());
}

/// The gradients of y^2 / 2 + y: what backward graphs are made of.
std::optional<Graph> gradients_of(const OpCase& one) {
  Builder builder(ops::registry());
  const Term y(builder, add_op(builder, one));
  const std::vector<std::string> smooth = smooth_operands(one);
  if (!std::holds_alternative<Vjp>(y.builder().node(y).op->gradient) || smooth.empty()) return std::nullopt;
  std::vector<NodeId> operands;
  for (NodeId id = 0; id < y.id(); ++id)
    if (std::ranges::find(smooth, builder.node(id).name) != smooth.end()) operands.push_back(id);
  const std::vector<NodeId> gradients = append_gradients(builder, 0.5 * (y * y) + y, operands);
  for (std::size_t i = 0; i < gradients.size(); ++i) builder.output("g" + std::to_string(i), gradients[i]);
  return make_executable(std::move(builder).finish(), ops::registry());
}

onnx::ModelRecord model_of(const Graph& graph, std::int64_t opset) {
  onnx::ModelRecord model;
  model.opset = opset;
  model.graph = onnx::translate(graph, {}, opset);
  model.graph.name = "case";
  return model;
}

/// What is said about a graph that cannot be written.
std::vector<Diagnostic> mistakes_of(const Graph& graph) {
  try {
    onnx::translate(graph, {}, 17);
  } catch (const ModelError& error) {
    CHECK_FALSE(error.diagnostics().empty());
    return error.diagnostics();
  }
  FAIL("it was written");
  return {};
}

bool has_batch(const Type& type) {
  return std::ranges::any_of(type.shape, [](const Dim& dim) { return !dim.is_number(); });
}

/// Is it a pool with a margin that runtimes of ONNX refuse?
bool has_wide_margin(const Node& node) {
  if (node.op->name != "max_pool" && node.op->name != "avg_pool") return false;
  const Window window = window_of(sides(node.attributes, "kernel"), node.attributes);
  return std::max(window.vertical.before, window.vertical.after) >= window.vertical.kernel ||
         std::max(window.horizontal.before, window.horizontal.after) >= window.horizontal.kernel;
}

/// `graph` has no other ops than those that are written, and an input that tells the batch where one is
/// needed.
bool is_writable(const Graph& graph) {
  bool is_needed = false;
  bool is_told = false;
  for (const Node& node : graph.nodes())
    (node.op->traits.input ? is_told : is_needed) |= has_batch(node.type);
  if (is_needed && !is_told) return false;
  return std::ranges::all_of(graph.nodes(), is_translated) &&
         std::ranges::none_of(graph.nodes(), has_wide_margin);
}

/// From which opset on ONNX has all of it: averages over dilated windows came late.
std::int64_t first_opset(const Graph& graph) {
  const bool is_late = std::ranges::any_of(graph.nodes(), [](const Node& node) {
    return node.op->name == "avg_pool" && sides(node.attributes, "dilation") != Sides{1, 1};
  });
  return is_late ? 19 : 13;
}

void write_array(const std::filesystem::path& path, const HostTensor& tensor, DType dtype) {
  const std::vector<std::size_t> shape(tensor.extents.begin(), tensor.extents.end());
  const files::StoredType type = dtype == DType::i32  ? files::StoredType::i32
                                 : dtype == DType::u8 ? files::StoredType::u8
                                                      : files::StoredType::f32;
  files::write_npy(path, type, shape, to_bytes(tensor, dtype));
}

/// Which of NaNs is the largest is left open by ONNX, and runtimes differ.
bool is_left_open(const OpCase& one) {
  return (one.op == "max" || one.op == "argmax") &&
         std::ranges::any_of(one.operands, [](const Operand& operand) {
           return std::ranges::any_of(operand.values, [](double x) { return std::isnan(x); });
         });
}

class Writer {
 public:
  explicit Writer(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void write(const OpCase& one, const Graph& graph, const std::string& what) {
    const std::filesystem::path folder = folder_ / std::to_string(count_++);
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "about.txt") << what << describe(one) << "\n";
    for (const std::int64_t opset : {13, 17, 18, 20, 21})
      if (opset >= first_opset(graph))
        std::ofstream(folder / ("opset" + std::to_string(opset) + ".onnx"), std::ios::binary)
            << onnx::serialise(model_of(graph, opset));
    for (const std::int64_t rows :
         has_drawn_operands(one) ? std::vector<std::int64_t>{1, 7} : std::vector{one.batch})
      write_rows(folder / std::to_string(rows), one, graph, rows);
  }

 private:
  static void write_rows(const std::filesystem::path& folder, const OpCase& one, const Graph& graph,
                         std::int64_t rows) {
    std::filesystem::create_directories(folder);
    InterpreterRun run;
    run.batch = rows;
    run.feeds = operand_values(one, rows);
    HostVariables none;
    const std::vector<HostTensor> values = interpret(graph, none, run);
    for (const Node& node : graph.nodes())
      if (node.op->traits.input)
        write_array(folder / ("in." + node.name + ".npy"), run.feeds.at(node.name), node.type.dtype);
    for (const NamedOutput& output : graph.outputs())
      write_array(folder / ("out." + output.name + ".npy"), values[output.node],
                  graph.node(output.node).type.dtype);
  }

  std::filesystem::path folder_;
  std::size_t count_ = 0;
};

}  // namespace

TEST_CASE("an op is written as ONNX at every opset, or refused by its name with what to do") {
  std::set<std::string> written;
  for (const OpCase& one : all_cases()) {
    INFO(describe(one));
    const Graph graph = program_of(one);
    if (is_writable(graph)) {
      written.insert(one.op);
      for (const std::int64_t opset : {13, 17, 21}) {
        if (opset >= first_opset(graph))
          CHECK_NOTHROW(onnx::serialise(model_of(graph, opset)));
        else
          CHECK_THROWS_AS(model_of(graph, opset), ModelError);
      }
      continue;
    }
    for (const Diagnostic& mistake : mistakes_of(graph)) {
      INFO(mistake.message << " | " << mistake.fix);
      CHECK_FALSE(mistake.fix.empty());
      const bool says_why = mistake.message.find("ONNX") != std::string::npos;
      CHECK((says_why || mistake.message.find("batch") != std::string::npos));
      CHECK(std::ranges::any_of(graph.nodes(), [&](const Node& node) {
        return node.op->name == mistake.op && node.name == mistake.node;
      }));
    }
  }
  CHECK(std::ssize(written) >= fewest_written);
}

TEST_CASE("the op table as ONNX files in GRAPHRUN_ONNX_FOLDER", "[.write-onnx]") {
  const char* const folder = std::getenv("GRAPHRUN_ONNX_FOLDER");
  REQUIRE(folder != nullptr);
  Writer writer(folder);
  for (const OpCase& one : all_cases()) {
    const Graph graph = program_of(one);
    if (!is_writable(graph) || is_left_open(one)) continue;
    writer.write(one, graph, "");
    const std::optional<Graph> gradients = has_drawn_operands(one) ? gradients_of(one) : std::nullopt;
    if (gradients && is_writable(*gradients)) writer.write(one, *gradients, "gradients of ");
  }
}
