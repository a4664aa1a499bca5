/// \file
/// The version of the library that is linked, and of this header.
#pragma once

#include <string_view>

#include "graphrun/export.hpp"

namespace graphrun {

/// "MAJOR.MINOR.PATCH" of the headers a program was compiled with.
inline constexpr std::string_view version = "0.1.0";

/// The same of the library that runs.
GRAPHRUN_API std::string_view library_version() noexcept;

}  // namespace graphrun
