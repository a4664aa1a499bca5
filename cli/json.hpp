/// \file
/// The JSON object that --json prints.
#pragma once

#include "files/json.hpp"

namespace graphrun::cli {

using files::JsonArray;
using files::JsonObject;

}  // namespace graphrun::cli
