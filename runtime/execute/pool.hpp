/// \file
/// Things of which each has one user at a time, kept for the next one: what runs at once in several threads
/// need for themselves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace graphrun::runtime {

/// Any thread uses it. There are as many things as there were users at once, or as were prepared.
template <class Thing>
class Pool {
 public:
  /// A thing for as long as this lives, which the pool outlives.
  class Lease {
   public:
    ~Lease() {
      const std::lock_guard lock(pool_.mutex_);
      pool_.idle_.push_back(std::move(thing_));
      --pool_.out_;
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    Thing& operator*() const { return *thing_; }
    Thing* operator->() const { return thing_.get(); }

   private:
    friend Pool;
    Lease(Pool& pool, std::unique_ptr<Thing> thing) : pool_(pool), thing_(std::move(thing)) {}
    Pool& pool_;
    std::unique_ptr<Thing> thing_;
  };

  /// The one that was used last, which is still in the cache; where none is idle, `make()` makes one. What
  /// that throws leaves the pool as it was.
  template <class Make>
  Lease take(Make make) {
    std::unique_ptr<Thing> thing = take_idle();
    try {
      if (!thing) thing = make();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      --out_;
      throw;
    }
    return Lease(*this, std::move(thing));
  }

  /// Makes things until so many are idle, and prepares those that will be taken first. Nobody takes any
  /// meanwhile.
  template <class Make, class Prepare>
  void prepare(std::size_t count, Make make, Prepare prepare) {
    const std::lock_guard lock(mutex_);
    idle_.reserve(std::max(idle_.size(), count) + out_);
    while (idle_.size() < count) idle_.push_back(make());
    for (std::size_t i = idle_.size() - count; i < idle_.size(); ++i) prepare(*idle_[i]);
  }

 private:
  /// There is a place for each that is out, so that giving it back needs no memory.
  std::unique_ptr<Thing> take_idle() {
    const std::lock_guard lock(mutex_);
    idle_.reserve(idle_.size() + out_ + (idle_.empty() ? 1 : 0));
    ++out_;
    if (idle_.empty()) return nullptr;
    std::unique_ptr<Thing> thing = std::move(idle_.back());
    idle_.pop_back();
    return thing;
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Thing>> idle_;
  std::size_t out_ = 0;
};

}  // namespace graphrun::runtime
