/// \file
/// Model files read with the ops and standard blocks of this library.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "language/build.hpp"
#include "language/recipe/definition.hpp"
#include "train/datasets/dataset.hpp"

namespace graphrun::train {

/// The ops and standard blocks of this library.
const Language& language();

using SharedDefinition = std::shared_ptr<const ModelDefinition>;

/// Reads a model file; `settings` are as after --set. Throws ModelError, Error{io}.
SharedDefinition load_definition(const std::string& path, std::span<const std::string> settings = {});

/// The same of a text; `name` stands for the file in messages. Without a reader it includes nothing.
SharedDefinition parse_definition(std::string_view text, const std::string& name,
                                  std::span<const std::string> settings = {},
                                  const IncludeReader& reader = {});

/// The model with the names of its labels, and of the columns of its CSV file, written under `data:` where
/// the data have them and the model has not: so a checkpoint alone says what stands for what.
SharedDefinition with_class_names(SharedDefinition model, const Dataset& data);

}  // namespace graphrun::train
