/// \file
/// What a model begins with, gathered from files of weights: graphrun's own and those of other programs, each
/// with all of it or a part.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "graphrun/error.hpp"
#include "language/recipe/definition.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::weights {

struct GatherOptions {
  /// Like WeightsRecipe::map, for whichever file of another program has what stands on the left.
  std::vector<std::string> map = {};
  /// The variables that must have a value, and that others are not looked for beside; null: any may be
  /// without.
  const std::set<std::string>* needed = nullptr;
};

struct Gathered {
  train::Learner::Weights values;  ///< by the names of variables
  std::vector<std::string> table;  ///< what came from where
  std::vector<std::string> notes;  ///< what did not, and what is worth knowing
};

/// Reads the files in order: a later one fills in what earlier ones do not have, and overrides the rest.
/// Error{data} where a file has nothing for the model, fits in more than one way, or lacks what is needed;
/// Error{usage} for a map that makes no sense; Error{io}.
Gathered gathered(const ModelDefinition& model, std::span<const WeightsRecipe> files,
                  const GatherOptions& options = {});

/// Is the file one of another program, by what is said or by its names? Error{usage} for a program that is
/// not known.
bool is_foreign(const ModelDefinition& model, const WeightsRecipe& file);

/// The same failure where the model names the file; as it is when no model does.
Error at_place_of(const WeightsRecipe& recipe, const Error& error);

/// Calls. What is wrong with a file that a model names is told at the model's line, in which it is mended.
template <class Call>
auto at_place_of(const WeightsRecipe& recipe, const Call& call) -> decltype(call()) {
  try {
    return call();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::io && error.code() != ErrorCode::data) throw;
    throw at_place_of(recipe, error);
  }
}

}  // namespace graphrun::weights
