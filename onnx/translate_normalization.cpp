// Layers that are several nodes of a graph and one of ONNX.
#include "layers/patterns.hpp"
#include "onnx/translation.hpp"

namespace graphrun::onnx {

namespace {

AttributeRecord epsilon_of(const layers::Normalization& layer) {
  return {"epsilon", static_cast<float>(layer.epsilon)};
}

}  // namespace

bool define_batch_normalization(Emitter& emitter, NodeId id) {
  const std::optional<layers::Normalization> layer = layers::batch_normalization(emitter.graph(), id);
  const Shape& shape = emitter.node(id).type.shape;
  if (!layer || emitter.node(layer->x).type.shape != shape || (shape.size() != 2 && shape.size() != 4))
    return false;
  const bool is_image = shape.size() == 4;
  const Layout layout = is_image ? channels_first : emitter.planned(id);
  std::vector<Value> inputs{emitter.value(layer->x, layout)};
  for (const NodeId weight : {layer->gain, layer->shift, layer->mean, layer->variance})
    inputs.push_back(emitter.value(weight, is_image ? plain : layout));
  emitter.define(id, emitter.add("BatchNormalization", std::move(inputs), {epsilon_of(*layer)}), layout);
  return true;
}

bool define_layer_normalization(Emitter& emitter, NodeId id) {
  if (emitter.opset() < 17) return false;
  const std::optional<layers::Normalization> layer = layers::layer_normalization(emitter.graph(), id);
  if (!layer || emitter.node(layer->x).type.shape != emitter.node(id).type.shape) return false;
  const std::vector<Value> inputs{emitter.value(layer->x), emitter.value(layer->gain),
                                  emitter.value(layer->shift)};
  emitter.define(id,
                 emitter.add("LayerNormalization", inputs, {{"axis", std::int64_t{-1}}, epsilon_of(*layer)}));
  return true;
}

}  // namespace graphrun::onnx
