/// \file
/// Makes allocations and starts of threads fail, one at a time: this program replaces `operator new` and
/// pthread_create. What oneDNN, TBB and zlib get by malloc is left alone.
#pragma once

#include <limits>
#include <random>

namespace graphrun::testing {

inline constexpr long never = std::numeric_limits<long>::max();

/// While it lives, the `nth` allocation by `new` of this thread fails, from 1; with `lasting`, all behind it
/// too.
class FailingAllocations {
 public:
  explicit FailingAllocations(long nth, bool lasting = false);
  ~FailingAllocations();
  FailingAllocations(const FailingAllocations&) = delete;
  FailingAllocations& operator=(const FailingAllocations&) = delete;
  long count() const;  ///< of allocations so far
};

/// Which allocations are made to fail: all in a long test; in a quick one the first few and, further on, one
/// in so many that it ends soon.
class Positions {
 public:
  explicit Positions(bool all) : all_(all) {}
  long after(long position) {
    if (all_ || position < 12) return position + 1;
    return position + 1 + static_cast<long>(random_() % static_cast<unsigned long>(position / 2));
  }

 private:
  bool all_;
  std::mt19937_64 random_{1};
};

/// How many blocks the process has that `new` gave and `delete` has not taken back.
long live_allocations();

/// While it lives, the `nth` start of a thread in this process fails, from 1, and with `lasting` all behind
/// it.
class FailingThreads {
 public:
  explicit FailingThreads(long nth, bool lasting = false);
  ~FailingThreads();
  FailingThreads(const FailingThreads&) = delete;
  FailingThreads& operator=(const FailingThreads&) = delete;
  long count() const;
};

}  // namespace graphrun::testing
