/// \file
/// `train:` and `data:` as the training layer wants them. Internal to graph/yaml.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "graph/model.hpp"
#include "graph/yaml/expander.hpp"

namespace graphrun {

/// `terms` are the nodes of the loss that could be made. Nothing when it makes no sense at all; what is wrong
/// has been reported.
std::optional<TrainSpec> read_train(const YamlNode& section, const Spec& spec,
                                    const std::map<std::string, NodeId>& terms, Expander& expander);

/// Makes the paths of data files absolute: they are relative to the folder of the file that they stand in,
/// and those of --set to the current one. So a resolved model finds its data wherever it lies.
void resolve_data_paths(YamlNode& document, const Sources& sources);

std::optional<DataSpec> read_data(const YamlNode& section, Expander& expander);

}  // namespace graphrun
