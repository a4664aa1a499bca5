#include <algorithm>

#include "onnx/translation.hpp"

namespace graphrun::onnx {

namespace {

/// Does what is left have its axes in the order of the graph? Channels are last there.
bool keeps_order(const layers::Reduction& reduction) {
  const auto has = [&](std::size_t axis) {
    return std::ranges::find(reduction.axes, axis) != reduction.axes.end();
  };
  return has(3) || (has(1) && has(2));
}

void sum(Emitter& emitter, NodeId id) {
  define_reduction(emitter, id, "ReduceSum", layers::reduction_of(emitter.graph(), id));
}
void max(Emitter& emitter, NodeId id) {
  define_reduction(emitter, id, "ReduceMax", layers::reduction_of(emitter.graph(), id));
}

std::size_t axis_of(const Emitter& emitter, NodeId id) {
  const Node& node = emitter.node(id);
  return *normalised_axis(node.attributes.integer("axis"), emitter.node(node.inputs[0]).type.shape.size());
}

void logsumexp(Emitter& emitter, NodeId id) {
  const Node& node = emitter.node(id);
  define_reduction(emitter, id, "ReduceLogSumExp",
                   {node.inputs[0], {axis_of(emitter, id)}, node.attributes.flag("keepdims")});
}

void along_axis(Emitter& emitter, NodeId id, const char* op) {
  const NodeId x = emitter.node(id).inputs[0];
  const Layout layout = emitter.layout(x) == channels_first ? channels_first : plain;
  const Value y =
      emitter.add(op, {emitter.value(x, layout)}, {{"axis", axis_in(layout, axis_of(emitter, id))}});
  emitter.define(id, y, layout);
}

void softmax(Emitter& emitter, NodeId id) {
  along_axis(emitter, id, "Softmax");
}
void log_softmax(Emitter& emitter, NodeId id) {
  along_axis(emitter, id, "LogSoftmax");
}

/// Since opset 18 all reductions take their axes as a value; before, all but the sum have them as an
/// attribute.
bool takes_axes_as_input(const Emitter& emitter, const std::string& op) {
  return op == "ReduceSum" || emitter.opset() >= 18;
}

constexpr TranslatedOp translations[] = {
    {"log_softmax", log_softmax}, {"logsumexp", logsumexp}, {"max", max}, {"softmax", softmax}, {"sum", sum}};

}  // namespace

void define_reduction(Emitter& emitter, NodeId id, const std::string& op,
                      const layers::Reduction& reduction) {
  const bool is_image =
      emitter.layout(reduction.x) == channels_first && (reduction.keepdims || keeps_order(reduction));
  const Layout layout = is_image ? channels_first : plain;
  const Layout result = reduction.keepdims ? layout : plain;
  const Value x = emitter.value(reduction.x, layout);
  if (reduction.axes.empty()) return emitter.define(id, x, layout);
  std::vector<std::int64_t> axes;
  for (const std::size_t axis : reduction.axes) axes.push_back(axis_in(layout, axis));
  std::ranges::sort(axes);
  std::vector<Value> inputs{x};
  std::vector<AttributeRecord> attributes{{"keepdims", std::int64_t{reduction.keepdims ? 1 : 0}}};
  if (takes_axes_as_input(emitter, op))
    inputs.push_back(emitter.integers(axes));
  else
    attributes.push_back({"axes", axes});
  emitter.define(id, emitter.add(op, std::move(inputs), std::move(attributes)), result);
}

std::span<const TranslatedOp> reduction_translations() {
  return translations;
}

}  // namespace graphrun::onnx
