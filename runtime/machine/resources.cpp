#include "runtime/machine/resources.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

namespace graphrun::runtime {
namespace {

namespace fs = std::filesystem;

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

std::size_t cores_in_mask() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof(mask), &mask) == 0) return static_cast<std::size_t>(CPU_COUNT(&mask));
  return std::thread::hardware_concurrency();  // more cores than a mask has room for
}

}  // namespace

ControlGroups::ControlGroups(fs::path mounts, std::string_view membership) : mounts_(std::move(mounts)) {
  while (!membership.empty()) {
    const std::string_view line = membership.substr(0, membership.find('\n'));
    membership.remove_prefix(std::min(line.size() + 1, membership.size()));
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? first : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string controllers = "," + std::string(line.substr(first + 1, second - first - 1)) + ",";
    const fs::path group = line.substr(second + 1);
    if (controllers == ",,") unified_ = group;
    if (controllers.find(",cpu,") != controllers.npos) cpu_ = group;
    if (controllers.find(",memory,") != controllers.npos) memory_ = group;
  }
}

std::optional<double> ControlGroups::cores() const {
  std::optional<double> least;
  const auto visit = [&](const fs::path& group) { lower(least, cores_of(group)); };
  if (!unified_.empty()) each_group(mounts_, unified_, visit);
  if (!cpu_.empty()) each_group(mounts_ / "cpu", cpu_, visit);
  return least;
}

std::optional<std::size_t> ControlGroups::memory() const {
  std::optional<std::size_t> least;
  const auto visit = [&](const fs::path& group) { lower(least, memory_of(group)); };
  if (!unified_.empty()) each_group(mounts_, unified_, visit);
  if (!memory_.empty()) each_group(mounts_ / "memory", memory_, visit);
  return least;
}

std::size_t available_threads() {
  const std::size_t cores = std::max<std::size_t>(1, cores_in_mask());
  const std::optional<double> quota = own_groups().cores();
  if (!quota || *quota >= static_cast<double>(cores)) return cores;
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(*quota)));
}

std::size_t available_memory() {
  const std::size_t machine = static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
                              static_cast<std::size_t>(::sysconf(_SC_PAGE_SIZE));
  return std::min(machine, own_groups().memory().value_or(machine));
}

}  // namespace graphrun::runtime
