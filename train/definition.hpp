/// \file
/// Model files read with the ops and standard blocks of this library.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "graph/model.hpp"

namespace graphrun::train {

using SharedDefinition = std::shared_ptr<const ModelDefinition>;

/// Reads a model file; `settings` are as after --set. Throws ModelError, Error{io}.
SharedDefinition load_definition(const std::string& path, std::span<const std::string> settings = {});

/// The same of a text; `name` stands for the file in messages.
SharedDefinition parse_definition(std::string_view text, const std::string& name,
                                  std::span<const std::string> settings = {});

}  // namespace graphrun::train
