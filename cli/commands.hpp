/// \file
/// The subcommands, one file each.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace graphrun::cli {

std::unique_ptr<Command> ops_command();

}  // namespace graphrun::cli
