// What the process may use, by the files of control groups.
#include "runtime/machine/resources.hpp"

#include <sched.h>

#include <fstream>
#include <thread>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace graphrun::runtime;
using graphrun::testing::TemporaryFolder;

namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("limits of control groups: the least of a group and all above it") {
  const TemporaryFolder folder;
  const ControlGroups none(folder.path(), "0::/a/b\n");
  CHECK_FALSE(none.cores());
  CHECK_FALSE(none.memory());
  write(folder / "a/b/cpu.max", "max 100000\n");
  write(folder / "a/b/memory.max", "max\n");
  CHECK_FALSE(none.cores());
  CHECK_FALSE(none.memory());
  write(folder / "a/cpu.max", "150000 100000\n");
  write(folder / "a/memory.max", "1000000\n");
  CHECK(none.cores() == 1.5);
  CHECK(none.memory() == std::size_t{1000000});
  write(folder / "a/b/cpu.max", "50000 100000\n");
  write(folder / "a/b/memory.max", "2000000\n");
  CHECK(none.cores() == 0.5);
  CHECK(none.memory() == std::size_t{1000000});
  // In a container the path may be one of the host's: the mount is the group then.
  write(folder / "cpu.max", "400000 100000\n");
  CHECK(ControlGroups(folder.path(), "0::/elsewhere\n").cores() == 4.0);
}

TEST_CASE("limits of control groups of version 1") {
  const TemporaryFolder folder;
  const ControlGroups groups(folder.path(), "4:cpu,cpuacct:/job\n7:memory:/job\n1:name=systemd:/x\n");
  CHECK_FALSE(groups.cores());
  write(folder / "cpu/job/cpu.cfs_quota_us", "-1\n");
  write(folder / "cpu/job/cpu.cfs_period_us", "100000\n");
  write(folder / "memory/job/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK_FALSE(groups.cores());
  CHECK_FALSE(groups.memory());
  write(folder / "cpu/job/cpu.cfs_quota_us", "250000\n");
  write(folder / "memory/job/memory.limit_in_bytes", "5000\n");
  CHECK(groups.cores() == 2.5);
  CHECK(groups.memory() == std::size_t{5000});
  CHECK_FALSE(ControlGroups(folder.path(), "no groups\n\n:").cores());
}

TEST_CASE("limits of control groups are found wherever the system mounts them") {
  const TemporaryFolder folder;
  // No link `cpu` beside `cpu,cpuacct`.
  write(folder / "cpu,cpuacct/job/cpu.cfs_quota_us", "50000\n");
  write(folder / "cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  CHECK(ControlGroups(folder.path(), "4:cpu,cpuacct:/job/step\n").cores() == 0.5);
  // Version 2 beside version 1, with controllers of its own.
  write(folder / "unified/cpu.max", "max 100000\n");
  write(folder / "unified/job/cpu.max", "300000 100000\n");
  write(folder / "unified/job/memory.max", "7000\n");
  const ControlGroups both(folder.path(), "3:cpuset:/\n0::/job\n");
  CHECK(both.cores() == 3.0);
  CHECK(both.memory() == std::size_t{7000});
}

TEST_CASE("threads are counted by the affinity mask") {
  std::thread([] {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    REQUIRE(::sched_getaffinity(0, sizeof(mask), &mask) == 0);
    int first = 0;
    while (!CPU_ISSET(first, &mask)) ++first;
    CPU_ZERO(&mask);
    CPU_SET(first, &mask);
    REQUIRE(::sched_setaffinity(0, sizeof(mask), &mask) == 0);
    CHECK(available_threads() == 1);
    CHECK(cores_of_process() == std::vector<int>{first});
  }).join();
  CHECK(available_memory() > 0);
}
