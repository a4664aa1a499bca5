/// \file
/// A model as people draw it: layers, inputs, noise and terms of the loss, instead of single ops.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "language/recipe/definition.hpp"
#include "show/report/layer_layout.hpp"

namespace graphrun::show {

enum class LayerKind {
  input,
  layer,    ///< it has parameters
  step,     ///< it has none
  random,   ///< it draws
  weights,  ///< a parameter that stands for itself
  loss      ///< a term of the loss
};
const char* to_string(LayerKind kind);

struct Layer {
  std::string name;  ///< as it is written: "enc.0", "x", or of a term
  LayerKind kind = LayerKind::step;
  std::string what;                ///< "dense tanh", "convolution relu", "random_normal"
  Type type;                       ///< of its result
  std::vector<std::string> roles;  ///< outputs of the model that it gives: "code", "image"
};

/// In the order of the graph: an edge leads from an earlier layer to a later one, and there is one at most
/// between two.
struct LayerGraph {
  std::vector<Layer> layers;
  std::vector<LayoutEdge> edges;
};

/// What the outputs and the terms of the loss are made of. A layer is a node with a name together with all
/// that was written below it ("enc.0" with "enc.0.product"), and with what has no name and is used by it.
LayerGraph layer_graph(const ModelDefinition& model);

}  // namespace graphrun::show
