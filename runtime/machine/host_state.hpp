/// \file
/// What a thread must have while it runs kernels: one OpenMP thread and denormal numbers flushed to zero.
#pragma once

#include <cfenv>

namespace graphrun::runtime {

/// One OpenMP thread for the calling thread while it lives; then what it was.
class SingleOpenMpThread {
 public:
  SingleOpenMpThread() noexcept;
  ~SingleOpenMpThread();
  SingleOpenMpThread(const SingleOpenMpThread&) = delete;
  SingleOpenMpThread& operator=(const SingleOpenMpThread&) = delete;

 private:
  int threads_ = 0;
};

/// Flush-to-zero and the default rounding mode for the calling thread while it lives; then what it was.
class FlushToZero {
 public:
  FlushToZero() noexcept;
  ~FlushToZero();
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;

 private:
  unsigned control_;
};

/// What a program begins with, for the calling thread while it lives: rounding to nearest, no traps, denormal
/// numbers kept; then what it was. Results do not follow the settings of a host.
class DefaultFloatingPoint {
 public:
  DefaultFloatingPoint() noexcept;
  ~DefaultFloatingPoint();
  DefaultFloatingPoint(const DefaultFloatingPoint&) = delete;
  DefaultFloatingPoint& operator=(const DefaultFloatingPoint&) = delete;

 private:
  std::fenv_t environment_{};
};

/// Flush-to-zero and one OpenMP thread. Made first thing on every thread that runs tasks; restores the host's
/// settings.
struct HostState {
  SingleOpenMpThread openmp;
  FlushToZero floating_point;
};

}  // namespace graphrun::runtime
