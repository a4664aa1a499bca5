/// \file
/// Sums that leave for their owners while the section that makes them goes on. Members must begin exchanges
/// in one order, and kernels end in another: a sum leaves when it and all before it are there.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

#include "runtime/execute/fetch_observer.hpp"

namespace graphrun::runtime {

class Departures final : public FetchObserver {
 public:
  /// `leave` begins the exchange of a sum; it must not throw. The sums are fetches `first_fetch` on.
  Departures(std::size_t first_fetch, std::size_t sums, std::function<void(std::size_t)> leave);

  void open();
  void on_fetched(std::size_t fetch) noexcept override;
  /// The run has ended, so all are there.
  void leave_rest();

 private:
  void leave_those_ready();

  std::size_t first_fetch_;
  std::function<void(std::size_t)> leave_;
  std::mutex mutex_;
  std::vector<bool> ready_;
  std::size_t next_ = 0;
};

}  // namespace graphrun::runtime
