/// \file
/// HTTP downloads that can be resumed. The only place that uses libcurl.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "files/partial_file.hpp"

namespace graphrun::train {

struct DownloadOptions {
  std::chrono::milliseconds connect_timeout{20'000};
  std::chrono::seconds stall_timeout{30};               ///< give up when nothing arrives for so long
  std::uint64_t largest_file = std::uint64_t{1} << 28;  ///< nothing larger is downloaded
  std::stop_token stop;
  /// Called now and then with the bytes that are there and the bytes there will be (0: not known).
  std::function<void(std::uint64_t received, std::uint64_t total)> on_progress;
};

/// Downloads `url` (http or https, proxies from the environment) to the end of `file`, asking only for what
/// is missing; a server that sends everything again is taken at its word, and the file begins anew. Returns
/// whether bytes that were there before have been kept. What comes is not looked at: the caller checks it.
/// Error{io}: no connection, HTTP errors, a stalled or broken transfer: what has arrived stays in the file.
/// Error{data}: larger than it may be. Error{cancelled}: stop was asked for. Exceptions of on_progress pass.
bool download(const std::string& url, files::PartialFile& file, const DownloadOptions& options);

}  // namespace graphrun::train
