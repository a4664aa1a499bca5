// Finding out whether an MPI launcher has started this process, and opening the module then.
#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "graphrun/error.hpp"
#include "ranks/rank_team.hpp"

namespace graphrun::ranks {

namespace {

namespace fs = std::filesystem;

/// The first of these that is set to a number.
template <std::size_t Count>
std::optional<int> number_of(const std::array<const char*, Count>& variables) {
  for (const char* const variable : variables) {
    const char* const text = std::getenv(variable);
    if (text == nullptr) continue;
    const std::string_view digits(text);
    int number = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (code == std::errc() && end == digits.data() + digits.size()) return number;
  }
  return std::nullopt;
}

/// Beside the program, where a build leaves it; then where it is installed.
std::optional<fs::path> module_file() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& folder :
       {program, program / GRAPHRUN_LIBRARIES_FROM_PROGRAMS, fs::path(GRAPHRUN_MODULES)})
    if (const fs::path file = folder / "graphrun-mpi.so"; fs::exists(file, ignored)) return file;
  return std::nullopt;
}

}  // namespace

int launched_ranks() {
  // Open MPI, MPICH and Intel MPI, MVAPICH. Slurm starts programs that have nothing to do with each other
  // too.
  return number_of(std::array{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE"}).value_or(1);
}

int launched_rank() {
  return number_of(std::array{"OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK"}).value_or(0);
}

std::shared_ptr<RankTeam> join(std::stop_token stop) {
  const std::optional<fs::path> file = module_file();
  if (!file)
    throw Error(
        ErrorCode::usage,
        "this graphrun was built without MPI, so processes cannot learn together; run scripts/setup --mpi, "
        "or install libopenmpi-dev and openmpi-bin, and build it again");
  return join(*file, std::move(stop));
}

std::shared_ptr<RankTeam> join(const fs::path& module, std::stop_token stop) {
  // Plug-ins of the library look for its names among those of the program.
  void* const opened = dlopen(module.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (opened == nullptr)
    throw Error(ErrorCode::io, fmt::format("cannot open MPI: {}; install the library it was built with, as "
                                           "scripts/setup --mpi does, on all machines",
                                           dlerror()));
  const auto* const built = static_cast<const int*>(dlsym(opened, "graphrun_collectives_version"));
  const auto open = reinterpret_cast<graphrun_open>(dlsym(opened, "graphrun_open_collectives"));
  if (built == nullptr || *built != GRAPHRUN_COLLECTIVES_VERSION || open == nullptr)
    throw Error(ErrorCode::io, fmt::format("{} is of another build than this graphrun; install both together",
                                           module.string()));
  graphrun_collectives collectives{};
  if (open(&collectives) != 0)
    throw Error(ErrorCode::io, fmt::format("MPI does not start; its module is {}", module.string()));
  auto team = std::make_shared<RankTeam>(collectives, std::move(stop));
  if (const int launched = launched_ranks(); launched > 1 && launched != team->members())
    throw Error(
        ErrorCode::io,
        fmt::format(
            "the launcher has started {} processes, and {} knows of {}: the launcher is of another MPI "
            "than {} was built with; start graphrun with that one's, or build it again",
            launched, team->library(), team->members(), module.string()));
  return team;
}

}  // namespace graphrun::ranks
