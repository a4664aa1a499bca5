/// \file
/// The layers of a model and the variables in them, found by what the graph computes: so that weights from
/// elsewhere, which have other names, other axes and another order of pixels, can be put in their places.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "language/recipe/definition.hpp"
#include "layers/arrays.hpp"

namespace graphrun::weights {

enum class LayerKind : std::uint8_t {
  dense,
  convolution,
  transposed_convolution,
  batch_norm,
  layer_norm,
  lstm,
  gru,
  table,  ///< rows that are gathered
  free    ///< a variable by itself
};

/// What a variable is in its layer. A normalisation's gain is its weight, its shift its bias. What a
/// recurrent layer makes of its own states is recurrent.
enum class Part : std::uint8_t { weight, bias, mean, variance, recurrent, recurrent_bias };

struct LayerVariable {
  Part part = Part::weight;
  std::string name;
  Extents extents;
};

/// A layer with variables of its own; what it shares stands in the first that has it.
struct Layer {
  LayerKind kind = LayerKind::free;
  std::string path;  ///< "enc.0": what its variables' names begin with
  std::vector<LayerVariable> variables;
  bool is_transposed = false;  ///< dense: the weight is [units, inputs]
  bool is_reverse = false;     ///< recurrent: it goes from the last step to the first
  /// The image that is flattened before the layer, and the one that is made of what it gives, if they have
  /// several channels: their order is graphrun's in the weights, and another elsewhere.
  std::optional<layers::ImageExtents> before = {};
  std::optional<layers::ImageExtents> after = {};
};

/// In the order of the graph; variables that no output needs are left out.
std::vector<Layer> layers_of(const ModelDefinition& model);

std::string_view to_string(LayerKind kind);

}  // namespace graphrun::weights
