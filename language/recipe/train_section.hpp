/// \file
/// `train:` as the training layer wants it. Internal to graph/yaml.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "language/expand/expander.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun {

/// `terms` are the nodes of the loss that could be made. Nothing when it makes no sense at all; what is wrong
/// has been reported.
std::optional<TrainSpec> read_train(const YamlNode& section, const Spec& spec,
                                    const std::map<std::string, NodeId>& terms, Expander& expander);

}  // namespace graphrun
