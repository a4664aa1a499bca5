/// \file
/// Fused forms: trees of elementwise ops that have a kernel of their own, because every model's backward pass
/// is full of them. One kernel keeps in registers what a chain of kernels passes on through the cache; the
/// arithmetic and its order are the same, so the bits are.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/kernels/fold.hpp"
#include "runtime/kernels/post_op.hpp"
#include "runtime/kernels/vector_kernel.hpp"

namespace graphrun::runtime {

/// One place of a pattern: an op on its inputs, or a name that stands for any value.
struct PatternTerm {
  std::string op;  ///< empty: a name
  std::vector<PatternTerm> inputs;
  std::size_t name = 0;  ///< the how manyth one
};

/// "mul(g, sub(one, square(y)))": ops by their names, and names for what they are applied to. A name that
/// appears twice is one value. Throws an internal error for text that is no pattern.
class Pattern {
 public:
  explicit Pattern(std::string_view text);
  const PatternTerm& root() const { return root_; }
  std::size_t names() const { return names_; }  ///< numbered in the order in which they first appear

 private:
  PatternTerm root_;
  std::size_t names_ = 0;
};

/// The kernel takes what the names stand for, in their order. Ops with immediates take no part.
template <class Kernel>
struct FusedForm {
  Pattern pattern;
  Kernel kernel;
  std::optional<PostOpGradient> gradient = {};  ///< what libraries call it
};

/// A form of an op from the arithmetic of one element.
template <class Body, std::size_t arity>
FusedForm<VectorKernel> fused_form(std::string_view pattern, std::optional<PostOpGradient> gradient = {}) {
  return {Pattern(pattern), vector_kernel<Body, arity>(), gradient};
}

/// A form of a sum: `Body` is what is summed.
template <class Body, std::size_t arity>
FusedForm<FoldKernel> fused_sum(std::string_view pattern) {
  return {Pattern(pattern), fold_kernel<Body, arity, ReductionKind::sum>(), {}};
}

}  // namespace graphrun::runtime
