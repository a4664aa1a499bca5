#include "train/fetch/download.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <new>

namespace graphrun::train {
namespace {

constexpr long http_ok = 200;
constexpr long http_partial = 206;
constexpr long http_range_not_satisfiable = 416;
constexpr long most_redirects = 5;

/// libcurl's own set-up, once for the process and safe from several threads.
void initialise_curl() {
  static const CURLcode result = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw Error(ErrorCode::io, "libcurl cannot be initialised");
}

/// One transfer. The callbacks are called by C code, so that no exception may leave them: they keep it and
/// stop the transfer.
class Transfer {
 public:
  Transfer(const std::string& url, files::PartialFile& file, const DownloadOptions& options)
      : url_(url), file_(file), options_(options), handle_(::curl_easy_init(), &::curl_easy_cleanup) {
    if (!handle_) throw std::bad_alloc();
  }

  bool run() {
    const std::uint64_t before = file_.size();
    configure();
    const CURLcode result = ::curl_easy_perform(handle_.get());
    if (failure_) std::rethrow_exception(failure_);
    // There is as much as the server has, or more: whether it is right, the caller finds out.
    if (before > 0 && status() == http_range_not_satisfiable) return true;
    check(result);
    return before > 0 && status() == http_partial;
  }

 private:
  template <class Value>
  void set(CURLoption option, Value value) {
    const CURLcode result = ::curl_easy_setopt(handle_.get(), option, value);
    if (result != CURLE_OK) {
      throw Error(ErrorCode::io, fmt::format("cannot download {}: {}", url_, ::curl_easy_strerror(result)));
    }
  }

  void configure() {
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, most_redirects);
    set(CURLOPT_USERAGENT, "graphrun");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_FAILONERROR, 1L);
    set(CURLOPT_ERRORBUFFER, message_.data());
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    set(CURLOPT_WRITEFUNCTION, &Transfer::on_bytes);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
    set(CURLOPT_XFERINFODATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    if (file_.size() > 0) set(CURLOPT_RANGE, fmt::format("{}-", file_.size()).c_str());
  }

  long status() const {
    long code = 0;
    ::curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &code);
    return code;
  }

  void check(CURLcode result) const {
    if (result == CURLE_OK && (status() == http_ok || status() == http_partial)) return;
    std::string reason = fmt::format("the server answered {}", status());
    if (result != CURLE_OK && result != CURLE_HTTP_RETURNED_ERROR) {
      reason = message_[0] != '\0' ? message_.data() : ::curl_easy_strerror(result);
    }
    throw Error(ErrorCode::io, fmt::format("cannot download {}: {}", url_, reason));
  }

  void take(std::span<const std::uint8_t> bytes) {
    if (!began_ && status() != http_partial) file_.restart();
    began_ = true;
    if (file_.size() + bytes.size() > options_.largest_file) {
      throw Error(ErrorCode::data,
                  fmt::format("cannot download {}: it is larger than {} bytes", url_, options_.largest_file));
    }
    file_.append(bytes);
  }

  /// Called by libcurl about once a second, also when nothing arrives.
  void report(std::uint64_t received, std::uint64_t total) {
    if (options_.stop.stop_requested()) {
      throw Error(ErrorCode::cancelled, fmt::format("download of {} was stopped", url_));
    }
    check_stall(received);
    if (!options_.on_progress || received == 0) return;
    const std::uint64_t kept = file_.size() - std::min(received, file_.size());
    options_.on_progress(file_.size(), total == 0 ? 0 : kept + total);
  }

  void check_stall(std::uint64_t received) {
    const auto now = std::chrono::steady_clock::now();
    if (received != last_received_) {
      last_received_ = received;
      last_arrival_ = now;
    }
    if (now - last_arrival_ < options_.stall_timeout) return;
    throw Error(ErrorCode::io, fmt::format("cannot download {}: nothing has arrived for {} s", url_,
                                           options_.stall_timeout.count()));
  }

  static std::size_t on_bytes(const char* bytes, std::size_t size, std::size_t count, void* self) noexcept {
    auto* transfer = static_cast<Transfer*>(self);
    try {
      transfer->take(files::as_bytes({bytes, size * count}));
      return size * count;
    } catch (...) {
      transfer->failure_ = std::current_exception();
      return CURL_WRITEFUNC_ERROR;
    }
  }

  static int on_progress(void* self, curl_off_t total, curl_off_t received, curl_off_t, curl_off_t) noexcept {
    auto* transfer = static_cast<Transfer*>(self);
    try {
      transfer->report(static_cast<std::uint64_t>(received), static_cast<std::uint64_t>(total));
      return 0;
    } catch (...) {
      transfer->failure_ = std::current_exception();
      return 1;
    }
  }

  const std::string& url_;
  files::PartialFile& file_;
  const DownloadOptions& options_;
  std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)> handle_;
  std::array<char, CURL_ERROR_SIZE> message_{};
  std::exception_ptr failure_;
  bool began_ = false;
  std::uint64_t last_received_ = 0;
  std::chrono::steady_clock::time_point last_arrival_ = std::chrono::steady_clock::now();
};

}  // namespace

bool download(const std::string& url, files::PartialFile& file, const DownloadOptions& options) {
  initialise_curl();
  return Transfer(url, file, options).run();
}

}  // namespace graphrun::train
