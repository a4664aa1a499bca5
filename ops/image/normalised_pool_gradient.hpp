/// \file
/// The gradient of images that are normalised by moments of their own and pooled.
#pragma once

#include <optional>

#include "graph/rule.hpp"

namespace graphrun::ops {

/// A rule of add: what comes back through an extreme_pool and through the moments of the same images, as one
/// normalised_pool_gradient. Images are read once then, and not three times; windows are 2 x 2.
std::optional<NodeId> as_normalised_pool_gradient(RuleContext& context);

}  // namespace graphrun::ops
