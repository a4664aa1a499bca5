#include <fmt/format.h>

#include "ops/op.hpp"
#include "ops/random/random.hpp"

namespace graphrun::ops {
namespace {

/// 1 where a uniform draw lies below p.
template <class T>
struct Draw {
  void operator()(const runtime::RandomStream& stream, std::uint64_t first_row, std::size_t columns,
                  std::span<T> values) const {
    runtime::fill_uniform(stream, first_row, columns, values);
    for (T& value : values) value = value < p ? T{1} : T{0};
  }
  T p;
};

Type infer(const InferContext& context) {
  require_f32(context.inputs[0], "p");
  if (!context.inputs[0].shape.empty()) {
    throw OpError(fmt::format("p must be a scalar, but is {}", to_string(context.inputs[0].shape)),
                  "For a probability of each element, compare: random_uniform(shape=…) < p.", "p");
  }
  return infer_random(context);
}

void reference(const ReferenceContext& context) {
  RandomRows(context.node, context.output.extents)
      .fill(context, Draw<double>{static_cast<float>(context.inputs[0]->values[0])});
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return runtime::make_call([rows = RandomRows(bound.node, bound.output)](const runtime::CallArguments& a) {
    rows.fill(a, Draw<float>{*input_as<float>(a, 0)});
  });
}

}  // namespace

Op bernoulli() {
  OpDef op;
  op.name = "bernoulli";
  op.doc = "Ones with probability p, else zeros, new for every step.";
  op.formula = "y = 1 where u < p, u ~ U[0, 1)";
  op.shapes = "[] -> shape";
  op.inputs = {{"p", "the probability: a number or a schedule"}};
  op.attributes = {random_shape()};
  op.infer = infer;
  op.axes = same_axes;
  op.reference = reference;
  op.gradient = NotDifferentiable{"a draw is 0 or 1, and no slope leads from it to its probability"};
  op.traits.random = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
