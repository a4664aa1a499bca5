#include "show/draw/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "graph/needed.hpp"
#include "graph/op.hpp"
#include "show/draw/pictures.hpp"
#include "train/datasets/bind_inputs.hpp"

namespace graphrun::show {

namespace {

/// What may be looked at beside data.
enum class Beside { nothing, parameters };

/// Is it computed from data, and not from the images, nor from chance?
std::vector<bool> made_of_data(const Graph& graph, NodeId image, Beside beside) {
  std::vector<bool> is_pure(graph.size());
  std::vector<bool> from_data(graph.size());
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    bool sees_data = node.op->traits.input;
    const bool is_allowed = beside == Beside::parameters || !node.op->traits.variable;
    is_pure[id] = is_allowed && !node.op->traits.random && id != image;
    for (const NodeId input : node.inputs) {
      is_pure[id] = is_pure[id] && is_pure[input];
      sees_data = sees_data || from_data[input];
    }
    from_data[id] = is_pure[id] && sees_data;
  }
  return from_data;
}

/// Another order of the same values row by row is the same for whoever compares with the file.
NodeId without_reshape(const Graph& graph, NodeId id) {
  while (graph.node(id).op->name == "reshape") id = graph.node(id).inputs.front();
  return id;
}

/// The images, and what a cross entropy has in their place: their logarithm, or the logits they are made of.
std::vector<bool> stand_for(const Graph& graph, NodeId image) {
  std::vector<bool> stands(graph.size());
  stands[image] = true;
  if (graph.node(image).op->name == "sigmoid") stands[graph.node(image).inputs.front()] = true;
  for (NodeId id = 0; id < graph.size(); ++id)
    if (graph.node(id).op->name == "log" && graph.node(id).inputs.front() == image) stands[id] = true;
  return stands;
}

/// The data that a node behind the loss brings together with the images.
std::optional<NodeId> compared_with(const Graph& graph, NodeId objective, NodeId image, Beside beside) {
  const std::vector<bool> used = needed_by(graph, std::span(&objective, 1));
  const std::vector<bool> from_data = made_of_data(graph, image, beside);
  const std::vector<bool> stands = stand_for(graph, image);
  const Type& type = graph.node(image).type;
  for (std::size_t id = graph.size(); id-- > 0;) {
    const std::vector<NodeId>& inputs = graph.node(static_cast<NodeId>(id)).inputs;
    if (!used[id] || inputs.size() != 2) continue;
    for (const auto& [one, other] : {std::pair(inputs[0], inputs[1]), std::pair(inputs[1], inputs[0])})
      if (stands[one] && from_data[other] && graph.node(other).type == type) return other;
  }
  return std::nullopt;
}

/// Is it the images, as they are in their file?
bool is_images(const ModelDefinition& model, NodeId target) {
  const Node& source = model.graph.node(without_reshape(model.graph, target));
  const auto images = std::ranges::find_if(
      model.inputs, [](const ModelInput& input) { return takes_examples(input.source); });
  return source.op->traits.input && images != model.inputs.end() && source.name == images->name;
}

/// Images of one's own may come without what they are to become.
bool lacks_targets(const ModelDefinition& model, NodeId target, const train::Examples& examples) {
  const std::vector<bool> needed = needed_by(model.graph, std::span(&target, 1));
  return std::ranges::any_of(model.inputs, [&](const ModelInput& input) {
    const std::optional<NodeId> node = model.graph.find(input.name);
    return input.source == InputSource::targets && node && needed[*node] &&
           !examples.columns.contains(input.name);
  });
}

/// The input that takes what the images are to become, if that is as large as what the model makes.
std::optional<NodeId> given_target(const ModelDefinition& model, std::size_t values) {
  const auto given = std::ranges::find_if(model.inputs, [&](const ModelInput& input) {
    return input.source == InputSource::targets &&
           train::row_elements(model, input) == static_cast<std::int64_t>(values);
  });
  return given == model.inputs.end() ? std::nullopt : model.graph.find(given->name);
}

}  // namespace

std::optional<NodeId> target_of_images(const ModelDefinition& model) {
  const Graph& graph = model.graph;
  const std::optional<NodeId> image = model.role("image");
  if (!image || !model.objective) return std::nullopt;
  const std::optional<NodeId> target = compared_with(graph, *model.objective, *image, Beside::nothing);
  // What a normalisation makes of the data has learnt numbers in it.
  return target ? target : compared_with(graph, *model.objective, *image, Beside::parameters);
}

ImageTargets::ImageTargets(train::Learner& learner, const train::Examples& examples,
                           const train::ImageSet& images, const train::OutputValues& output)
    : images_(images) {
  const ModelDefinition& model = learner.model();
  const std::size_t values = values_per_row(output);
  std::optional<NodeId> target = target_of_images(model);
  if (!target) target = given_target(model, values);
  are_known_ = !target || !lacks_targets(model, *target, examples);
  if (!are_known_) return;
  if (target && !is_images(model, *target)) values_ = learner.run(*target, examples);
  if (values_ && values_->bytes.size() != output.bytes.size()) values_.reset();
  if (!values_ && values != images.values_per_image())
    throw Error(
        ErrorCode::usage,
        fmt::format("output 'image' has {} values an image, and the images have {}: there is nothing to "
                    "compare it with, unless the loss compares it with what the images are to become "
                    "(`targets:` beside `images:`), or with something else of its size",
                    values, images.values_per_image()));
}

double ImageTargets::value(std::size_t index) const {
  return values_ ? static_cast<double>(as_floats(*values_)[index]) : images_.value(index);
}

}  // namespace graphrun::show
