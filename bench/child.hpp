/// \file
/// A program run as a process of its own: how long it took and how much memory it had at its peak.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "bench/timing.hpp"

extern char** environ;

namespace graphrun::bench {

struct ChildResult {
  double milliseconds = 0;
  double peak_mb = 0;  ///< resident memory, in millions of bytes
  std::string output;
  int status = 0;
};

/// Its standard error stays ours. Throws std::system_error when it cannot be started.
inline ChildResult run_child(std::vector<std::string> words) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_addclose(&actions, ends[0]);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const Clock::time_point start = Clock::now();
  pid_t process = 0;
  const int failed = ::posix_spawn(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (failed != 0) throw std::system_error(failed, std::generic_category(), words[0]);
  ChildResult result;
  char piece[4096];
  for (ssize_t count = 0; (count = ::read(ends[0], piece, sizeof piece)) > 0;)
    result.output.append(piece, static_cast<std::size_t>(count));
  ::close(ends[0]);
  rusage usage{};
  ::wait4(process, &result.status, 0, &usage);
  result.milliseconds = seconds_since(start) * 1e3;
  result.peak_mb = static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
  return result;
}

/// This program's own file, to run it again as a child.
inline std::string own_path() {
  char path[4096];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  return {path, static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

/// The graphrun program that was built beside this one.
inline std::string graphrun_path() {
  const std::string own = own_path();
  return own.substr(0, own.rfind('/', own.rfind('/') - 1)) + "/graphrun";
}

}  // namespace graphrun::bench
