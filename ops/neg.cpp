#include "ops/elementwise.hpp"
#include "ops/list.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x) { return -x; }
  [[gnu::always_inline]] static float apply(const float*, float x) { return -x; }
};

Gradients vjp(VjpContext& context) {
  return {-VjpTerms(context).g};
}

}  // namespace

Op neg() {
  return elementwise<Body>({.name = "neg", .doc = "Negation.", .formula = "y = -x", .gradient = vjp});
}

}  // namespace graphrun::ops
