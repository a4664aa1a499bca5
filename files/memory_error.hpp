/// \file
/// What is said of a file that memory is lacking for.
#pragma once

#include <filesystem>

#include "graphrun/error.hpp"

namespace graphrun::files {

/// "FILE: error: there is not enough memory to read it; …"
inline Error memory_error(const std::filesystem::path& path) {
  return Error(
      ErrorCode::memory,
      "there is not enough memory to read it; a limit may leave the process less than the machine has "
      "(ulimit -v, control groups)",
      {path.string()});
}

}  // namespace graphrun::files
