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

/// Paths become relative to the folder of the file that they stand in.
std::optional<DataSpec> read_data(const YamlNode& section, Expander& expander);

}  // namespace graphrun
