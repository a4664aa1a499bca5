/// \file
/// Scripts that let a shell complete the words of `graphrun`, made from what the commands declare.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/arguments.hpp"

namespace graphrun::cli {

/// `shell` is "bash", "zsh" or "fish"; Error{usage} for another.
std::string completion_script(std::string_view shell, std::span<const CommandDescription> commands,
                              std::span<const ArgumentDescription> everywhere);

}  // namespace graphrun::cli
