#include "train/measure/product_formats.hpp"

#include <algorithm>

#include "ops/op.hpp"
#include "train/learn/learning_step.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::train {

namespace {

void add(const Graph& graph, std::vector<ProductFormat>& formats) {
  for (const Node& node : graph.nodes()) {
    if (!node.op->traits.products || !node.origin) continue;
    if (std::ranges::find(formats, node.origin->path, &ProductFormat::node) != formats.end()) continue;
    const Node& read = graph.node(node.inputs.front());
    formats.push_back({node.origin->path, read.op->name == "round_bf16"});
  }
}

}  // namespace

std::vector<ProductFormat> product_formats(const ModelDefinition& model, Precision precision) {
  std::vector<ProductFormat> formats;
  if (!model.train) return formats;
  PassOptions passes;
  passes.budget = std::make_shared<Budget>(model.budget);
  passes.precision = precision;
  for (const BatchSteps& of_batch : steps_of_phases(model, ops::registry()))
    for (const LearningStep& step : of_batch.steps)
      add(*training_program(step, ops::registry(), passes).graph, formats);
  return formats;
}

}  // namespace graphrun::train
