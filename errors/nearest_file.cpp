#include "errors/nearest_file.hpp"

#include <fmt/format.h>

#include <system_error>
#include <vector>

#include "errors/nearest.hpp"

namespace graphrun {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_names = 10'000;  // a folder of a million pictures is not gone through

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// The outermost part of a path at which there is nothing.
fs::path first_missing(fs::path path) {
  for (fs::path folder = folder_of(path); folder != path && !is_there(folder); folder = folder_of(path))
    path = folder;
  return path;
}

/// Names that begin with a dot are the system's own.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failure;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
    if (names.size() == most_names) break;
    std::string name = it->path().filename().string();
    if (!name.starts_with('.')) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

std::string hint_on_missing(const fs::path& path) {
  if (path.empty() || is_there(path)) return {};
  const fs::path missing = first_missing(path);
  const std::string near = nearest_name(missing.filename().string(), names_in(folder_of(missing)));
  const std::string meant = near.empty() ? std::string() : fmt::format("did you mean '{}'?", near);
  if (missing != path)
    return fmt::format("; there is no folder '{}'{}{}", missing.string(), meant.empty() ? "" : ": ", meant);
  return meant.empty() ? std::string() : "; " + meant;
}

}  // namespace graphrun
