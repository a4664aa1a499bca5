/// \file
/// What the process may use: less than the machine has where affinity or a control group says so.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graphrun::runtime {

/// The numbers of the cores in the affinity mask, which follows cpusets too. At least one.
std::vector<int> cores_of_process();

/// Cores' worth of time that the control groups of the process are given; nothing when there is no limit.
std::optional<double> cores_of_groups();

/// How many threads can run at once: the cores of the affinity mask, at most as many as the control groups of
/// the process are given time for, rounded up. At least 1.
std::size_t available_threads();

/// Bytes of memory: the machine's, at most what the control groups allow.
std::size_t available_memory();

/// The limits of a process in the control groups of the system, version 1 or 2.
class ControlGroups {
 public:
  /// `mounts` is where they are mounted ("/sys/fs/cgroup"), `membership` the text of /proc/self/cgroup.
  ControlGroups(std::filesystem::path mounts, std::string_view membership);
  /// Cores' worth of time, the least of its group and all above; nothing when there is no limit.
  std::optional<double> cores() const;
  std::optional<std::size_t> memory() const;

 private:
  /// Of version 1, where each controller may have groups of its own.
  struct Controller {
    std::string mount;  ///< "cpu,cpuacct", where there may be no link of the single name
    std::filesystem::path group;
  };
  template <class Visit>
  void each_place(std::string_view controller, const Controller& own, Visit visit) const;

  std::filesystem::path mounts_;
  std::filesystem::path unified_;  ///< the group of the process; empty: none
  Controller cpu_;
  Controller memory_;
};

/// Whether this is still the process that made it: a child that was forked has the memory of its parent, but
/// none of its threads.
class OwnProcess {
 public:
  bool here() const noexcept { return ::getpid() == process_; }

 private:
  ::pid_t process_ = ::getpid();
};

}  // namespace graphrun::runtime
