/// \file
/// Gets the data sets that are known by name from their public mirrors into the user's cache.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "train/datasets/known_datasets.hpp"
#include "train/fetch/download.hpp"

namespace graphrun::train {

struct FetchOptions {
  std::filesystem::path cache;  ///< DataFolders::cache; files go to its folder NAME
  /// Addresses to try in order instead of the data set's own mirrors; the files lie at ADDRESS/NAME/FILE.gz.
  std::vector<std::string> mirrors;
  std::chrono::milliseconds connect_timeout{20'000};
  std::chrono::seconds stall_timeout{30};
  std::stop_token stop;
  /// Called now and then with the name of a file, the bytes that are there and those there will be (0: not
  /// known).
  std::function<void(std::string_view file, std::uint64_t received, std::uint64_t total)> on_progress;
};

struct FetchedFile {
  std::filesystem::path path;
  std::string url;  ///< where it came from; empty if it was there and right already
};

/// The address in $GRAPHRUN_MIRROR, or none.
std::vector<std::string> mirrors_from_environment();

/// Downloads the files of a data set that are not in the cache yet, or are wrong there. Each is a file
/// NAME.part until its contents have the right SHA-256; a part left by an interrupted download is continued,
/// from any mirror, and begun anew if the result is wrong. Error{io}: no mirror gave a file, with each one's
/// reason; what has arrived stays as a part. Error{usage}: no cache folder. Error{cancelled}: stop was asked
/// for.
std::vector<FetchedFile> fetch_dataset(const KnownDataset& dataset, const FetchOptions& options);

}  // namespace graphrun::train
