#include "ops/elementwise/elementwise.hpp"
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
  return elementwise<Body>(
      {.name = "where",
       .doc = "Chooses between two operands, element by element; the other one gets no gradient.",
       .formula = "y = a if condition != 0 else b",
       .inputs = {{"condition", "0 chooses b, anything else a"}, {"a", "any shape"}, {"b", "any shape"}},
       .gradient = vjp,
       .rounds_once = true});
}

}  // namespace graphrun::ops
