/// \file
/// `greedy: {encoder: [enc, code], decoder: [dec, recon], corrupt: {op: masking, amount: 0.25}}`. Internal to
/// language.
#pragma once

#include <optional>
#include <string>

#include "language/expand/scope.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

/// The layers that are paired; a repeated node is as many layers as it has copies. `corrupt` becomes a node
/// "greedy.PHASE.0", … for each encoder layer. Nothing when something is wrong, which has been reported.
std::optional<GreedyRecipe> read_greedy(const YamlNode& section, const std::string& phase,
                                        Expansion& expansion);

}  // namespace graphrun
