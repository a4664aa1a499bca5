/// \file
/// Headers and library belong together: a program that was compiled with other headers than the library's
/// does not link, and does not start, instead of misreading memory.
#pragma once

#include "graphrun/export.hpp"

namespace graphrun::detail {

/// Its name has the version in it within which the interface stays as it is.
extern "C" GRAPHRUN_API const int graphrun_interface_0_1;

/// Every program asks for it.
[[gnu::used]] inline const int* const asked_interface = &graphrun_interface_0_1;

}  // namespace graphrun::detail
