/// \file
/// How other programs name and lay out the weights of a layer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weights/model_layers.hpp"

namespace graphrun::weights {

enum class Convention : std::uint8_t { torch, keras };

/// "torch", "keras"; nothing for another word.
std::optional<Convention> convention_from(std::string_view word);

/// "encoder.0" and weight, of "encoder.0.weight"; "rnn.l1" and recurrent, of "rnn.weight_hh_l1", and
/// "rnn.reverse.l1" with "_reverse" behind it.
struct PartName {
  std::string path;
  Part part = Part::weight;
};
/// Nothing for a name that no layer has: "num_batches_tracked".
std::optional<PartName> part_name(Convention convention, std::string_view tensor);

/// Has the layer there a second bias, which is added to the first? A module's own states give it one.
bool has_second_bias(Convention convention, const Layer& layer);

/// The row of a tensor that a variable is there, if the tensor has those of two: Keras keeps both biases of a
/// gru in one.
std::optional<std::size_t> row_of(Convention convention, const Layer& layer, const LayerVariable& variable);
/// What the tensor is in its module that has the variable.
Part part_there(Convention convention, const Layer& layer, const LayerVariable& variable);
/// The shape of that tensor.
Extents extents_there(Convention convention, const Layer& layer, const LayerVariable& variable);
/// Are the gates of the layer there in another order? Keras's gru begins with the update gate.
bool swaps_gates(Convention convention, const Layer& layer);

/// A variable's name there.
std::string tensor_name(Convention convention, const Layer& layer, const LayerVariable& variable);

/// Does a module of this path go from the last step to the first?
bool is_reverse(std::string_view path);

/// Where the axes of a variable are there: axis i of theirs is axis axes[i] of ours.
std::vector<std::size_t> axes_of(Convention convention, const Layer& layer, const LayerVariable& variable);

/// An axis of ours along which the pixels of an image run, in another order there.
struct PixelAxis {
  std::size_t axis = 0;
  layers::ImageExtents image;
};
std::vector<PixelAxis> pixel_axes(Convention convention, const Layer& layer, const LayerVariable& variable);

/// A variable's values as they lie there, in its row if it has one, and back.
std::vector<float> to_theirs(Convention convention, const Layer& layer, const LayerVariable& variable,
                             std::vector<float> values);
std::vector<float> to_ours(Convention convention, const Layer& layer, const LayerVariable& variable,
                           std::vector<float> values);

}  // namespace graphrun::weights
