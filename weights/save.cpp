#include "weights/save.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <vector>

#include "files/npz.hpp"
#include "files/safetensors.hpp"
#include "graph/op.hpp"

namespace graphrun::weights {

namespace {

class Writer {
 public:
  Writer(const train::Learner& learner, Convention convention) : learner_(learner), convention_(convention) {}

  void add(const Layer& layer) {
    for (const LayerVariable& variable : layer.variables)
      if (row_of(convention_, layer, variable).value_or(0) == 0) add(layer, variable);
    if (has_second_bias(convention_, layer)) add_second_bias(layer);
    if (layer.kind == LayerKind::batch_norm && convention_ == Convention::torch)
      tensors_.push_back({layer.path + ".num_batches_tracked",
                          files::StoredType::i64,
                          {},
                          std::as_bytes(std::span(&steps_, 1))});
  }

  std::size_t write(const std::filesystem::path& path) const {
    files::write_safetensors(path, tensors_, {{"format", "pt"}, {"model", learner_.model().name}});
    return tensors_.size();
  }

 private:
  void add(const Layer& layer, const LayerVariable& variable) {
    std::vector<float>& values = values_.emplace_back(theirs(layer, variable));
    if (row_of(convention_, layer, variable))
      for (const LayerVariable& second : layer.variables)
        if (row_of(convention_, layer, second) == std::size_t{1})
          std::ranges::copy(theirs(layer, second), std::back_inserter(values));
    const Extents extents = extents_there(convention_, layer, variable);
    tensors_.push_back({tensor_name(convention_, layer, variable),
                        files::StoredType::f32,
                        {extents.begin(), extents.end()},
                        std::as_bytes(std::span(values))});
  }

  std::vector<float> theirs(const Layer& layer, const LayerVariable& variable) const {
    const std::span<const float> own = learner_.variables().find(variable.name)->values;
    return to_theirs(convention_, layer, variable, {own.begin(), own.end()});
  }

  /// All of the bias is in the first.
  void add_second_bias(const Layer& layer) {
    const auto bias = std::ranges::find(layer.variables, Part::bias, &LayerVariable::part);
    if (bias == layer.variables.end()) return;
    const auto count = static_cast<std::size_t>(bias->extents.at(0));
    const std::vector<float>& zeros = values_.emplace_back(count, 0.0F);
    const LayerVariable second{Part::recurrent_bias, {}, bias->extents};
    tensors_.push_back({tensor_name(convention_, layer, second),
                        files::StoredType::f32,
                        {count},
                        std::as_bytes(std::span(zeros))});
  }

  const train::Learner& learner_;
  Convention convention_;
  std::int64_t steps_ = static_cast<std::int64_t>(learner_.state().updates);
  std::deque<std::vector<float>> values_;
  std::vector<files::TensorView> tensors_;
};

}  // namespace

std::size_t save_weights(const std::filesystem::path& path, const train::Learner& learner,
                         Convention convention) {
  Writer writer(learner, convention);
  for (const Layer& layer : layers_of(learner.model())) writer.add(layer);
  return writer.write(path);
}

std::size_t save_arrays(const std::filesystem::path& path, const train::Learner& learner) {
  std::vector<files::TensorView> arrays;
  for (const Node& node : learner.model().graph.nodes()) {
    if (!node.op->traits.variable) continue;
    const runtime::VariableStore::Variable& variable = *learner.variables().find(node.name);
    arrays.push_back({node.name,
                      files::StoredType::f32,
                      {variable.extents.begin(), variable.extents.end()},
                      std::as_bytes(variable.values)});
  }
  files::write_npz(path, arrays);
  return arrays.size();
}

}  // namespace graphrun::weights
