/// \file
/// Ctrl-C, SIGTERM and SIGHUP as a stop token. The library installs no handler; only this program does. A
/// signal that whoever started the program has it ignore, as `nohup` does, stays ignored.
#pragma once

#include <atomic>
#include <csignal>
#include <stop_token>
#include <thread>

namespace graphrun::cli {

/// Keeps stop signals waiting from the start of the program until it is known what they do.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  /// They end the program again, as by default; one that has come does so now.
  void release();

 private:
  sigset_t before_{};
};

/// While it lives, the first stop signal asks for a stop, and a second one ends the process at once with 128
/// + its number; but for one right behind it, as `timeout` sends, and for SIGHUP, which a terminal that is
/// closed may send twice. To be made before the process has other threads, and under HeldSignals: threads
/// inherit which signals are blocked.
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
