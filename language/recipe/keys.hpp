/// \file
/// The keys of the language. Each is one row in keys/, in the file of its section, which also names the field
/// that it fills; a key that is not read as it stands (a list of names, a section) has no field, and its
/// section's reader does the rest.
#pragma once

#include <span>
#include <string_view>

#include "language/expand/key.hpp"
#include "language/recipe/definition.hpp"
#include "language/recipe/optimizer_kind.hpp"

namespace graphrun {

/// All sections but those of schedules, in the order in which a misplaced key is looked for.
std::span<const Section> sections();

/// Error{internal} when there is none.
const Section& section_of(std::string_view name);

/// Of the optimizer or probe of this kind: what all have, and its settings.
const Section& section_of(const OptimizerKind& kind);

struct ProbeKind {
  std::string_view name;
  ProbeRecipe::Kind kind;
  std::vector<std::string_view> settings;
  bool labelled;  ///< looks at a code and the labels; else at a code alone
  std::int64_t k;
  std::string_view doc;
};
std::span<const ProbeKind> probe_kinds();
const Section& section_of(const ProbeKind& kind);

/// The key of an optimizer's setting.
Key key_of(const OptimizerSetting& setting);

bool check_keys(const YamlNode& mapping, const Section& section, Diagnostics& diagnostics);

/// Of examples, steps and epochs: their products can still be counted.
inline constexpr Range counted = {.low = 1, .high = 1'000'000'000};

// Rows of sections that fill fields; in keys/ each is a list in the file of its section.
extern const Rows<PhaseRecipe> learning_rows;  ///< of `train:`, which phases inherit
extern const Rows<TrainRecipe> train_rows;     ///< of `train:` alone
extern const Rows<PhaseRecipe> phase_rows;     ///< of a phase alone
extern const Rows<StepRecipe> step_rows;
extern const Rows<SubsetRecipe> subset_rows;
extern const Rows<StopRule> stop_rows;
extern const Rows<TrainRecipe> pictures_rows;
extern const Rows<OptimizerRecipe> optimizer_rows;
extern const Rows<ProbeRecipe> probe_rows;
extern const Rows<DataRecipe> data_rows;

// Sections that are read by hand.
extern const Section columns_section, numbers_section, split_section, windows_section, fitted_section,
    greedy_section, files_section, labels_section, weights_section, input_section, model_section,
    included_section, term_section, block_section, call_section;

}  // namespace graphrun
