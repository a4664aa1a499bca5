/// \file
/// A provider's elementwise function as a call of a plan.
#pragma once

#include <memory>

#include "runtime/kernels/kernel.hpp"
#include "runtime/products/eltwise.hpp"

namespace graphrun::runtime {

/// A call whose inputs are the values and, of a gradient, the cotangents.
std::unique_ptr<Call> make_eltwise_call(std::unique_ptr<Eltwise> function);

}  // namespace graphrun::runtime
