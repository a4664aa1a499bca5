#include <algorithm>
#include <limits>

#include "onnx/translation.hpp"

namespace graphrun::onnx {

namespace {

/// Where the index counts from 0 to one less than `limit`, for what can be told: it is the place of the
/// largest of no more than these.
bool is_within(const Graph& graph, NodeId index, const Dim& limit) {
  while (graph.node(index).op->traits.moves) index = graph.node(index).inputs[0];
  const std::vector<NodeId>* const inputs = layers::inputs_of(graph, index, "argmax");
  if (inputs == nullptr || !limit.is_number()) return false;
  const Shape& shape = graph.node(inputs->front()).type.shape;
  const auto axis = normalised_axis(graph.node(index).attributes.integer("axis"), shape.size());
  return axis && shape[*axis].is_number() && shape[*axis].offset <= limit.offset;
}

Value scalar(Emitter& emitter, const Dim& dim) {
  if (dim.is_number()) return emitter.number(static_cast<double>(dim.offset), ElementType::i64);
  return emitter.add("Reshape", {emitter.extent(dim), emitter.integers({})});
}

/// true where an index is in its range.
Value within(Emitter& emitter, Value index, const Dim& limit) {
  const Value from_zero = emitter.add("GreaterOrEqual", {index, emitter.number(0, ElementType::i64)});
  const Value below = emitter.add("Less", {index, scalar(emitter, limit)});
  return emitter.add("And", {from_zero, below});
}

/// NaN where an index is out of range. ONNX counts a negative one from the end, and refuses others.
Value where_within(Emitter& emitter, Value is_within, std::size_t axes, std::size_t more, Value value) {
  std::vector<std::int64_t> added;
  for (std::size_t i = 0; i < more; ++i) added.push_back(static_cast<std::int64_t>(axes + i));
  if (more > 0) is_within = emitter.add("Unsqueeze", {is_within, emitter.integers(added)});
  return emitter.add("Where", {is_within, value, emitter.number(std::numeric_limits<double>::quiet_NaN())});
}

void gather(Emitter& emitter, NodeId id) {
  const NodeId table = emitter.node(id).inputs[0];
  const NodeId index = emitter.node(id).inputs[1];
  const Shape& rows = emitter.node(table).type.shape;
  const Value at = emitter.value(index, plain, Form::index);
  const Value values = emitter.value(table);
  if (is_within(emitter.graph(), index, rows[0]))
    return emitter.define(id, emitter.add("Gather", {values, at}));
  const Value valid = within(emitter, at, rows[0]);
  const Value safe = emitter.add("Where", {valid, at, emitter.number(0, ElementType::i64)});
  emitter.define(id, where_within(emitter, valid, emitter.node(index).type.shape.size(), rows.size() - 1,
                                  emitter.add("Gather", {values, safe})));
}

void gather_elements(Emitter& emitter, NodeId id) {
  const NodeId x = emitter.node(id).inputs[0];
  const NodeId index = emitter.node(id).inputs[1];
  const Shape& shape = emitter.node(x).type.shape;
  const std::size_t axis = *normalised_axis(emitter.node(id).attributes.integer("axis"), shape.size());
  const std::vector<AttributeRecord> along{{"axis", static_cast<std::int64_t>(axis)}};
  const Value at = emitter.value(index, plain, Form::index);
  const Value values = emitter.value(x);
  if (is_within(emitter.graph(), index, shape[axis]))
    return emitter.define(id, emitter.add("GatherElements", {values, at}, along));
  const Value valid = within(emitter, at, shape[axis]);
  const Value safe = emitter.add("Where", {valid, at, emitter.number(0, ElementType::i64)});
  emitter.define(id, where_within(emitter, valid, shape.size(), 0,
                                  emitter.add("GatherElements", {values, safe}, along)));
}

void one_hot(Emitter& emitter, NodeId id) {
  const NodeId index = emitter.node(id).inputs[0];
  const Dim depth = Dim::number(emitter.node(id).attributes.integer("depth"));
  const std::size_t axes = emitter.node(index).type.shape.size();
  Value at = emitter.value(index, plain, Form::index);
  if (axes == 0) at = emitter.add("Reshape", {at, emitter.integers({1})});  // ONNX takes no scalar
  Value ones = emitter.add("OneHot", {at, scalar(emitter, depth), emitter.floats({0, 1})});
  if (!is_within(emitter.graph(), index, depth))
    ones = where_within(emitter, within(emitter, at, depth), std::max<std::size_t>(axes, 1), 1, ones);
  if (axes == 0) ones = emitter.add("Reshape", {ones, emitter.integers({depth.offset})});
  emitter.define(id, ones);
}

void argmax(Emitter& emitter, NodeId id) {
  const NodeId x = emitter.node(id).inputs[0];
  const Shape& shape = emitter.node(x).type.shape;
  const std::size_t axis = *normalised_axis(emitter.node(id).attributes.integer("axis"), shape.size());
  // Over the channels the other axes are in the same order in both layouts.
  const Layout layout = emitter.layout(x) == channels_first && axis == 3 ? channels_first : plain;
  const Value at = emitter.add("ArgMax", {emitter.value(x, layout)},
                               {{"axis", axis_in(layout, axis)}, {"keepdims", std::int64_t{0}}});
  emitter.define(id, at, plain, Form::index);
}

/// The places of the k largest, the first of equals, each a row with a 1; summed up.
void top_k_mask(Emitter& emitter, NodeId id) {
  const Node& node = emitter.node(id);
  const std::int64_t k = node.attributes.integer("k");
  const Value x = emitter.value(node.inputs[0]);
  const Value places = emitter.add_output("TopK", {x, emitter.integers({k})}, {}, 2, 1);
  const Value ones =
      emitter.add("OneHot", {places, scalar(emitter, node.type.shape.back()), emitter.floats({0, 1})});
  emitter.define(id,
                 emitter.add("ReduceSum", {ones, emitter.integers({-2})}, {{"keepdims", std::int64_t{0}}}));
}

constexpr TranslatedOp translations[] = {{"argmax", argmax},
                                         {"gather", gather},
                                         {"gather_elements", gather_elements},
                                         {"one_hot", one_hot},
                                         {"top_k_mask", top_k_mask}};

}  // namespace

std::span<const TranslatedOp> index_translations() {
  return translations;
}

}  // namespace graphrun::onnx
