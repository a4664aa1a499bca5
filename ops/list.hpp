/// \file
/// The op list: one line an op. Adding an op is one file, one line here and one in list.cpp, one test table.
#pragma once

#include "ops/op.hpp"

namespace graphrun::ops {

Op tanh();

}  // namespace graphrun::ops
