#include "cli/signals.hpp"

#include <pthread.h>
#include <unistd.h>

#include <csignal>

namespace graphrun::cli {

namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

/// Wakes the waiting thread at the end; has no meaning for anybody else here.
constexpr int wake_signal = SIGUSR2;

}  // namespace

StopSignals::StopSignals() {
  sigset_t blocked = stop_signals();
  sigaddset(&blocked, wake_signal);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  waiter_ = std::thread([this] { wait(); });
}

StopSignals::~StopSignals() {
  finished_ = true;
  pthread_kill(waiter_.native_handle(), wake_signal);
  waiter_.join();
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void StopSignals::wait() {
  sigset_t awaited = stop_signals();
  sigaddset(&awaited, wake_signal);
  while (!finished_) {
    int signal = 0;
    if (sigwait(&awaited, &signal) != 0 || signal == wake_signal) continue;
    if (received_ != 0) _exit(128 + signal);
    received_ = signal;
    source_.request_stop();
  }
}

void ignore_write_signals() {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
}

}  // namespace graphrun::cli
