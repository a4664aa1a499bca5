#include "onnx/translation.hpp"

namespace graphrun::onnx {

namespace {

std::vector<AttributeRecord> window(const Node& node) {
  const std::int64_t kernel = node.attributes.integer("kernel");
  const std::int64_t stride = node.attributes.integer("stride");
  const std::int64_t pad = node.attributes.integer("pad");
  const std::int64_t step = stride == 0 ? kernel : stride;
  return {{"kernel_shape", std::vector<std::int64_t>{kernel, kernel}},
          {"strides", std::vector<std::int64_t>{step, step}},
          {"pads", std::vector<std::int64_t>{pad, pad, pad, pad}}};
}

void pool(Emitter& emitter, NodeId id, const char* op) {
  const Node& node = emitter.node(id);
  emitter.define(id, emitter.add(op, {emitter.value(node.inputs[0], channels_first)}, window(node)),
                 channels_first);
}

void max_pool(Emitter& emitter, NodeId id) {
  pool(emitter, id, "MaxPool");
}
void avg_pool(Emitter& emitter, NodeId id) {
  pool(emitter, id, "AveragePool");
}

void upsample(Emitter& emitter, NodeId id) {
  const Node& node = emitter.node(id);
  const auto factor = static_cast<float>(node.attributes.integer("factor"));
  const bool is_nearest = node.attributes.text("mode") == "nearest";
  std::vector<AttributeRecord> attributes{
      {"coordinate_transformation_mode", std::string(is_nearest ? "asymmetric" : "half_pixel")},
      {"mode", std::string(is_nearest ? "nearest" : "linear")}};
  if (is_nearest) attributes.push_back({"nearest_mode", std::string("floor")});
  const Value x = emitter.value(node.inputs[0], channels_first);
  const Value scales = emitter.floats({1, 1, factor, factor});
  emitter.define(id, emitter.add("Resize", {x, no_value, scales}, std::move(attributes)), channels_first);
}

constexpr TranslatedOp translations[] = {
    {"avg_pool", avg_pool}, {"max_pool", max_pool}, {"upsample", upsample}};

}  // namespace

std::span<const TranslatedOp> image_translations() {
  return translations;
}

}  // namespace graphrun::onnx
