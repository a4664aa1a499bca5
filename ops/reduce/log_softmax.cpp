
#include "ops/reduce/along_axis.hpp"
#include "ops/vjp.hpp"
#include "runtime/kernels/vector_math.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  using Output = float;
  [[gnu::always_inline]] static void vector(const float* x, float* y, std::size_t length,
                                            std::size_t stride) noexcept {
    const float largest = fold<MaxFold>(x, length, stride);
    for (std::size_t i = 0; i < length; ++i) y[i * stride] = runtime::vector_exp(x[i * stride] - largest);
    const float rest = runtime::vector_log(fold<SumFold>(y, length, stride));
    for (std::size_t i = 0; i < length; ++i) y[i * stride] = (x[i * stride] - largest) - rest;
  }
};

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  const AxisLayout layout(context.node.attributes, x.extents);
  for_each_vector(layout, [&](std::size_t, auto index) {
    const double total = reference_logsumexp(x.values, layout.length, index);
    for (std::size_t k = 0; k < layout.length; ++k) {
      context.output.values[index(k)] = x.values[index(k)] - total;
    }
  });
}

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const Attributes along = {{"axis", single_axis(context.node().attributes)}, {"keepdims", true}};
  return {t.g - call("exp", {t.y}) * call("sum", {t.g}, along)};
}

}  // namespace

Op log_softmax() {
  OpDef op;
  op.name = "log_softmax";
  op.doc = "The logarithm of softmax, without overflow.";
  op.formula = "y = x - log(sum of exp(x) over `axis`)";
  op.attributes = {axis_attribute("the axis whose exponentials sum to 1")};
  op.reference = reference;
  op.gradient = vjp;
  return same_shape_along_axis<Body>(std::move(op));
}

}  // namespace graphrun::ops
