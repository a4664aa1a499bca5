/// \file
/// The op list: one line an op. Adding an op is one file, one line here and one in list.cpp, one test table.
#pragma once

#include "ops/op.hpp"

namespace graphrun::ops {

// Elementwise.
Op add();
Op div();
Op exp();
Op log();
Op mul();
Op neg();
Op relu();
Op sigmoid();
Op softplus();
Op square();
Op step();
Op sub();
Op tanh();

}  // namespace graphrun::ops
