#include "train/datasets/find_dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "train/datasets/verified_sums.hpp"

namespace graphrun::train {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view subset_of = "fashion_mnist";
constexpr std::string_view subset_folder = "fashion_mnist_1200";

/// A folder in which the files of a data set may lie.
struct Candidate {
  fs::path folder;
  bool named;  ///< named after the data set, so other contents are a mistake
};

std::vector<Candidate> candidates(const KnownDataset& dataset, const DataFolders& folders) {
  std::vector<Candidate> all;
  if (!folders.chosen.empty()) {
    all.push_back({folders.chosen / dataset.name, true});
    if (dataset.folder != dataset.name) all.push_back({folders.chosen / dataset.folder, true});
    all.push_back({folders.chosen, false});
  }
  if (!folders.cache.empty()) all.push_back({folders.cache / dataset.name, true});
  if (!folders.system.empty()) all.push_back({folders.system / dataset.folder, true});
  return all;
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// The file with or without ".gz"; empty if there is neither.
fs::path present(const fs::path& folder, std::string_view name) {
  const fs::path plain = folder / name;
  fs::path compressed = plain;
  compressed += ".gz";
  if (is_file(compressed)) return compressed;
  return is_file(plain) ? plain : fs::path();
}

using FourPaths = std::array<fs::path, 4>;

FourPaths present_files(const fs::path& folder, const KnownDataset& dataset) {
  FourPaths paths;
  for (std::size_t i = 0; i < paths.size(); ++i) paths[i] = present(folder, dataset.files[i].name);
  return paths;
}

DatasetFiles as_files(const FourPaths& paths) {
  std::array<fs::path, 4> absolute;
  for (std::size_t i = 0; i < paths.size(); ++i) absolute[i] = fs::absolute(paths[i]);
  return {{absolute[0], absolute[1]}, {absolute[2], absolute[3]}};
}

/// What is wrong with the contents of the four files; nothing if they are right.
std::optional<std::string> wrong_contents(const FourPaths& paths, const KnownDataset& dataset,
                                          const VerifiedSums& sums) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    try {
      const std::string sum = sums.sum_of(paths[i]);
      if (sum == dataset.files[i].sha256) continue;
      return fmt::format("{} is not {}'s: its contents have the SHA-256 {} instead of {}", paths[i].string(),
                         dataset.name, sum, dataset.files[i].sha256);
    } catch (const Error& error) {
      return std::string(error.what());
    }
  }
  return std::nullopt;
}

/// Looks at one folder; true if the full data set is in it.
bool look_at(const Candidate& candidate, const VerifiedSums& sums, FoundDataset& found) {
  const FourPaths paths = present_files(candidate.folder, *found.dataset);
  std::vector<std::string_view> missing;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (paths[i].empty()) missing.push_back(found.dataset->files[i].name);
  }
  if (missing.size() == paths.size()) return false;
  if (!missing.empty()) {
    if (candidate.named) {
      found.notes.push_back(fmt::format("{} is not complete: {} not there", candidate.folder.string(),
                                        fmt::join(missing, ", ")));
    }
    return false;
  }
  if (std::optional<std::string> wrong = wrong_contents(paths, *found.dataset, sums)) {
    if (candidate.named && !found.wrong) found.wrong = std::move(wrong);
    return false;
  }
  found.state = DatasetState::full;
  found.folder = candidate.folder;
  found.files = as_files(paths);
  return true;
}

void look_for_subset(const DataFolders& folders, FoundDataset& found) {
  if (found.dataset->name != subset_of) return;
  for (const fs::path& bundled : folders.bundled) {
    const FourPaths paths = present_files(bundled / subset_folder, *found.dataset);
    if (paths[0].empty() || paths[1].empty() || paths[2].empty() || paths[3].empty()) continue;
    found.state = DatasetState::subset;
    found.folder = bundled / subset_folder;
    found.files = as_files(paths);
    return;
  }
}

std::string not_found(const FoundDataset& found, const DataFolders& folders) {
  std::vector<std::string> places;
  for (const Candidate& candidate : candidates(*found.dataset, folders)) {
    places.push_back(candidate.folder.string());
  }
  for (const fs::path& bundled : folders.bundled) {
    if (found.dataset->name == subset_of) places.push_back((bundled / subset_folder).string());
  }
  return fmt::format("data set '{0}' was not found; looked in {1}. `graphrun data fetch {0}` downloads it{2}",
                     found.dataset->name, fmt::join(places, ", "),
                     found.notes.empty() ? "" : fmt::format(". {}", fmt::join(found.notes, ". ")));
}

fs::path variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? fs::path() : fs::path(value);
}

fs::path cache_folder() {
  const fs::path cache = variable("XDG_CACHE_HOME");
  // The XDG rules say that a relative path is to be ignored.
  if (cache.is_absolute()) return cache / "graphrun";
  const fs::path home = variable("HOME");
  return home.empty() ? fs::path() : home / ".cache" / "graphrun";
}

std::vector<fs::path> bundled_folders() {
  std::vector<fs::path> folders;
  std::error_code code;
  const fs::path program = fs::read_symlink("/proc/self/exe", code);
  if (!code) folders.push_back((program.parent_path() / "../share/graphrun/data").lexically_normal());
  folders.emplace_back(GRAPHRUN_INSTALLED_DATA_DIR);
  folders.emplace_back(GRAPHRUN_SOURCE_DATA_DIR);
  return folders;
}

}  // namespace

DataFolders DataFolders::from_environment() {
  return {variable("GRAPHRUN_DATA"), cache_folder(), "/usr/share/datasets", bundled_folders()};
}

FoundDataset find_dataset(std::string_view name, const DataFolders& folders) {
  FoundDataset found;
  found.dataset = &known_dataset(name);
  const VerifiedSums sums(folders.cache.empty() ? fs::path() : folders.cache / "verified.txt");
  for (const Candidate& candidate : candidates(*found.dataset, folders)) {
    if (look_at(candidate, sums, found)) return found;
  }
  look_for_subset(folders, found);
  return found;
}

bool is_present(const KnownDataset& dataset, const DataFolders& folders) {
  for (const Candidate& candidate : candidates(dataset, folders)) {
    const FourPaths paths = present_files(candidate.folder, dataset);
    if (std::ranges::none_of(paths, &fs::path::empty)) return true;
  }
  FoundDataset found;
  found.dataset = &dataset;
  look_for_subset(folders, found);
  return found.state != DatasetState::missing;
}

Dataset load_dataset(std::string_view name, const DataFolders& folders) {
  const FoundDataset found = find_dataset(name, folders);
  if (found.state != DatasetState::full && found.wrong) {
    throw Error(ErrorCode::data,
                fmt::format("{}. Remove the file, or get the right one with `graphrun data fetch {}`",
                            *found.wrong, name));
  }
  if (found.state == DatasetState::missing) throw Error(ErrorCode::data, not_found(found, folders));
  Dataset dataset = load_dataset(found.files, {});
  dataset.name = name;
  dataset.folder = found.folder;
  dataset.is_subset = found.state == DatasetState::subset;
  dataset.notes = found.notes;
  if (found.wrong) dataset.notes.push_back(*found.wrong);
  return dataset;
}

}  // namespace graphrun::train
