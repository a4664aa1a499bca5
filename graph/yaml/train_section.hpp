/// \file
/// `train:` and `data:` as the training layer wants them. Internal to graph/yaml.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/model.hpp"
#include "graph/yaml/expander.hpp"

namespace graphrun {

/// `terms` are the names of the loss. Nothing when something is wrong, which has been reported.
std::optional<TrainSpec> read_train(const YamlNode& section, const std::vector<std::string>& terms,
                                    Expander& expander);

/// Makes the paths of data files absolute: they are relative to the folder of the file that they stand in,
/// and those of --set to the current one. So a resolved model finds its data wherever it lies.
void resolve_data_paths(YamlNode& document, const Sources& sources);

std::optional<DataSpec> read_data(const YamlNode& section, Expander& expander);

}  // namespace graphrun
