/// \file
/// What each op is in ONNX. A translation reads the node and its inputs' values from the emitter and defines
/// the node's value; one file of translate_*.cpp holds those of a family.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/graph.hpp"
#include "graph/op.hpp"
#include "graph/window.hpp"
#include "layers/patterns.hpp"
#include "onnx/emitter.hpp"

namespace graphrun::onnx {

using Translation = void (*)(Emitter& emitter, NodeId id);
struct TranslatedOp {
  std::string_view op;
  Translation translation;
};

std::span<const TranslatedOp> elementwise_translations();
std::span<const TranslatedOp> image_translations();
std::span<const TranslatedOp> index_translations();
std::span<const TranslatedOp> product_translations();
std::span<const TranslatedOp> reduction_translations();
std::span<const TranslatedOp> sequence_translations();
std::span<const TranslatedOp> shape_translations();

/// Null where ONNX has nothing that is the op exactly.
Translation translation_of(const OpDef& op);

// ---- What families share ----

/// The layout in which an elementwise node is computed: what most of its operands have.
Layout elementwise_layout(const Emitter& emitter, NodeId id);

/// Where an axis of [n, h, w, c] is in [n, c, h, w].
std::int64_t axis_in(const Layout& layout, std::size_t axis);

/// kernel_shape, strides, pads, and dilations where there are any.
std::vector<AttributeRecord> window_records(const Window& window);

/// Defines a node as a reduction by an op of ONNX.
void define_reduction(Emitter& emitter, NodeId id, const std::string& op, const layers::Reduction& reduction);

/// Is the node h of a recurrence's states, where that is all that ONNX's op makes?
bool is_hidden_state(const Emitter& emitter, NodeId id);

// ---- Several nodes that are one in ONNX ----

/// Each defines the value of `id`, the last of them, and is true; or does nothing.
bool define_affine(Emitter& emitter, NodeId id);               ///< Gemm, Conv and ConvTranspose with bias
bool define_batch_normalization(Emitter& emitter, NodeId id);  ///< of weights that are stored
bool define_layer_normalization(Emitter& emitter, NodeId id);  ///< from opset 17 on

}  // namespace graphrun::onnx
