/// \file
/// What elementwise ops share: types by broadcasting, axes, cost, the reference loop and the maker that turns
/// the arithmetic of one element into an op.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "ops/declaration.hpp"
#include "ops/op.hpp"
#include "runtime/kernels/vector_kernel.hpp"

namespace graphrun::ops {

/// f32 operands of shapes that broadcast; the output is f32 of the broadcast shape.
Type infer_elementwise(const InferContext& context);

/// Axes align at the right; a stretched axis is `contracted`.
std::vector<AxisMap> elementwise_axes(const AxesContext& context);

/// One FLOP an output element, and every operand moved once.
Cost elementwise_cost(const CostContext& context);

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

/// In what elementwise ops differ, beside their arithmetic.
struct ElementwiseSpec {
  std::string name;
  std::string doc;
  std::string formula;
  std::vector<OperandDeclaration> inputs = {{"x", "any shape"}};
  std::vector<AttributeDeclaration> attributes = {};
  GradientRule gradient = NotDifferentiable{"not declared"};
  bool rounds_once = false;  ///< see Traits
};

/// The documentation of two operands.
std::vector<OperandDeclaration> two_operands();

namespace detail {

template <class... Floats>
constexpr std::size_t count_operands(float (*)(const float*, Floats...)) {
  return sizeof...(Floats);
}
template <class Body>
inline constexpr std::size_t arity = count_operands(static_cast<decltype(&Body::apply)>(nullptr));

template <class Body, class... Doubles>
double exact(const Attributes& attributes, Doubles... operands) {
  if constexpr (requires { Body::exact(attributes, operands...); }) {
    return Body::exact(attributes, operands...);
  } else {
    return Body::exact(operands...);
  }
}

template <class Body, std::size_t... I>
void reference_loop(const ReferenceContext& context, std::index_sequence<I...>) {
  std::vector<double>& output = context.output.values;
  const std::array index = {BroadcastIndex(context.inputs[I]->extents, context.output.extents)...};
  for (std::size_t i = 0; i < output.size(); ++i) {
    output[i] = exact<Body>(context.node.attributes, context.inputs[I]->values[index[I](i)]...);
  }
}

template <class Body>
void reference_elementwise(const ReferenceContext& context) {
  reference_loop<Body>(context, std::make_index_sequence<arity<Body>>());
}

Op describe_elementwise(ElementwiseSpec spec);

}  // namespace detail

/// An elementwise op from the arithmetic of one element, a struct with two static functions:
///   double exact(double x, …), or exact(const Attributes&, double x, …): its meaning, in f64;
///   float apply(const float* immediates, float x, …): how it is computed, for runtime::vector_kernel.
template <class Body>
Op elementwise(ElementwiseSpec spec) {
  Op op = detail::describe_elementwise(std::move(spec));
  op.definition.reference = detail::reference_elementwise<Body>;
  op.kernel.vector = runtime::vector_kernel<Body, detail::arity<Body>>();
  return op;
}

}  // namespace graphrun::ops
