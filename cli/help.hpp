/// \file
/// The help texts that are written by hand: the first screen fits 80 by 24.
#pragma once

#include <string>

namespace graphrun::cli {

std::string main_help();

/// A subcommand's help: its own arguments, then the flags that stand everywhere.
std::string command_help(const std::string& own);

}  // namespace graphrun::cli
