/// \file
/// `--set`: changes to a model file from outside. `units=10` gives a var another value of the same kind;
/// `train.epochs=5` replaces what stands at a path; `data=mnist` the data. The changed document is what is
/// read, printed and stored.
#pragma once

#include <span>
#include <string>

#include "language/syntax/document.hpp"

namespace graphrun {

/// Applies the settings in their order and reports what does not fit: places are in texts named "--set".
/// The last key of a path may be new (`train.seed`), except among names that the file itself gives (nodes,
/// inputs, …). `train.steps` takes the place of `train.epochs`, and the other way round.
void apply_settings(YamlNode& document, std::span<const std::string> settings, Sources& sources,
                    Diagnostics& diagnostics);

}  // namespace graphrun
