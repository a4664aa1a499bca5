/// \file
/// "Did you mean …?" for flags, commands and names on the command line.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace graphrun::cli {

/// "; did you mean 'NAME'?" for the known name that is nearest, or nothing when none is near.
std::string suggestion(std::string_view written, std::span<const std::string> known);

}  // namespace graphrun::cli
