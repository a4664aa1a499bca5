/// \file
/// The help texts that are written by hand: the first screen fits 80 by 24.
#pragma once

#include <span>
#include <string>

#include "cli/arguments.hpp"

namespace graphrun::cli {

std::string main_help();

/// A subcommand's help: its own arguments, then the flags that stand everywhere.
std::string command_help(const std::string& own, std::span<const ArgumentDescription> everywhere);

/// How an argument is written: "-q, --quiet", "--out DIR", "--resume [DIR]", "FILE".
std::string written(const ArgumentDescription& argument);

}  // namespace graphrun::cli
