/// \file
/// Functions of one element that libraries know by name too.
#pragma once

#include <cstddef>
#include <cstdint>

namespace graphrun::runtime {

enum class PostOp : std::uint8_t { relu, leaky_relu, elu, gelu, silu, sigmoid, tanh, softplus };
struct PostOpSpec {
  PostOp kind = PostOp::relu;
  float alpha = 0;
  bool operator==(const PostOpSpec&) const = default;
};

/// A fused form that is the gradient of such a function, taken from the function's result. Which name of the
/// pattern is what: the cotangent, the result, and the number one.
struct PostOpGradient {
  PostOp kind = PostOp::tanh;
  std::size_t cotangent = 0;
  std::size_t result = 0;
  std::size_t one = 0;
};

}  // namespace graphrun::runtime
