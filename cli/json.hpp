/// \file
/// The JSON object that --json prints.
#pragma once

#include "files/json.hpp"

namespace graphrun::cli {

using train::JsonArray;
using train::JsonObject;

}  // namespace graphrun::cli
