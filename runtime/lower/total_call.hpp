/// \file
/// The sum of values that are alike, in the order in which they are given.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/kernels/kernel.hpp"

namespace graphrun::runtime {

/// A call whose inputs are at least one value of so many f32, and whose output is their sum.
std::unique_ptr<Call> make_total_call(std::int64_t elements);

}  // namespace graphrun::runtime
