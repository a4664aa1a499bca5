/// \file
/// The graphrun program as the tests of the command line call it.
#pragma once

#include <string>
#include <vector>

#include "tests/support/folders.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"

namespace graphrun::testing {

inline std::string program_path() {
  return testing::in_build("/graphrun");
}

inline ProcessResult run_graphrun(std::vector<std::string> words, const ProcessOptions& options = {}) {
  words.insert(words.begin(), program_path());
  return run_process(words, options);
}

}  // namespace graphrun::testing
