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

// What graphs are held together with.
Op assign();
Op cast();
Op check_finite();
Op constant();
Op during();
Op grad();
Op input();
Op param();
Op running_average();
Op size();
Op stop_gradient();
Op straight_through();

// Matrices, reductions, shapes.
Op argmax();
Op avg_pool();
Op avg_pool_gradient();
Op broadcast_to();
Op concat();
Op convolution();
Op convolution_weight_gradient();
Op gather();
Op log_softmax();
Op logsumexp();
Op matmul();
Op max();
Op max_pool();
Op max_pool_gradient();
Op max_pool_pick();
Op one_hot();
Op pad_slice();
Op reshape();
Op scatter_add();
Op slice();
Op softmax();
Op sum();
Op top_k_mask();
Op transpose();
Op transposed_convolution();
Op upsample();
Op upsample_gradient();

// Draws.
Op bernoulli();
Op random_normal();
Op random_uniform();

// Updates of variables.
Op adagrad_update();
Op adam_update();
Op adamw_update();
Op momentum_update();
Op nadam_update();
Op rmsprop_momentum_update();
Op rmsprop_update();
Op sgd_update();

}  // namespace graphrun::ops
