/// \file
/// "; did you mean 'NAME'?" at the end of an error about the command line.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "errors/nearest.hpp"

namespace graphrun::cli {

/// Empty when no known name is near.
inline std::string did_you_mean(std::string_view written, std::span<const std::string> known) {
  const std::string nearest = nearest_name(written, known);
  return nearest.empty() ? std::string() : "; did you mean '" + nearest + "'?";
}

}  // namespace graphrun::cli
