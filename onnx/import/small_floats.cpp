// Rounding to floats of less than 16 bits.
#include <cmath>
#include <limits>
#include <vector>

#include "onnx/import/importer.hpp"

namespace graphrun::onnx {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

struct Format {
  int least_exponent;  ///< of numbers with a leading 1
  int digits;          ///< behind it
  double largest;
  double beyond;  ///< what is beyond the largest when nothing saturates
};

Format format_of(ElementType type) {
  switch (type) {
    case ElementType::f8e4m3:
      return {-6, 3, 448, not_a_number};
    case ElementType::f8e4m3_no_zero:
      return {-7, 3, 240, not_a_number};
    case ElementType::f8e5m2:
      return {-14, 2, 57344, infinity};
    case ElementType::f8e5m2_no_zero:
      return {-15, 2, 57344, not_a_number};
    case ElementType::f4e2m1:
      return {0, 1, 6, 6};
    default:
      throw Unsupported("a cast to a float that has powers of two alone");
  }
}

/// The distance between neighbours where x lies: a power of two, from a table by the powers that x reaches.
Term step_at(Term x, const Format& format) {
  Importer& importer = *x.importer;
  const int last = std::ilogb(format.largest);
  std::vector<double> reached;
  std::vector<double> steps = {std::ldexp(1.0, format.least_exponent - format.digits)};
  for (int exponent = format.least_exponent + 1; exponent <= last; ++exponent) {
    reached.push_back(std::ldexp(1.0, exponent));
    steps.push_back(std::ldexp(1.0, exponent - format.digits));
  }
  const auto count = static_cast<std::int64_t>(reached.size());
  Shape column = importer.type(x.id).shape;
  const auto axis = static_cast<std::int64_t>(column.size());
  column.push_back(Dim::number(1));
  const Term size = x.with(importer.reshape(apply("abs", x).id, column));
  const Term reaches = apply("greater_equal", size, x.with(importer.constant(std::move(reached), {count})));
  const NodeId place =
      importer.add("cast", {importer.sum(reaches.id, {axis}, false)}, {{"dtype", std::string("i32")}});
  return x.with(importer.add("gather", {importer.constant(std::move(steps), {count + 1}), place}));
}

}  // namespace

Term rounded_to(Term x, ElementType type, bool saturates) {
  const Format format = format_of(type);
  Importer& importer = *x.importer;
  const auto number = [&](double value) { return x.with(importer.number(value)); };
  const auto clipped = [&](Term y, double limit) {
    return x.with(importer.add("clip", {y.id}, {{"low", -limit}, {"high", limit}}));
  };
  const Term near = clipped(x, 2 * format.largest);
  const Term step = step_at(near, format);
  const Term y = rounded(near / step) * step;
  if (format.beyond == format.largest)  // which has no word for what is no number
    return choose(apply("equal", y, y), clipped(y, format.largest), number(0));
  if (saturates) return clipped(y, format.largest);
  const Term beyond = apply("sign", y) * format.beyond;
  return choose(apply("greater", apply("abs", y), format.largest), beyond, y);
}

}  // namespace graphrun::onnx
