#include "ops/image/max_pool_bodies.hpp"

namespace graphrun::ops {
namespace {

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  for_each_window(context.node, x.extents, [&](std::size_t window, auto pixels) {
    context.output.values[window] = x.values[largest_pixel(x.values, pixels)];
  });
}

Gradients vjp(VjpContext& context) {
  return {context.builder.add("max_pool_gradient", {context.input(0), context.cotangent},
                              context.node().attributes)};
}

bool never_falls(const Node& function) {
  const std::string& name = function.op->name;
  if (name == "leaky_relu") return function.attributes.number("slope") >= 0;
  return name == "relu" || name == "sigmoid" || name == "softplus" || name == "tanh";
}

/// The largest of what a function that never falls makes is what it makes of the largest: so it sees one
/// pixel of a window, and its gradient too.
std::optional<NodeId> function_of_largest(RuleContext& context) {
  Builder& builder = context.builder;
  const Node function = builder.node(context.node.inputs[0]);
  if (!never_falls(function)) return std::nullopt;
  const NodeId largest = builder.add("max_pool", {function.inputs[0]}, context.node.attributes);
  return builder.add(function.op->name, {largest}, function.attributes,
                     {context.node.name, context.node.origin, {}});
}

/// Channels that are moved and scaled keep the order of their pixels, or turn it round: so the pixel is
/// chosen before, and a normalisation and its gradient see one pixel of a window too.
std::optional<NodeId> normalised_extreme(RuleContext& context) {
  Builder& builder = context.builder;
  const Node function = builder.node(context.node.inputs[0]);
  if (function.op->name != "normalise" || builder.type(function.inputs[0]) != function.type)
    return std::nullopt;
  const Shape channels = {function.type.shape.back()};
  for (std::size_t i = 1; i < function.inputs.size(); ++i)
    if (builder.type(function.inputs[i]).shape != channels) return std::nullopt;
  std::vector<NodeId> inputs = function.inputs;
  inputs[0] = builder.add("extreme_pool", {inputs[0], inputs[2]}, context.node.attributes);
  return builder.add("normalise", std::move(inputs), function.attributes,
                     {context.node.name, context.node.origin, {}});
}

}  // namespace

Gradients gradient_by(std::string_view adjoint, VjpContext& context) {
  std::vector<NodeId> inputs = context.node().inputs;
  inputs.back() = context.cotangent;
  Gradients gradients(inputs.size());
  gradients.back() = context.builder.add(adjoint, std::move(inputs), context.node().attributes);
  return gradients;
}

Op max_pool() {
  OpDef op;
  op.name = "max_pool";
  op.doc = "The largest pixel of each window; its gradient goes to the first of equals, and NaN wins.";
  op.formula = "y[h, w, c] = max over i, j of x[h stride - pad + i dilation, w stride - pad + j dilation, c]";
  op.shapes = "[n, h, w, c] -> [n, (h + 2 pad - reach) // stride + 1, …, c]";
  op.inputs = {{"x", "images"}};
  op.infer = infer_pooled;
  op.reference = reference;
  op.gradient = vjp;
  const std::vector<std::string> window = {"kernel", "stride", "pad", "dilation"};
  op.rules = {{"function_of_largest", Phase::real, function_of_largest, window},
              {"normalised_extreme", Phase::real, normalised_extreme, window}};
  return pooling<MaxPoolBody<false>>(std::move(op));
}

}  // namespace graphrun::ops
