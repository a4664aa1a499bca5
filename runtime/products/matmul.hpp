/// \file
/// Matrix products behind a small interface, so that a second provider can be tried by benchmark.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "runtime/kernels/kernel.hpp"

namespace graphrun::runtime {

/// An activation as one of our own kernels: the tiled provider runs it over rows that it has just made.
struct VectorActivation {
  VectorFunction function = nullptr;  ///< of one input
  Immediates immediates{};
  bool operator==(const VectorActivation&) const = default;
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
  std::optional<PostOpSpec> activation = {};               ///< in oneDNN's terms
  std::optional<VectorActivation> vector_activation = {};  ///< in ours: a provider takes the one it knows
  /// transpose_a alone: from one stored row of a to the next, when the product makes only `rows` of the rows
  /// that the whole one has. 0: they are all.
  std::int64_t a_stride = 0;
  /// Tiles alone: also sums each column of b, row after row, into MatmulArguments::column_sums.
  bool column_sums = false;
  bool operator==(const MatmulSpec&) const = default;
};

/// Runs the vector activation, if there is one, over elements that have just been made.
inline void activate(const MatmulSpec& spec, float* output, std::size_t count) {
  if (!spec.vector_activation) return;
  spec.vector_activation->function({{output}, output, count, spec.vector_activation->immediates.data()});
}

/// Memory that is used soon after a product.
struct Stretch {
  const std::byte* begin = nullptr;
  std::size_t bytes = 0;
};

struct MatmulArguments {
  const float* a = nullptr;
  const float* b = nullptr;
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

/// Whether an implementation is the provider's slow reference: a bug in our choice of layouts.
inline bool is_reference_implementation(const std::string& name) {
  return name.rfind("ref", 0) == 0;
}

}  // namespace graphrun::runtime
