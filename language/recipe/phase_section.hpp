/// \file
/// `train:` and the entries of its `phases:`: what each learns, from what, for how long. Internal to
/// language.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "language/expand/scope.hpp"
#include "language/recipe/definition.hpp"
#include "language/recipe/section_reader.hpp"

namespace graphrun {

/// What the keys of a phase may name.
struct PhaseNames {
  const std::map<std::string, std::vector<NodeId>>& owners;  ///< of variables, by path
  std::vector<std::string> terms;                            ///< of the loss
  std::vector<std::string> metrics;                          ///< but no probes
  const std::vector<LossTerm>& loss;                         ///< the terms that could be made
};

/// Reports what is wrong and goes on with what is left.
class PhaseReader {
 public:
  PhaseReader(PhaseNames names, Expansion& expansion) : names_(std::move(names)), expansion_(expansion) {}

  /// The keys of `train:` itself, which all phases inherit.
  void read_defaults(const YamlNode& section, TrainRecipe& recipe);
  /// One entry of `phases:`; `earlier` are those before it. Nothing when it is no mapping or has no name.
  std::optional<PhaseRecipe> read(const YamlNode& section, const PhaseRecipe& defaults,
                                  const std::vector<PhaseRecipe>& earlier);
  /// What holds for a phase as a whole: that it says how long, that it learns something, that draws differ.
  void check(const YamlNode& section, const PhaseRecipe& phase);

 private:
  void read_keys(SectionReader& reader, PhaseRecipe& phase);
  void read_length(SectionReader& reader, PhaseRecipe& phase);
  void read_what(SectionReader& reader, PhaseRecipe& phase);
  std::vector<StepRecipe> read_alternate(const YamlNode& list, const PhaseRecipe& phase);
  std::optional<SubsetRecipe> read_subset(const YamlNode& section);
  std::optional<StopRule> read_stop(const YamlNode& section);
  /// The variables that `train:` names, and the terms that `loss:` does.
  std::vector<NodeId> read_variables(SectionReader& reader);
  std::vector<std::size_t> read_terms(SectionReader& reader);
  std::string read_name(const YamlNode& section, const std::vector<PhaseRecipe>& earlier);
  void check_learns(const YamlNode& at, const StepRecipe& step);

  PhaseNames names_;
  Expansion& expansion_;
};

}  // namespace graphrun
