/// \file
/// The optimizers by name, with their settings and what their updates are made of: one table that the
/// language checks against, the training layer goes by and `graphrun ops` shows. Formulas and defaults are
/// PyTorch's. An optimizer is a row here, an update op that takes its settings as attributes, and a line in
/// the op list.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "graph/range.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

struct OptimizerSetting {
  std::string_view name;
  double fallback = 0;
  std::string_view doc;
  Range range = at_least(0);
  bool flag = false;  ///< true or false in a model file; held as 1 or 0
};

/// A variable beside each that is learnt, as the checkpoint calls it.
struct OptimizerSlot {
  std::string_view name;
  std::string_view start = {};  ///< the setting that it starts from; empty: 0
};

/// A number that the host computes in f64 for the step `t`, counted from 1.
struct OptimizerScalar {
  std::string_view name;
  double (*value)(const OptimizerRecipe&, double t);
};

/// The update op NAME_update, its slots, and its scalars after the learning rate.
struct OptimizerKind {
  std::string_view name;
  std::string_view doc;
  std::string_view formula;
  double learning_rate = 1e-3;  ///< when `lr` is not written
  std::vector<OptimizerSetting> settings;
  std::vector<OptimizerSlot> slots = {};
  std::vector<OptimizerScalar> scalars = {};
  std::string_view with_momentum = {};  ///< the op when `momentum` is not 0; it has a slot `velocity` more
  double (*slowed)(const OptimizerRecipe&, double t) = nullptr;  ///< what the learning rate is divided by
};

/// All of them, in the order in which they are shown.
std::span<const OptimizerKind> optimizer_kinds();

/// Null when there is none.
const OptimizerKind* find_optimizer(std::string_view name);

/// What was written for a setting, or its default. Error{internal} when the optimizer has no such setting.
double setting_of(const OptimizerRecipe& recipe, std::string_view setting);

/// Throws Error{model} at recipe.where for an unknown optimizer or setting (it lists the known
/// ones), and for a value out of its range.
void check_optimizer(const OptimizerRecipe& recipe);

}  // namespace graphrun
