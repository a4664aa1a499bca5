/// \file
/// What elementwise ops share: types by broadcasting, axes, and the reference loop.
#pragma once

#include "graph/op.hpp"
#include "runtime/vector_kernel.hpp"

namespace graphrun::ops {

/// f32 operands of shapes that broadcast; the output is f32 of the broadcast shape.
Type infer_elementwise(const InferContext& context);

/// Axes align at the right; a stretched axis is `contracted`.
std::vector<AxisMap> elementwise_axes(const AxesContext& context);

/// For each output element, the index of the element of each input that it takes.
class BroadcastIndex {
 public:
  BroadcastIndex(const Extents& input, const Extents& output);
  std::size_t operator()(std::size_t output_index) const;

 private:
  Extents output_;
  std::vector<std::size_t> strides_;  // of the input along each output axis; 0 where it stretches
  bool same_ = false;
};

/// output[i] = f(a[i]) and so on, in f64, over broadcast operands.
template <class Function>
void reference_unary(const ReferenceContext& context, Function f) {
  const HostTensor& a = *context.inputs[0];
  for (std::size_t i = 0; i < a.values.size(); ++i) context.output.values[i] = f(a.values[i]);
}

template <class Function>
void reference_binary(const ReferenceContext& context, Function f) {
  const HostTensor& a = *context.inputs[0];
  const HostTensor& b = *context.inputs[1];
  const BroadcastIndex index_a(a.extents, context.output.extents);
  const BroadcastIndex index_b(b.extents, context.output.extents);
  for (std::size_t i = 0; i < context.output.values.size(); ++i) {
    context.output.values[i] = f(a.values[index_a(i)], b.values[index_b(i)]);
  }
}

}  // namespace graphrun::ops
