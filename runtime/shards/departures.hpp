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
  /// Begins the exchange of a sum, and must not throw. It lies at `made`; null: where it was to be fetched
  /// to.
  using Leave = std::function<void(std::size_t sum, const float* made)>;
  /// The sums are fetches `first_fetch` on.
  Departures(std::size_t first_fetch, std::size_t sums, Leave leave);

  void open();
  bool on_made(std::size_t fetch, std::span<const std::byte> made) noexcept override;
  /// The run has ended, so all are there.
  void leave_rest();

 private:
  void leave_those_ready();

  std::size_t first_fetch_;
  struct Sum {
    bool ready = false;
    const float* made = nullptr;
  };
  Leave leave_;
  std::mutex mutex_;
  std::vector<Sum> sums_;
  std::size_t next_ = 0;
};

}  // namespace graphrun::runtime
