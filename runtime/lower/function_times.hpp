/// \file
/// How long functions take a number, for predictions alone: nothing that is computed follows it.
#pragma once

#include <string_view>

#include "runtime/machine/isa.hpp"

namespace graphrun::runtime {

/// Nanoseconds a number takes in a vector kernel whose operands are in the first-level cache, or to be drawn.
/// What is not in the table takes as long as a sum.
double function_ns(std::string_view op, Isa isa);

}  // namespace graphrun::runtime
