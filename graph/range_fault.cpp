#include "graph/range_fault.hpp"

#include <fmt/format.h>

#include <cmath>

namespace graphrun {
namespace {

/// What kernels see of it: numbers below the smallest normal one are 0 to them.
double in_f32(double number) {
  const auto narrow = static_cast<float>(number);
  return std::isnormal(narrow) || !std::isfinite(narrow) ? narrow : 0.0;
}

/// A limit that is in the range may be rounded out of it: at most 0.1 is a little more in f32.
bool stays_inside(const Range& range, double used) {
  return (!range.above || used > range.low) && (!range.below || used < range.high);
}

}  // namespace

std::string range_fault(const Range& range, double number) {
  const std::string wanted = to_string(range);
  const std::string fault = fmt::format("{}, not {}", wanted.empty() ? "a number" : wanted, number);
  if (!range.contains(number)) return fault;
  const double used = in_f32(number);
  return stays_inside(range, used) ? "" : fmt::format("{}, which is {} in f32", fault, used);
}

}  // namespace graphrun
