#include "graph/broadcast.hpp"
#include "ops/elementwise/elementwise.hpp"
#include "ops/statistics/parts.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

struct Body {
  static double exact(double x, double centre, double scale, double shift) {
    return (x - centre) * scale + shift;
  }
  [[gnu::always_inline]] static float apply(const float*, float x, float centre, float scale, float shift) {
    return (x - centre) * scale + shift;
  }
};

/// Images, and one number a channel of everything else.
bool are_images(const VjpTerms& t) {
  const Shape& images = t.g.type().shape;
  if (images.size() < 3 || t.x().type().shape != images) return false;
  const Shape channels = {images.back()};
  return t.x(1).type().shape == channels && t.x(2).type().shape == channels &&
         t.x(3).type().shape == channels;
}

/// Of images, one pass makes all sums that the channels' numbers need.
Gradients vjp_of_images(const VjpContext& context, const VjpTerms& t) {
  const Term rows = call("centred_sums", {t.g, t.x(), t.x(1)});
  constexpr std::size_t first[] = {0};
  const Term sums(context.builder, summed(context.builder, rows, first, false));
  const Term plain = part(sums, 0);
  return wanted_gradients(
      context, [&] { return t.g * t.x(2); }, [&] { return -(t.x(2) * plain); }, [&] { return part(sums, 1); },
      [&] { return plain; });
}

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  if (are_images(t) && (context.wanted[1] || context.wanted[2] || context.wanted[3])) {
    return vjp_of_images(context, t);
  }
  return wanted_gradients(
      context, [&] { return t.g * t.x(2); }, [&] { return -(t.g * t.x(2)); },
      [&] { return t.g * (t.x() - t.x(1)); }, [&] { return t.g; });
}

}  // namespace

Op normalise() {
  return elementwise<Body>({.name = "normalise",
                            .doc = "Values moved and scaled, as a normalisation does with the mean and the "
                                   "deviation of each channel.",
                            .formula = "y = (x - centre) scale + shift",
                            .inputs = {{"x", "any shape"},
                                       {"centre", "any shape, such as one number a channel"},
                                       {"scale", "any shape"},
                                       {"shift", "any shape"}},
                            .gradient = vjp});
}

}  // namespace graphrun::ops
