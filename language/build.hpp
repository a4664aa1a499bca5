/// \file
/// From a model file to a ModelDefinition: reading, `include`, `--set`, and building the graph.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "errors/budget.hpp"
#include "graph/op.hpp"
#include "language/recipe/definition.hpp"
#include "language/recipe/includes.hpp"

namespace graphrun {

/// What the language knows beside the file: the ops, and the blocks written in the language itself.
struct Language {
  const OpRegistry* registry = nullptr;
  std::string_view standard_blocks;  ///< the text of ops/std.yaml
  BudgetLimits limits = {};          ///< what a model may cost
  /// Reads the table that a model learns from: what its columns are, fitted on the rows to learn from. It may
  /// throw any Error. Without it, models are read that say so themselves, under `fitted:`.
  std::function<std::vector<FittedColumn>(const DataRecipe&)> fit_table = {};
};

/// Reads a model file. `settings` are as after --set. Throws ModelError with all mistakes that do not follow
/// from each other, or Error{io} when the file cannot be read.
ModelDefinition load_model(const std::string& path, std::span<const std::string> settings,
                           const Language& language);

/// The same of a text; `name` stands for the file in messages. Includes are read by `reader`, at paths
/// relative to `name`'s folder; without one they are an error.
ModelDefinition parse_model(std::string_view text, const std::string& name,
                            std::span<const std::string> settings, const Language& language,
                            const IncludeReader& reader = {});

/// A standard block, for help and for the reference.
struct BlockSummary {
  std::string name;
  std::string about;
  std::vector<std::string> inputs;
  struct Argument {
    std::string name;
    std::string fallback;  ///< "required" when there is none
    Range range;
  };
  std::vector<Argument> arguments;
};
std::vector<BlockSummary> standard_blocks(std::string_view text);

}  // namespace graphrun
