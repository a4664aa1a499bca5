#include "runtime/shards/departures.hpp"

#include <utility>

namespace graphrun::runtime {

Departures::Departures(std::size_t first_fetch, std::size_t sums, Leave leave)
    : first_fetch_(first_fetch), leave_(std::move(leave)), sums_(sums) {}

void Departures::open() {
  sums_.assign(sums_.size(), {});
  next_ = 0;
}

bool Departures::on_made(std::size_t fetch, std::span<const std::byte> made) noexcept {
  if (fetch < first_fetch_ || fetch >= first_fetch_ + sums_.size()) return false;
  const std::lock_guard lock(mutex_);
  sums_[fetch - first_fetch_] = {true, reinterpret_cast<const float*>(made.data())};
  leave_those_ready();
  return true;
}

void Departures::leave_rest() {
  const std::lock_guard lock(mutex_);
  for (Sum& sum : sums_) sum.ready = true;
  leave_those_ready();
}

void Departures::leave_those_ready() {
  for (; next_ < sums_.size() && sums_[next_].ready; ++next_) leave_(next_, sums_[next_].made);
}

}  // namespace graphrun::runtime
