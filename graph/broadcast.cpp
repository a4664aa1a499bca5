#include "graph/broadcast.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace graphrun {
namespace {

using AxisList = std::vector<std::int64_t>;

NodeId sum(Builder& builder, NodeId node, AxisList axes, bool keepdims, NodeDetails details) {
  if (axes.empty()) return node;
  return builder.add("sum", {node}, {{"axis", Axes{false, std::move(axes)}}, {"keepdims", keepdims}},
                     std::move(details));
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

NodeId summed(Builder& builder, NodeId node, std::span<const std::size_t> axes, bool keepdims,
              NodeDetails details) {
  AxisList batch;
  AxisList other;
  for (const std::size_t axis : axes) {
    (builder.type(node).shape[axis].is_number() ? other : batch).push_back(static_cast<std::int64_t>(axis));
  }
  if (batch.empty()) return sum(builder, node, other, keepdims, std::move(details));
  const NodeId per_row = sum(builder, node, other, keepdims, {});
  return sum(builder, per_row, keepdims ? batch : renumbered(batch, other), keepdims, std::move(details));
}

NodeId unbroadcast(Builder& builder, NodeId node, const Shape& shape) {
  const Shape from = builder.type(node).shape;
  if (from == shape) return node;
  if (broadcast(shape, from) != from) {
    throw Error(ErrorCode::internal,
                fmt::format("{} does not broadcast to {}", to_string(shape), to_string(from)));
  }
  const std::size_t added = from.size() - shape.size();
  std::vector<std::size_t> gone;
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    if (axis < added || from[axis] != shape[axis - added]) gone.push_back(axis);
  }
  // Where only whole axes were added they go, and the shape is right.
  const bool stretched = gone.size() > added;
  const NodeId total = summed(builder, node, gone, stretched);
  return stretched && added > 0 ? builder.add("reshape", {total}, {{"shape", shape}}) : total;
}

}  // namespace graphrun
