#include "runtime/shards/departures.hpp"

#include <utility>

namespace graphrun::runtime {

Departures::Departures(std::size_t first_fetch, std::size_t sums, std::function<void(std::size_t)> leave)
    : first_fetch_(first_fetch), leave_(std::move(leave)), ready_(sums) {}

void Departures::open() {
  ready_.assign(ready_.size(), false);
  next_ = 0;
}

void Departures::on_fetched(std::size_t fetch) noexcept {
  if (fetch < first_fetch_ || fetch >= first_fetch_ + ready_.size()) return;
  const std::lock_guard lock(mutex_);
  ready_[fetch - first_fetch_] = true;
  leave_those_ready();
}

void Departures::leave_rest() {
  const std::lock_guard lock(mutex_);
  ready_.assign(ready_.size(), true);
  leave_those_ready();
}

void Departures::leave_those_ready() {
  while (next_ < ready_.size() && ready_[next_]) leave_(next_++);
}

}  // namespace graphrun::runtime
