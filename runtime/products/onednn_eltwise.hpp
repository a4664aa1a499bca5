/// \file
/// The fence's names for elementwise functions: for those that ride on a product, and those that run alone.
#pragma once

#include "runtime/kernels/post_op.hpp"
#include "runtime/products/onednn_fence.hpp"

namespace graphrun::runtime {

struct OneDnnFunction {
  dnnl::algorithm algorithm = dnnl::algorithm::undef;
  float alpha = 0;
  float beta = 0;
};

OneDnnFunction onednn_function(const PostOpSpec& function);

}  // namespace graphrun::runtime
