#include "train/fetch/fetch.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <optional>
#include <system_error>

#include "train/datasets/verified_sums.hpp"

namespace graphrun::train {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> addresses(const KnownDataset& dataset, const KnownFile& file,
                                   const FetchOptions& options) {
  std::vector<std::string> urls;
  for (const std::string& mirror : options.mirrors) {
    urls.push_back(fmt::format("{}/{}/{}.gz", mirror, dataset.name, file.name));
  }
  if (!urls.empty()) return urls;
  for (const std::string_view mirror : dataset.mirrors)
    urls.push_back(fmt::format("{}/{}.gz", mirror, file.name));
  return urls;
}

/// What is wrong with the contents of a file; nothing if they are right.
std::optional<std::string> wrong_contents(const fs::path& path, const KnownFile& file) {
  try {
    const std::string sum = decompressed_sha256(path);
    if (sum == file.sha256) return std::nullopt;
    return fmt::format("its contents have the SHA-256 {} instead of {}", sum, file.sha256);
  } catch (const Error& error) {
    return error.message();
  }
}

DownloadOptions download_options(const KnownFile& file, const FetchOptions& options) {
  DownloadOptions download;
  download.connect_timeout = options.connect_timeout;
  download.stall_timeout = options.stall_timeout;
  download.stop = options.stop;
  if (options.on_progress) {
    download.on_progress = [&](std::uint64_t received, std::uint64_t total) {
      options.on_progress(file.name, received, total);
    };
  }
  return download;
}

/// Downloads from one address until the contents are right: nothing, or why it failed.
std::optional<std::string> try_address(const std::string& url, files::PartialFile& part,
                                       const KnownFile& file, const FetchOptions& options) {
  for (;;) {
    bool resumed = false;
    try {
      resumed = download(url, part, download_options(file, options));
    } catch (const Error& error) {
      if (error.code() == ErrorCode::cancelled) throw;
      if (error.code() == ErrorCode::data) part.restart();
      return error.message();
    }
    const std::optional<std::string> wrong = wrong_contents(part.path(), file);
    if (!wrong) return std::nullopt;
    part.restart();
    // The part that was there before may be to blame; without it there is one more chance.
    if (!resumed) return fmt::format("{} is not the right file: {}", url, *wrong);
  }
}

bool is_right(const fs::path& path, const KnownFile& file) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && !wrong_contents(path, file);
}

FetchedFile fetch_file(const KnownDataset& dataset, const KnownFile& file, const FetchOptions& options) {
  const fs::path path = options.cache / dataset.name / fmt::format("{}.gz", file.name);
  if (is_right(path, file)) return {path, {}};
  files::PartialFile part(path);
  std::vector<std::string> failures;
  for (const std::string& url : addresses(dataset, file, options)) {
    std::optional<std::string> failure = try_address(url, part, file, options);
    if (!failure) {
      part.finish();
      return {path, url};
    }
    failures.push_back(std::move(*failure));
  }
  if (part.size() == 0) part.discard();
  throw Error(ErrorCode::io, fmt::format("could not get {} of data set '{}': {}", file.name, dataset.name,
                                         fmt::join(failures, "; ")));
}

}  // namespace

std::vector<std::string> mirrors_from_environment() {
  const char* mirror = std::getenv("GRAPHRUN_MIRROR");
  if (mirror == nullptr || *mirror == '\0') return {};
  return {mirror};
}

std::vector<FetchedFile> fetch_dataset(const KnownDataset& dataset, const FetchOptions& options) {
  if (options.cache.empty()) {
    throw Error(ErrorCode::usage, "there is no cache folder to download to: set XDG_CACHE_HOME or HOME");
  }
  files::create_folders(options.cache / dataset.name);
  std::vector<FetchedFile> fetched;
  for (const KnownFile& file : dataset.files) fetched.push_back(fetch_file(dataset, file, options));
  return fetched;
}

}  // namespace graphrun::train
