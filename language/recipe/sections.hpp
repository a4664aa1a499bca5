/// \file
/// From the sections of a file to what they ask for. What is wrong is reported; nothing comes of a section
/// that makes no sense at all, else what is left of it. Internal to language.
#pragma once

#include <optional>
#include <string>

#include "language/expand/scope.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

/// Loss terms and metrics: each becomes a scalar, the mean over the batch. Fills these of the model, and its
/// objective.
void build_terms(Expansion& expansion, ModelDefinition& model);

/// The entries of `metrics:` that are probes: `{probe: knn, in: [code, y], k: 5}`. Fills those of the model.
void build_probes(Expansion& expansion, ModelDefinition& model);

/// `train:`; `model` has the terms that could be made.
std::optional<TrainRecipe> read_train(const YamlNode& section, const ModelDefinition& model,
                                      Expansion& expansion);

/// `optimizer: {op: adam, lr: 1.0e-3}`
OptimizerRecipe read_optimizer(const YamlNode& section, Expansion& expansion);

/// `greedy: {encoder: [enc, code], decoder: [dec, recon], corrupt: {op: masking, amount: 0.25}}`. Layers are
/// paired; a repeated node is as many layers as it has copies. `corrupt` becomes a node "greedy.PHASE.0", …
/// for each encoder layer. Nothing when anything is wrong.
std::optional<GreedyRecipe> read_greedy(const YamlNode& section, const std::string& phase,
                                        Expansion& expansion);

std::optional<DataRecipe> read_data(const YamlNode& section, Expansion& expansion);

/// `weights:`: a file, `{file: FILE, from: torch, map: {encoder.0: enc.0}}`, or a list of these.
std::vector<WeightsRecipe> read_weights(const YamlNode& section, Expansion& expansion);

/// Makes the paths of files of data and weights absolute: they are relative to the folder of the file that
/// they stand in, and those of --set to the current one. So a resolved model finds them wherever it lies.
void resolve_paths(YamlNode& document, const Sources& sources);

}  // namespace graphrun
