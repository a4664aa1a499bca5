#include "graph/broadcast.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace graphrun {
namespace {

using AxisList = std::vector<std::int64_t>;

NodeId sum(Builder& builder, NodeId node, AxisList axes, bool keepdims) {
  if (axes.empty()) return node;
  return builder.add("sum", {node}, {{"axis", Axes{false, std::move(axes)}}, {"keepdims", keepdims}});
}

/// What `axes` are called once the axes in `removed` are gone. Both ascend.
AxisList renumbered(AxisList axes, const AxisList& removed) {
  for (std::int64_t& axis : axes) {
    axis -= std::lower_bound(removed.begin(), removed.end(), axis) - removed.begin();
  }
  return axes;
}

}  // namespace

NodeId filled(Builder& builder, double value, const Shape& shape) {
  return builder.add("constant", {}, {{"values", std::vector<double>{value}}, {"shape", shape}});
}

NodeId repeated(Builder& builder, NodeId node, const Shape& shape) {
  return builder.type(node).shape == shape ? node : builder.add("broadcast_to", {node}, {{"shape", shape}});
}

NodeId unbroadcast(Builder& builder, NodeId node, const Shape& shape) {
  const Shape from = builder.type(node).shape;
  if (from == shape) return node;
  if (broadcast(shape, from) != from) {
    throw Error(ErrorCode::internal,
                fmt::format("{} does not broadcast to {}", to_string(shape), to_string(from)));
  }
  const std::size_t added = from.size() - shape.size();
  AxisList batch_axes;
  AxisList other_axes;
  bool stretched = false;
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    if (axis >= added && from[axis] == shape[axis - added]) continue;
    stretched = stretched || axis >= added;
    (from[axis].is_number() ? other_axes : batch_axes).push_back(static_cast<std::int64_t>(axis));
  }
  if (!stretched) {  // only whole axes were added: they go, and the shape is right
    const NodeId rows = sum(builder, node, other_axes, false);
    return sum(builder, rows, renumbered(batch_axes, other_axes), false);
  }
  const NodeId rows = sum(builder, node, other_axes, true);
  const NodeId total = sum(builder, rows, batch_axes, true);
  return added == 0 ? total : builder.add("reshape", {total}, {{"shape", shape}});
}

}  // namespace graphrun
