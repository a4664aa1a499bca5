/// \file
/// Whether a number may stand where a range is declared, and what to say when it may not.
#pragma once

#include <string>

#include "graph/range.hpp"

namespace graphrun {

/// Empty when the number is in the range, also as f32, in which it is used: 0.99999999 is not below 1 there,
/// and 1e-50 not above 0. Else "at least 0 and below 1, not 1.5", "above 0, not 1e-50, which is 0 in f32".
std::string range_fault(const Range& range, double number);

}  // namespace graphrun
