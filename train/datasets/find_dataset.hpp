/// \file
/// Data sets by name: where they may lie, which folder has the right contents, loading them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/datasets/dataset.hpp"
#include "train/datasets/known_datasets.hpp"

namespace graphrun::train {

/// Where data sets are looked for, in this order. An empty path is not looked at.
struct DataFolders {
  std::filesystem::path chosen;  ///< $GRAPHRUN_DATA: data set files, or folders named after data sets
  std::filesystem::path cache;   ///< the user's cache for graphrun; `graphrun data fetch` writes here
  std::filesystem::path system;  ///< where Debian's packages install data sets
  std::vector<std::filesystem::path> bundled;  ///< may hold fashion_mnist_1200, the last resort

  /// $GRAPHRUN_DATA; $XDG_CACHE_HOME/graphrun or ~/.cache/graphrun; /usr/share/datasets; and `data` beside
  /// the program's share folder, in the installed share folder, and in the source tree. Reads the
  /// environment, so no other thread may be changing it.
  static DataFolders from_environment();
};

enum class DatasetState {
  full,    ///< all files are there and verified
  subset,  ///< only the small part that comes with graphrun
  missing
};

struct FoundDataset {
  const KnownDataset* dataset = nullptr;  ///< never null
  DatasetState state = DatasetState::missing;
  std::filesystem::path folder;      ///< empty if missing
  DatasetFiles files;                ///< absolute paths; empty if missing
  std::vector<std::string> notes;    ///< incomplete folders passed over
  std::optional<std::string> wrong;  ///< a folder named after the data set has wrong contents: what is wrong
};

/// Looks for a data set; reads and verifies contents unless that is remembered, throws for an unknown name
/// only.
FoundDataset find_dataset(std::string_view name, const DataFolders& folders);

/// Are its files anywhere, or the small part that comes with graphrun? They are not read.
bool is_present(const KnownDataset& dataset, const DataFolders& folders);

/// Finds and loads it. Error{data} if it is not there (with where it was looked for and how to get it), or if
/// a folder named after it has wrong contents and no other folder has the right ones.
Dataset load_dataset(std::string_view name, const DataFolders& folders);

}  // namespace graphrun::train
