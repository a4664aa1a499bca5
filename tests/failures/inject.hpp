/// \file
/// Makes allocations and starts of threads fail, one at a time: this program replaces `operator new` and
/// pthread_create. What oneDNN, TBB and zlib get by malloc is left alone.
#pragma once

#include <limits>

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
