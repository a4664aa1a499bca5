#include "tests/onnx/small_files.hpp"

#include <span>

#include "tests/support/catch.hpp"
#include "train/learn/definition.hpp"

namespace graphrun::testing::small_files {

onnx::TensorRecord floats(const std::string& name, std::vector<std::int64_t> shape, float first) {
  std::vector<float> numbers(static_cast<std::size_t>(element_count(shape)));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = first + 0.25F * static_cast<float>(i);
  return tensor(name, onnx::ElementType::f32, std::move(shape), numbers);
}

onnx::ModelRecord small_model(std::vector<onnx::NodeRecord> nodes, std::vector<onnx::TensorRecord> weights) {
  onnx::ModelRecord model;
  model.graph.name = "g";
  model.graph.inputs = {value("x", {batch, {4}})};
  model.graph.outputs = {value("y", {batch, {4}})};
  model.graph.nodes = std::move(nodes);
  model.graph.initializers = std::move(weights);
  return model;
}

onnx::Imported imported(const onnx::ModelRecord& model, const onnx::ImportOptions& options) {
  return onnx::import_model(onnx::serialise(model), options);
}

train::Learner learner_of(const onnx::Imported& imported) {
  INFO(imported.model);
  train::Learner learner(train::parse_definition(imported.model, "model.yaml"), {});
  learner.initialise();
  learner.set_weights(imported.weights);
  return learner;
}

std::vector<float> run(const onnx::Imported& made, const std::vector<float>& x, std::int64_t rows) {
  train::Learner learner = learner_of(made);
  train::Examples examples;
  examples.count = rows;
  train::Column column;
  column.kind = train::ColumnKind::f32_values;
  column.row_elements = static_cast<std::int64_t>(x.size()) / rows;
  column.bytes = std::as_bytes(std::span(x));
  examples.columns[made.input_names.at(0)] = column;
  const auto outputs = learner.run({made.output_names.at(0)}, examples, {.together = true});
  const auto values = train::as_floats(outputs[0]);
  return {values.begin(), values.end()};
}

}  // namespace graphrun::testing::small_files
