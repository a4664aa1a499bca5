/// \file
/// Broadcasting, made and undone with ordinary nodes.
#pragma once

#include "graph/graph.hpp"
#include "graph/type.hpp"

namespace graphrun {

/// `value` repeated to every element of `shape` (f32): zeros and ones for gradients.
NodeId filled(Builder& builder, double value, const Shape& shape);

/// `node` repeated to `shape`, to which it must broadcast; itself when it has that shape.
NodeId repeated(Builder& builder, NodeId node, const Shape& shape);

/// `node` summed down to `shape`, which must broadcast to the node's shape (else Error{internal}): the
/// gradient of a broadcast. A sum over a batch axis and others is split: first the others, row by row, then
/// the rows, so that the first part runs in slices and the second is one ascending sum.
NodeId unbroadcast(Builder& builder, NodeId node, const Shape& shape);

}  // namespace graphrun
