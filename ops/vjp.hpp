/// \file
/// Notation for vjps: the values of a node as terms, and gradients made only where they are asked for.
#pragma once

#include <cstddef>
#include <optional>

#include "graph/op.hpp"
#include "graph/term.hpp"

namespace graphrun::ops {

/// The output y of a node, its cotangent g = dL/dy, and its inputs.
struct VjpTerms {
  explicit VjpTerms(const VjpContext& context)
      : y(context.builder, context.output), g(context.builder, context.cotangent), context_(&context) {}

  Term x(std::size_t i = 0) const { return {context_->builder, context_->input(i)}; }

  Term y;
  Term g;

 private:
  const VjpContext* context_;
};

/// One function an input, in order, called when the gradient of that input is wanted: `() -> Term`.
template <class... Rules>
Gradients wanted_gradients(const VjpContext& context, Rules... rules) {
  Gradients gradients;
  const auto add = [&](auto rule) {
    const bool wanted = context.wanted[gradients.size()];
    gradients.push_back(wanted ? std::optional<NodeId>(rule()) : std::nullopt);
  };
  (add(rules), ...);
  return gradients;
}

}  // namespace graphrun::ops
