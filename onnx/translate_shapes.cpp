#include <algorithm>
#include <limits>
#include <numeric>

#include "onnx/translation.hpp"

namespace graphrun::onnx {

namespace {

/// The shape of an image as it lies.
Shape shape_in(const Layout& layout, const Shape& shape) {
  return layout == channels_first ? Shape{shape[0], shape[3], shape[1], shape[2]} : shape;
}

bool is_image_of(const Layout& flat, const Shape& shape) {
  return shape.size() == 4 && shape[1].is_number(flat.image.height) && shape[2].is_number(flat.image.width) &&
         shape[3].is_number(flat.image.channels);
}

/// Between an image and a flat vector the elements stay where they are, if both lie alike.
void reshape(Emitter& emitter, NodeId id) {
  const NodeId x = emitter.node(id).inputs[0];
  const Shape& from = emitter.node(x).type.shape;
  const Shape& to = emitter.node(id).type.shape;
  const Layout own = emitter.layout(x);
  const Layout planned = emitter.planned(id);
  if (planned != plain && own == channels_first)
    return emitter.define(id, emitter.reshaped(emitter.value(x, own), shape_in(own, from), to), planned);
  if (own.kind == Layout::Kind::flat && is_image_of(own, to))
    return emitter.define(id, emitter.reshaped(emitter.value(x, own), from, shape_in(channels_first, to)),
                          channels_first);
  const bool is_one_channel = own == channels_first && from[3].is_number(1);
  const Layout taken = is_one_channel ? channels_first : plain;
  const Value y = emitter.reshaped(emitter.value(x, taken), shape_in(taken, from), to);
  // Made flat by the plan, though what is flattened lies plain: the order is made here.
  emitter.define(id, y);
}

void transpose(Emitter& emitter, NodeId id) {
  const Node& node = emitter.node(id);
  std::vector<std::int64_t> axes = node.attributes.integers("axes");
  if (axes.empty()) {
    axes.resize(node.type.shape.size());
    std::iota(axes.rbegin(), axes.rend(), 0);
  }
  for (std::int64_t& axis : axes) axis = static_cast<std::int64_t>(*normalised_axis(axis, axes.size()));
  emitter.define(id, emitter.add("Transpose", {emitter.value(node.inputs[0])}, {{"perm", axes}}));
}

void broadcast_to(Emitter& emitter, NodeId id) {
  const NodeId x = emitter.node(id).inputs[0];
  const Shape& from = emitter.node(x).type.shape;
  Shape to = emitter.node(id).type.shape;
  // An extent of 1 leaves the input's: a batch that is there already needs not be computed.
  for (std::size_t i = 0; i < from.size(); ++i)
    if (Dim& dim = to[to.size() - 1 - i]; dim == from[from.size() - 1 - i]) dim = Dim::number(1);
  emitter.define(id, emitter.add("Expand", {emitter.value(x), emitter.shape(to)}));
}

bool is_any_image(const Emitter& emitter, const std::vector<NodeId>& inputs) {
  return std::ranges::any_of(inputs, [&](NodeId input) { return emitter.layout(input) == channels_first; });
}

void concat(Emitter& emitter, NodeId id) {
  const std::vector<NodeId> inputs = emitter.node(id).inputs;
  const Layout layout = is_any_image(emitter, inputs) ? channels_first : plain;
  std::vector<Value> values;
  for (const NodeId input : inputs) values.push_back(emitter.value(input, layout));
  const std::size_t axis =
      *normalised_axis(emitter.node(id).attributes.integer("axis"), emitter.node(id).type.shape.size());
  emitter.define(id, emitter.add("Concat", std::move(values), {{"axis", axis_in(layout, axis)}}), layout);
}

void slice(Emitter& emitter, NodeId id) {
  const Node& node = emitter.node(id);
  const NodeId x = node.inputs[0];
  if (is_hidden_state(emitter, id)) return emitter.define(id, emitter.value(x));
  const Layout layout = emitter.layout(x) == channels_first ? channels_first : plain;
  const std::size_t axis = *normalised_axis(node.attributes.integer("axis"), node.type.shape.size());
  const std::int64_t stop = node.attributes.integer("stop");
  const std::vector<Value> inputs{
      emitter.value(x, layout), emitter.integers({node.attributes.integer("start")}),
      emitter.integers({stop == 0 ? std::numeric_limits<std::int64_t>::max() : stop}),
      emitter.integers({axis_in(layout, axis)}), emitter.integers({node.attributes.integer("step")})};
  emitter.define(id, emitter.add("Slice", inputs), layout);
}

/// A number of elements, from the batch: what it is counted of is not looked at.
void size(Emitter& emitter, NodeId id) {
  const layers::Reduction counted = [&] {
    const Node& node = emitter.node(id);
    const std::size_t rank = emitter.node(node.inputs[0]).type.shape.size();
    layers::Reduction result{node.inputs[0], {}, false};
    const Axes& axes = node.attributes.axes("axis");
    for (std::size_t axis = 0; axis < rank; ++axis)
      if (axes.all || std::ranges::any_of(axes.list, [&](std::int64_t listed) {
            return normalised_axis(listed, rank) == axis;
          }))
        result.axes.push_back(axis);
    return result;
  }();
  const Shape& shape = emitter.node(counted.x).type.shape;
  std::int64_t numbers = 1;
  std::optional<Value> product;
  for (const std::size_t axis : counted.axes) {
    if (shape[axis].is_number()) {
      numbers *= shape[axis].offset;
      continue;
    }
    const Value extent = emitter.extent(shape[axis]);
    product = product ? emitter.add("Mul", {*product, extent}) : extent;
  }
  if (!product) return emitter.define(id, emitter.number(static_cast<double>(numbers)));
  if (numbers != 1) product = emitter.add("Mul", {*product, emitter.integers({numbers})});
  const Value scalar = emitter.add("Reshape", {*product, emitter.integers({})});
  emitter.define(id, emitter.add("Cast", {scalar}, {{"to", static_cast<std::int64_t>(ElementType::f32)}}));
}

constexpr TranslatedOp translations[] = {{"broadcast_to", broadcast_to},
                                         {"concat", concat},
                                         {"reshape", reshape},
                                         {"size", size},
                                         {"slice", slice},
                                         {"transpose", transpose}};

}  // namespace

std::span<const TranslatedOp> shape_translations() {
  return translations;
}

}  // namespace graphrun::onnx
