#include "ranks/shared_cores.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "runtime/machine/resources.hpp"

namespace graphrun::ranks {

namespace {

namespace fs = std::filesystem;

/// In one line.
std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  std::ranges::replace(text, '\n', ' ');
  return text;
}

bool may_use(const OwnCores& process, int core) {
  return std::ranges::find(process.numbers, core) != process.numbers.end();
}

}  // namespace

OwnCores own_cores() {
  std::error_code ignored;
  // Containers have names of their own for one machine, and one name for groups that are not the same.
  const std::string machine = text_of("/proc/sys/kernel/random/boot_id");
  const std::string space = fs::read_symlink("/proc/self/ns/cgroup", ignored).string();
  return {.machine = machine,
          .group = machine + space + text_of("/proc/self/cgroup"),
          .numbers = runtime::cores_of_process(),
          .quota = runtime::cores_of_groups().value_or(0)};
}

std::string to_text(const OwnCores& cores) {
  return fmt::format("{}\n{}\n{}\n{}", cores.machine, cores.group, cores.quota,
                     fmt::join(cores.numbers, " "));
}

OwnCores cores_in(const std::string& text) {
  std::istringstream lines(text);
  OwnCores cores;
  std::getline(lines, cores.machine);
  std::getline(lines, cores.group);
  lines >> cores.quota;
  for (int core = 0; lines >> core;) cores.numbers.push_back(core);
  return cores;
}

int threads_of(std::size_t process, const std::vector<OwnCores>& all) {
  const OwnCores& own = all[process];
  double share = 1e-6;  // three thirds may be less than one
  for (const int core : own.numbers)
    share += 1.0 / static_cast<double>(std::ranges::count_if(all, [&](const OwnCores& other) {
               return other.machine == own.machine && may_use(other, core);
             }));
  if (own.quota > 0) {
    const auto together = static_cast<double>(std::ranges::count(all, own.group, &OwnCores::group));
    share = std::min(share, std::ceil(own.quota / together));
  }
  return std::max(1, static_cast<int>(share));
}

}  // namespace graphrun::ranks
