#include "ops/elementwise/whole_numbers.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double condition, double a, double b) { return condition != 0 ? a : b; }
  [[gnu::always_inline]] static float apply(const float*, float condition, float a, float b) {
    return condition != 0 ? a : b;
  }
};
struct Whole {
  [[gnu::always_inline]] static std::int64_t of(std::int64_t condition, std::int64_t a, std::int64_t b) {
    return condition != 0 ? a : b;
  }
};

/// The condition has a type of its own; the other two are alike.
Type infer(const InferContext& context) {
  const Type chosen = infer_of_either({context.inputs.subspan(1), context.attributes});
  const Type condition = infer_of_either({context.inputs.first(1), context.attributes});
  const std::vector<Type> shapes = {{DType::f32, condition.shape}, {DType::f32, chosen.shape}};
  return {chosen.dtype, infer_elementwise({shapes, context.attributes}).shape};
}

/// What is chosen is moved, whatever its four bytes are; only the condition is looked at.
std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  const bool is_whole = bound.input_types[0].dtype == DType::i32;
  constexpr runtime::VectorKernel of_f32 = runtime::vector_kernel<Body, 3>();
  return make_broadcast_call(bound, is_whole ? whole_function<Whole>(bound.isa) : of_f32.function(bound.isa));
}

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const Term zero = constant_like(t.g, 0);
  const auto chosen = [&](Term yes, Term no) { return call("where", {t.x(0), yes, no}); };
  return wanted_gradients(
      context, [] { return std::optional<NodeId>(); }, [&] { return chosen(t.g, zero); },
      [&] { return chosen(zero, t.g); });
}

}  // namespace

Op where() {
  Op op = elementwise<Body>(
      {.name = "where",
       .doc = "Chooses between two operands, element by element; the other one gets no gradient.",
       .formula = "y = a if condition != 0 else b",
       .inputs = {{"condition", "0 chooses b, anything else a"}, {"a", "any shape"}, {"b", "any shape"}},
       .gradient = vjp,
       .rounds_once = true});
  op.definition.infer = infer;
  op.kernel.make = make;
  return op;
}

}  // namespace graphrun::ops
