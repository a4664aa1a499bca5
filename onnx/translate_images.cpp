#include <algorithm>

#include "onnx/translation.hpp"

namespace graphrun::onnx {

namespace {

/// A dilated window reaches further than its kernel, and so may its margins; runtimes refuse such.
void require_narrow_margins(const Window& window) {
  for (const WindowAxis& axis : {window.vertical, window.horizontal})
    if (std::max(axis.before, axis.after) >= axis.kernel)
      throw OpError("ONNX runtimes take no margin of a pool that is as wide as its kernel",
                    "Make the pad smaller than the kernel.");
}

void pool(Emitter& emitter, NodeId id, const char* op) {
  const Node& node = emitter.node(id);
  const Window window = window_of(sides(node.attributes, "kernel"), node.attributes);
  require_narrow_margins(window);
  emitter.define(id, emitter.add(op, {emitter.value(node.inputs[0], channels_first)}, window_records(window)),
                 channels_first);
}

void max_pool(Emitter& emitter, NodeId id) {
  pool(emitter, id, "MaxPool");
}
void avg_pool(Emitter& emitter, NodeId id) {
  constexpr std::int64_t first_with_dilations = 19;
  const auto [down, right] = sides(emitter.node(id).attributes, "dilation");
  if ((down != 1 || right != 1) && emitter.opset() < first_with_dilations)
    throw OpError("ONNX averages over dilated windows from opset 19 on", "Export with --opset 19.");
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

const char* nearest_mode(const std::string& rounding) {
  if (rounding == "half_down") return "round_prefer_floor";
  return rounding == "half_up" ? "round_prefer_ceil" : rounding == "floor" ? "floor" : "ceil";
}

void resize(Emitter& emitter, NodeId id) {
  const Node& node = emitter.node(id);
  const Shape& y = node.type.shape;
  const bool is_nearest = node.attributes.text("mode") == "nearest";
  std::vector<AttributeRecord> attributes{
      {"coordinate_transformation_mode", node.attributes.text("coordinates")},
      {"mode", std::string(is_nearest ? "nearest" : "linear")}};
  if (is_nearest)
    attributes.push_back({"nearest_mode", std::string(nearest_mode(node.attributes.text("rounding")))});
  const Value x = emitter.value(node.inputs[0], channels_first);
  const Value sizes = emitter.shape({y[0], y[3], y[1], y[2]});
  emitter.define(id, emitter.add("Resize", {x, no_value, no_value, sizes}, std::move(attributes)),
                 channels_first);
}

constexpr TranslatedOp translations[] = {
    {"avg_pool", avg_pool}, {"max_pool", max_pool}, {"resize", resize}, {"upsample", upsample}};

}  // namespace

std::span<const TranslatedOp> image_translations() {
  return translations;
}

}  // namespace graphrun::onnx
