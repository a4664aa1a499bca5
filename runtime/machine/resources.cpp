#include "runtime/machine/resources.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <string>

namespace graphrun::runtime {
namespace {

namespace fs = std::filesystem;

/// Of 1,024 cores each.
constexpr std::size_t most_mask_sets = 64;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The first number of a text; nothing for "max" and the like.
std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<double> ratio(std::string_view quota, std::string_view period) {
  const std::optional<double> above = number_in(quota);
  const std::optional<double> below = number_in(period);
  if (!above || !below || *above <= 0 || *below <= 0) return std::nullopt;
  return *above / *below;
}

template <class Number>
void lower(std::optional<Number>& least, std::optional<Number> limit) {
  if (limit && (!least || *limit < *least)) least = limit;
}

/// A group and all above it, up to the mount. A process in a name space sees paths that are not there: the
/// mount itself is then its group.
template <class Visit>
void each_group(const fs::path& mount, const fs::path& group, Visit visit) {
  visit(mount);
  fs::path at = mount;
  for (const fs::path& part : group.relative_path()) visit(at /= part);
}

std::optional<double> cores_of(const fs::path& group) {
  const std::string limit = text_of(group / "cpu.max");  // "150000 100000"
  const std::size_t space = limit.find(' ');
  if (space != std::string::npos) {
    return ratio(limit, std::string_view(limit).substr(space + 1));
  }
  return ratio(text_of(group / "cpu.cfs_quota_us"), text_of(group / "cpu.cfs_period_us"));
}

std::optional<std::size_t> memory_of(const fs::path& group) {
  std::optional<double> bytes = number_in(text_of(group / "memory.max"));
  if (!bytes) bytes = number_in(text_of(group / "memory.limit_in_bytes"));
  // Version 1 writes "no limit" as a number near the largest.
  if (!bytes || *bytes <= 0 || *bytes > 0x1p60) return std::nullopt;
  return static_cast<std::size_t>(*bytes);
}

ControlGroups own_groups() {
  return {"/sys/fs/cgroup", text_of("/proc/self/cgroup")};
}

}  // namespace

ControlGroups::ControlGroups(fs::path mounts, std::string_view membership) : mounts_(std::move(mounts)) {
  while (!membership.empty()) {
    const std::string_view line = membership.substr(0, membership.find('\n'));
    membership.remove_prefix(std::min(line.size() + 1, membership.size()));
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? first : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string mount(line.substr(first + 1, second - first - 1));
    const std::string controllers = "," + mount + ",";
    const fs::path group = line.substr(second + 1);
    if (mount.empty()) unified_ = group;
    if (controllers.find(",cpu,") != controllers.npos) cpu_ = {mount, group};
    if (controllers.find(",memory,") != controllers.npos) memory_ = {mount, group};
  }
}

/// Wherever the group of the process may be mounted, by itself or beside groups of version 1.
template <class Visit>
void ControlGroups::each_place(std::string_view controller, const Controller& own, Visit visit) const {
  if (!unified_.empty()) {
    each_group(mounts_, unified_, visit);
    each_group(mounts_ / "unified", unified_, visit);
  }
  if (own.group.empty()) return;
  each_group(mounts_ / controller, own.group, visit);
  each_group(mounts_ / own.mount, own.group, visit);
}

std::optional<double> ControlGroups::cores() const {
  std::optional<double> least;
  each_place("cpu", cpu_, [&](const fs::path& group) { lower(least, cores_of(group)); });
  return least;
}

std::optional<std::size_t> ControlGroups::memory() const {
  std::optional<std::size_t> least;
  each_place("memory", memory_, [&](const fs::path& group) { lower(least, memory_of(group)); });
  return least;
}

std::vector<int> cores_of_process() {
  std::vector<int> cores;
  // The system refuses a mask that is smaller than its own.
  for (std::size_t sets = 1; sets <= most_mask_sets && cores.empty(); sets *= 2) {
    std::vector<cpu_set_t> mask(sets);
    const std::size_t bytes = sets * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, bytes, mask.data()) != 0) continue;
    for (std::size_t core = 0; core < sets * CPU_SETSIZE; ++core)
      if (CPU_ISSET_S(core, bytes, mask.data())) cores.push_back(static_cast<int>(core));
  }
  if (cores.empty()) cores.push_back(0);
  return cores;
}

std::optional<double> cores_of_groups() {
  return own_groups().cores();
}

std::size_t available_threads() {
  const std::size_t cores = cores_of_process().size();
  const std::optional<double> quota = cores_of_groups();
  if (!quota || *quota >= static_cast<double>(cores)) return cores;
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(*quota)));
}

std::size_t available_memory() {
  const std::size_t machine = static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
                              static_cast<std::size_t>(::sysconf(_SC_PAGE_SIZE));
  return std::min(machine, own_groups().memory().value_or(machine));
}

}  // namespace graphrun::runtime
