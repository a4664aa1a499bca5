/// \file
/// What must hold of a graph at each stage of its way: checked after every pass, so that a bug is named where
/// it was made and not where it shows.
#pragma once

#include <string_view>

#include "graph/graph.hpp"

namespace graphrun {

/// The stages, in order. What is legal at each is the table in verify.cpp.
enum class Stage {
  built,           ///< as the language delivers it: modes open, `grad` not expanded
  specialised,     ///< the mode is chosen
  differentiable,  ///< `grad` is expanded; gradients may still be taken
  executable       ///< for lowering: no more gradients; what only they need is erased
};

/// Throws Error{internal} that names `after` (the pass), the node and the rule that is broken: inputs before
/// users; names and output names unique; types as the ops infer them; no value of an effect is used; effects
/// write variables, and each variable has one writer; and the table of the stage. Linear.
void verify(const Graph& graph, Stage stage, std::string_view after);

}  // namespace graphrun
