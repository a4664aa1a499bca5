/// \file
/// Matrix products behind a small interface; who makes them is in provider.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "runtime/kernels/kernel.hpp"

namespace graphrun::runtime {

/// The upper half of an f32.
using Bf16 = std::uint16_t;

/// What is done to each element of a result: a kernel of our own, and what libraries call it if they know it.
/// A provider runs the one or the other.
struct Activation {
  VectorFunction function = nullptr;  ///< of one input; never null in a spec
  Immediates immediates{};
  std::optional<PostOpSpec> named = {};
  bool operator==(const Activation&) const = default;
};

/// output[rows, columns] = activation(a · b + bias), f32, dense row-major; a is [rows, inner] and b is
/// [inner, columns], or their transposes as stored when the flags are set; bias is [columns].
struct MatmulSpec {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t inner = 0;
  bool transpose_a = false;
  bool transpose_b = false;
  bool bias = false;
  std::optional<Activation> activation = {};
  /// transpose_a alone: from one stored row of a to the next, when the product makes only `rows` of the rows
  /// that the whole one has. 0: they are all.
  std::int64_t a_stride = 0;
  /// Also sums each column of b, row after row, into MatmulArguments::column_sums.
  bool column_sums = false;
  /// a and b are bf16, in MatmulArguments::narrow_a and narrow_b; sums are f32.
  bool bf16 = false;
  bool operator==(const MatmulSpec&) const = default;
};

/// The product that a matmul of these flags is when w is one matrix for all of x: the axes of x before its
/// last are rows then. Nothing when there are several products.
std::optional<MatmulSpec> one_product(const Attributes& attributes, const Extents& x, const Extents& w,
                                      const Extents& output);

/// Runs the activation, if there is one, as our own kernel over elements that have just been made.
inline void activate(const MatmulSpec& spec, float* output, std::size_t count) {
  if (!spec.activation) return;
  spec.activation->function({{output}, output, count, spec.activation->immediates.data()});
}

/// Memory that is used soon after a product.
struct Stretch {
  const std::byte* begin = nullptr;
  std::size_t bytes = 0;
};

struct MatmulArguments {
  const float* a = nullptr;
  const float* b = nullptr;
  const Bf16* narrow_a = nullptr;  ///< of a spec with bf16, instead of a and b
  const Bf16* narrow_b = nullptr;
  const float* bias = nullptr;  ///< null without bias
  float* output = nullptr;
  std::byte* scratch = nullptr;  ///< scratch_bytes() of it, 64-byte aligned, private to this call
  /// What the provider may bring into the cache meanwhile. The results do not depend on it.
  std::span<const Stretch> soon = {};
  float* column_sums = nullptr;  ///< [columns]; null without
};

/// A product ready to run in one place at a time: holds what a run changes. Allocates nothing of its own.
class BoundMatmul {
 public:
  virtual ~BoundMatmul() = default;
  /// False when the provider failed (out of memory).
  virtual bool run(const MatmulArguments& arguments) noexcept = 0;
};

/// A compiled product. Immutable; may be bound many times and from several threads.
class Matmul {
 public:
  virtual ~Matmul() = default;
  virtual std::unique_ptr<BoundMatmul> bind() const = 0;
  virtual std::size_t scratch_bytes() const = 0;
  virtual const std::string& implementation() const = 0;  ///< its name, as the provider calls it
};

}  // namespace graphrun::runtime
