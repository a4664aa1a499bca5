/// \file
/// How a failure looks to the person at the terminal, and to the shell.
#pragma once

#include <exception>
#include <span>
#include <string>

#include "cli/command.hpp"

namespace graphrun::cli {

struct Failure {
  std::string text;  ///< for stderr, with its newline; empty when everything was said already
  ExitCode code = ExitCode::failed;
};

/// Every mistake of a model file with its place and caret; one line for everything else, and one with the
/// flag among the words of the command line that has named a file which is wrong.
Failure describe(const std::exception_ptr& exception, const std::string& model_file = {},
                 std::span<const std::string> words = {});

/// Says it on stderr, also where no memory is left to say it with; the exit code.
/// A mistake of a model without a place of its own is at the beginning of `model_file`, if that is not empty.
int report(const std::exception_ptr& exception, const std::string& model_file,
           std::span<const std::string> words = {}) noexcept;

}  // namespace graphrun::cli
