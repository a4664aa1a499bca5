/// \file
/// Broadcasting, made and undone with ordinary nodes.
#pragma once

#include <span>

#include "graph/graph.hpp"
#include "graph/type.hpp"

namespace graphrun {

/// `value` repeated to every element of `shape` (f32): zeros and ones for gradients.
NodeId filled(Builder& builder, double value, const Shape& shape);

/// `node` repeated to `shape`, to which it must broadcast; itself when it has that shape.
NodeId repeated(Builder& builder, NodeId node, const Shape& shape);

/// `node` summed over `axes` (ascending). Over a batch axis and others it is two sums: first the others, row
/// by row, which runs in slices, and then the rows in one ascending sum. The last is made with `details`.
NodeId summed(Builder& builder, NodeId node, std::span<const std::size_t> axes, bool keepdims,
              NodeDetails details = {});

/// `node` summed down to `shape`, which must broadcast to the node's shape (else Error{internal}): the
/// gradient of a broadcast.
NodeId unbroadcast(Builder& builder, NodeId node, const Shape& shape);

}  // namespace graphrun
