#include "cli/signals.hpp"

#include <pthread.h>
#include <unistd.h>

#include <chrono>

namespace graphrun::cli {

namespace {

bool is_ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    if (!is_ignored(signal)) sigaddset(&set, signal);
  return set;
}

/// Wakes the waiting thread at the end; has no meaning for anybody else here.
constexpr int wake_signal = SIGUSR2;

/// Signals this close together are one: `timeout` sends its own to the program and to its whole group.
constexpr std::chrono::milliseconds one_wish{50};

}  // namespace

HeldSignals::HeldSignals() {
  const sigset_t held = stop_signals();
  pthread_sigmask(SIG_BLOCK, &held, &before_);
}

HeldSignals::~HeldSignals() {
  release();
}

void HeldSignals::release() {
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

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
}

void StopSignals::wait() {
  sigset_t awaited = stop_signals();
  sigaddset(&awaited, wake_signal);
  std::chrono::steady_clock::time_point first;
  while (!finished_) {
    int signal = 0;
    if (sigwait(&awaited, &signal) != 0 || signal == wake_signal) continue;
    const auto now = std::chrono::steady_clock::now();
    if (received_ != 0 && (signal == SIGHUP || now - first < one_wish)) continue;
    if (received_ != 0) _exit(128 + signal);
    received_ = signal;
    first = now;
    source_.request_stop();
  }
}

void ignore_write_signals() {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  static_cast<void>(std::signal(SIGXFSZ, SIG_IGN));
}

}  // namespace graphrun::cli
