/// \file
/// The manual page graphrun(1), made from what the commands declare.
#pragma once

#include <span>
#include <string>

#include "cli/arguments.hpp"

namespace graphrun::cli {

/// As roff, for man(1).
std::string manual_page(std::span<const CommandDescription> commands,
                        std::span<const ArgumentDescription> everywhere);

}  // namespace graphrun::cli
