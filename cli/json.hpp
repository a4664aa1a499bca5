/// \file
/// What a command has come to: with --json an object, else text.
#pragma once

#include <string_view>

#include "cli/command.hpp"
#include "files/json.hpp"

namespace graphrun::cli {

using files::JsonArray;
using files::JsonObject;

/// Prints the object on a line of its own with --json, else the text as it stands.
int answer(const Context& context, const files::JsonObject& object, std::string_view text,
           ExitCode code = ExitCode::ok);

}  // namespace graphrun::cli
