/// \file
/// What the op files share: an op with its kernel, and the op list.
#pragma once

#include <string>
#include <vector>

#include "graph/op.hpp"
#include "runtime/kernels/kernel.hpp"

namespace graphrun::ops {

struct Op {
  OpDef definition;
  runtime::KernelDef kernel;
};

/// The ops of the model language, made once, immutable, in the order of ops/list.cpp.
const OpRegistry& registry();
const runtime::KernelRegistry& kernels();

}  // namespace graphrun::ops
