/// \file
/// Ctrl-C and SIGTERM as a stop token. The library installs no handler; only this program does.
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace graphrun::cli {

/// While it lives, the first SIGINT or SIGTERM asks for a stop, and the second ends the process at once with
/// 128 + its number. To be made before the process has other threads: they inherit the blocked signals.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  /// The signal that came; 0: none.
  int received() const { return received_.load(); }

 private:
  void wait();

  std::stop_source source_;
  std::atomic<int> received_{0};
  std::atomic<bool> finished_{false};
  std::thread waiter_;
};

/// A reader that went away (`| head`) or a file-size limit shows up as a failed write, not as a dead process.
void ignore_write_signals();

}  // namespace graphrun::cli
