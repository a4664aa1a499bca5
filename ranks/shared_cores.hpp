/// \file
/// How many threads each of several processes takes, where some of them are on one machine: launchers deal
/// cores out in many ways, or not at all, and a core that two processes may use is half a core to each.
#pragma once

#include <string>
#include <vector>

namespace graphrun::ranks {

/// What a process may use.
struct OwnCores {
  std::string machine;       ///< the same text for all processes of a machine, and of no other
  std::string group;         ///< the same for those that share the time of their control groups
  std::vector<int> numbers;  ///< of the cores in its affinity mask
  double quota = 0;          ///< cores' worth of time of its control groups; 0: no limit
  bool operator==(const OwnCores&) const = default;
};

/// Of this process.
OwnCores own_cores();

/// In one text, to be gathered.
std::string to_text(const OwnCores& cores);
OwnCores cores_in(const std::string& text);

/// Of a process among all: its share of the cores that it may use, and of the time of its control groups. At
/// least 1.
int threads_of(std::size_t process, const std::vector<OwnCores>& all);

}  // namespace graphrun::ranks
