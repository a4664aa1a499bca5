/// \file
/// What a thread must have while it runs kernels: one OpenMP thread and denormal numbers flushed to zero.
#pragma once

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

/// Both. Made first thing on every thread that runs tasks; restores the host's settings.
struct HostState {
  SingleOpenMpThread openmp;
  FlushToZero floating_point;
};

}  // namespace graphrun::runtime
