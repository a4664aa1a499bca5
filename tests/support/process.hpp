/// \file
/// Runs a program as a child process and captures what it writes.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace graphrun::testing {

struct ProcessResult {
  int exit_code = -1;  ///< 128 + signal when a signal ended it
  std::string out;
  std::string err;
};

struct ProcessOptions {
  std::string folder;                    ///< working directory; empty: this process's
  std::vector<std::string> environment;  ///< "NAME=VALUE", beside this process's
  int signal = 0;                        ///< sent once after `signal_after`; 0: none
  std::chrono::milliseconds signal_after{0};
  std::string signal_when;  ///< instead of the time: when stderr first contains this text
  int signals = 1;          ///< how many times
  std::chrono::milliseconds between_signals{100};
  std::string stdout_path;  ///< stdout goes there instead of being captured
  std::chrono::seconds timeout{120};
};

/// `words[0]` is the program. After the timeout the child is killed and exit_code is 137.
ProcessResult run_process(const std::vector<std::string>& words, const ProcessOptions& options = {});

}  // namespace graphrun::testing
