/// \file
/// The op list: one line an op. Adding an op is one file, one line here and one in list.cpp, one test table.
#pragma once

#include "ops/op.hpp"

namespace graphrun::ops {

// Elementwise.
Op abs();
Op add();
Op clip();
Op div();
Op elu();
Op equal();
Op erf();
Op exp();
Op gelu();
Op greater();
Op greater_equal();
Op leaky_relu();
Op less();
Op less_equal();
Op linear();
Op log();
Op maximum();
Op minimum();
Op mul();
Op neg();
Op not_equal();
Op pow();
Op relu();
Op sigmoid();
Op sign();
Op silu();
Op softplus();
Op sqrt();
Op square();
Op step();
Op sub();
Op tanh();
Op where();

}  // namespace graphrun::ops
