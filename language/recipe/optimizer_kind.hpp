/// \file
/// The optimizers by name with their settings: one table that the language checks against, the training
/// layer reads defaults from and `graphrun ops` shows. Formulas and defaults are PyTorch's.
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

struct OptimizerKind {
  std::string_view name;
  std::string_view doc;
  std::string_view formula;
  double learning_rate = 1e-3;  ///< when `lr` is not written
  std::vector<OptimizerSetting> settings;
};

/// All of them, in the order in which they are shown.
std::span<const OptimizerKind> optimizer_kinds();

/// Null when there is none.
const OptimizerKind* find_optimizer(std::string_view name);

/// What was written for a setting, or its default. Error{internal} when the optimizer has no such setting.
double setting_of(const OptimizerSpec& spec, std::string_view setting);

/// Throws Error{model} at spec.where for an unknown optimizer or setting (it lists the known
/// ones), and for a value out of its range.
void check_optimizer(const OptimizerSpec& spec);

}  // namespace graphrun
