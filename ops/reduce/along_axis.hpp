/// \file
/// What ops share that work along one axis: softmax, log_softmax, logsumexp, argmax. A tensor is
/// [outer, length, inner] around the axis.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "ops/declaration.hpp"
#include "ops/isa_dispatch.hpp"
#include "ops/reduce/reduction.hpp"
#include "ops/rows.hpp"

namespace graphrun::ops {

AttributeDeclaration axis_attribute(std::string doc);

/// Throws an OpError for an axis out of range, or an input that is not f32.
std::size_t checked_axis(const InferContext& context);

/// Each axis stays where it is, but the one worked along.
std::vector<AxisMap> axes_but_one(const AxesContext& context);

/// The axis of `axis` as the `axis` of a reduction.
Axes single_axis(const Attributes& attributes);

struct AxisLayout {
  AxisLayout(const Attributes& attributes, const Extents& input);

  std::size_t outer = 1;   ///< in the whole tensor
  std::size_t length = 1;  ///< along the axis
  std::size_t inner = 1;
  std::size_t outer_per_row = 1;  ///< of axis 0
  bool along_rows = false;        ///< the axis is axis 0: the op runs as a whole

  std::size_t covered(const runtime::CallArguments& a) const {
    return along_rows ? outer : static_cast<std::size_t>(a.row_count) * outer_per_row;
  }
};

/// Vectors along the axis, one after the other: output has `length` elements for each, or one.
struct AlongAxisArguments {
  const float* x;
  void* y;
  std::size_t outer;
  std::size_t length;
  std::size_t inner;
};

/// Body: `static void vector(const float* x, Output* y, length, stride)`, whose elements are `stride` apart,
/// and `Output`, the element type of the output. With `single` it writes one element, not `length`.
template <class Body, bool single>
struct AlongAxisLoop {
  [[gnu::always_inline]] static void run(const AlongAxisArguments& a) noexcept {
    using Output = typename Body::Output;
    const std::size_t output_length = single ? 1 : a.length;
    for (std::size_t i = 0; i < a.outer; ++i) {
      for (std::size_t j = 0; j < a.inner; ++j) {
        const float* const x = a.x + i * a.length * a.inner + j;
        Output* const y = static_cast<Output*>(a.y) + i * output_length * a.inner + j;
        if (a.inner == 1) {
          Body::vector(x, y, a.length, 1);
        } else {
          Body::vector(x, y, a.length, a.inner);
        }
      }
    }
  }
};

/// The kernel of such an op.
template <class Body, bool single>
std::unique_ptr<runtime::Call> make_along_axis(const runtime::BoundNode& bound) {
  const AxisLayout layout(bound.node.attributes, bound.inputs[0]);
  const auto function = IsaLoops<AlongAxisLoop<Body, single>, AlongAxisArguments>::select(bound.isa);
  return runtime::make_call([layout, function](const runtime::CallArguments& a) {
    function({input_as<float>(a, 0), a.output, layout.covered(a), layout.length, layout.inner});
  });
}

/// The input's type, once the axis is checked; ten FLOP an element.
Type infer_same_along_axis(const InferContext& context);
Cost same_along_axis_cost(const CostContext& context);

/// An op that makes each vector into one of the same length, from its Body and what its file says of its
/// meaning.
template <class Body>
Op same_shape_along_axis(OpDef op) {
  op.shapes = "[...] -> [...]";
  op.inputs = {{"x", "any shape but a scalar"}};
  op.infer = infer_same_along_axis;
  op.axes = axes_but_one;
  op.cost = same_along_axis_cost;
  return {std::move(op), {.make = make_along_axis<Body, false>}};
}

/// Calls body(index) for each vector along the axis, where index(i) is the place of its element i in the
/// input and vector the number of the vector: for references.
template <class Function>
void for_each_vector(const AxisLayout& layout, Function body) {
  for (std::size_t i = 0; i < layout.outer; ++i) {
    for (std::size_t j = 0; j < layout.inner; ++j) {
      body(i * layout.inner + j,
           [&, i, j](std::size_t k) { return (i * layout.length + k) * layout.inner + j; });
    }
  }
}

/// log(sum(exp(x))) of one vector of the reference; -infinity when all are.
template <class Index>
double reference_logsumexp(const std::vector<double>& x, std::size_t length, Index index) {
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < length; ++k) largest = std::max(largest, x[index(k)]);
  const double shift = std::isfinite(largest) ? largest : 0;
  double total = 0;
  for (std::size_t k = 0; k < length; ++k) total += std::exp(x[index(k)] - shift);
  return shift + std::log(total);
}

}  // namespace graphrun::ops
