/// \file
/// How a failure looks to the person at the terminal, and to the shell.
#pragma once

#include <exception>
#include <string>

#include "cli/command.hpp"

namespace graphrun::cli {

struct Failure {
  std::string text;  ///< for stderr, with its newline; empty when everything was said already
  ExitCode code = ExitCode::failed;
};

/// Every mistake of a model file with its place and caret; one line for everything else.
Failure describe(const std::exception_ptr& exception);

/// Says it on stderr, also where no memory is left to say it with; the exit code.
int report(const std::exception_ptr& exception) noexcept;

}  // namespace graphrun::cli
