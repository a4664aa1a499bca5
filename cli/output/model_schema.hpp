/// \file
/// The model language as a JSON Schema (draft 7), for editors: from the rows of its keys, the ops and the
/// blocks.
#pragma once

#include <string>

#include "language/build.hpp"

namespace graphrun::cli {

/// A model that `check` takes is valid; one that is not may be valid too: names, shapes and what formulas say
/// are beyond a schema.
std::string model_schema(const Language& language);

}  // namespace graphrun::cli
