/// \file
/// Greedy training of layers: an encoder layer and its decoder layer learn, as an autoencoder of their own,
/// to reconstruct what the finished layers before them make of the data.
#pragma once

#include <cstddef>
#include <string>

#include "graph/op.hpp"
#include "language/recipe/definition.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/learning_step.hpp"

namespace graphrun::train {

/// The pair of layer `layer` of a greedy phase: [corrupted] input → encoder layer → decoder layer, and the
/// mean squared error between what comes out and the clean input. The parameters are the model's own, by
/// name. Its only input with data is the layer's, by the name it has in the model. Error{model} when a layer
/// needs more than that.
LearningStep greedy_step(const ModelDefinition& model, const OpRegistry& registry, const PhaseRecipe& phase,
                         std::size_t layer);

/// "layers, layer 2 of 4".
std::string layer_name(const PhaseRecipe& phase, std::size_t layer);

/// What a layer is given for all examples: the codes of the finished layers, in evaluate mode, computed once.
/// For a layer on a data input these are the examples themselves.
Examples layer_examples(Learner& learner, const PhaseRecipe& phase, std::size_t layer,
                        const Examples& examples, std::stop_token stop);

}  // namespace graphrun::train
