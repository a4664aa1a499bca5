// The columns of a table as inputs of a file: they become what reading the table gives.
#include "onnx/export/raw_columns.hpp"

#include <cmath>
#include <limits>

#include "files/file.hpp"
#include "graph/interpreter.hpp"
#include "onnx/export/export_model.hpp"
#include "ops/op.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/load_table.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/programs.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

const double missing = std::numeric_limits<double>::quiet_NaN();

train::SharedDefinition model_of(const std::string& table, const std::string& how) {
  return train::parse_definition(
      "graphrun: 1\nname: m\ndata:\n  train: {table: '" + table +
          "'}\n  columns: {numbers: {standardise: [a], log: [b], quantile: [c], robust: [d]}, categories: "
          "[kind, own]}\n"
          "  missing: " +
          how +
          "\ninputs:\n  x: {from: cells}\n  seen: {from: mask}\n  own: {from: column}\n"
          "nodes: {y: \"x * 1 + 0 * seen\", place: \"cast(own, dtype=f32) * 1\"}\n"
          "outputs: {row: y, there: seen, place: place}\n",
      "m.yaml");
}

}  // namespace

TEST_CASE("raw columns become the cells and the mask that reading a table gives") {
  const TemporaryFolder folder;
  const std::string path = (folder / "a.csv").string();
  files::write_text_file(
      path, "a,b,c,d,kind,own\n1,-5,2,7,x,p\n2,9,2,,y,q\n,0,5,8,x,p\n4,100,7,9,,q\n6,1,2,11,z,q\n");
  const std::vector<double> columns = {1,       -5,  2, 7,       0,       0,  //
                                       2,       9,   2, missing, 1,       1,  //
                                       missing, 0,   5, 8,       0,       0,  //
                                       4,       100, 7, 9,       missing, 1,  //
                                       6,       1,   2, 11,      2,       1};
  for (const std::string how : {"mask", "median"}) {
    const train::SharedDefinition model = model_of(path, how);
    const train::ImageSet rows = train::load_table_data(*model->data).train;
    CHECK(onnx::raw_columns(*model) == std::vector<std::string>{"a", "b", "c", "d", "kind", "own"});
    const OpRegistry& registry = ops::registry();
    Builder builder = train::copy_of(model->graph, registry);
    for (const NamedOutput& role : model->roles) builder.output(role.name, role.node);
    const Graph raw = onnx::with_raw_columns(std::move(builder).finish(), *model, registry);
    InterpreterRun run;
    run.batch = 5;
    run.feeds["columns"] = {{5, 6}, columns};
    HostVariables none;
    const std::vector<HostTensor> values = interpret(raw, none, run);
    const std::vector<double>& cells = values[raw.output("row")].values;
    const std::vector<double>& there = values[raw.output("there")].values;
    REQUIRE(cells.size() == rows.values.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      CHECK(std::abs(cells[i] - static_cast<double>(rows.values[i])) < 1e-6);
      CHECK(there[i] == static_cast<double>(rows.mask[i]));
    }
    CHECK(values[raw.output("place")].values == std::vector<double>{0, 1, 0, 1, 1});
  }
}

TEST_CASE("a file of raw columns is written, and says what they are called") {
  onnx::ExportOptions raw;
  raw.raw = true;
  const TemporaryFolder folder;
  const std::string path = (folder / "a.csv").string();
  files::write_text_file(path, "a,b,c,d,kind,own\n1,-5,2,7,x,p\n2,9,2,8,y,q\n4,100,7,9,x,q\n");
  train::Learner learner(model_of(path, "mask"), {});
  learner.initialise();
  const onnx::Exported exported = onnx::export_model(learner, raw);
  CHECK(exported.inputs == std::vector<std::string>{"columns f32[batch, 6]"});
  CHECK(contains(exported.bytes, "graphrun.columns"));
  const train::SharedDefinition other = train::parse_definition(
      "graphrun: 1\nname: m\ninputs: {x: {shape: [batch, 2]}}\nnodes: {y: x * 2}\noutputs: {y: y}\n",
      "m.yaml");
  train::Learner images(other, {});
  images.initialise();
  CHECK(throws([&] { onnx::export_model(images, raw); }, ErrorCode::usage,
               "model 'm' has not learnt from a table, so it has no raw columns"));
}
