/// \file
/// A team whose members are threads of the test, each with a learner of its own: what processes do, without
/// them. What is begun arrives when it is waited for, and not before: who forgets to wait computes with what
/// was there.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/shards/team.hpp"

namespace graphrun::testing {

class ThreadTeam {
 public:
  explicit ThreadTeam(int members) : members_(static_cast<std::size_t>(members)) {}

  /// Runs `work` on a thread for each member; what one throws is thrown when all have ended.
  void run(const std::function<void(std::shared_ptr<runtime::Team>)>& work) {
    std::vector<std::exception_ptr> failures(members_);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < members_; ++i) {
      threads.emplace_back([&, i] {
        try {
          work(std::make_shared<Member>(*this, static_cast<int>(i)));
        } catch (...) {
          failures[i] = std::current_exception();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::exception_ptr& failure : failures)
      if (failure) std::rethrow_exception(failure);
  }

  /// How often a member has waited for a gather alone.
  int single_waits() const { return single_waits_; }

 private:
  using Texts = std::vector<std::string>;  ///< bytes of each member

  struct Exchange {
    Texts said;
    std::size_t members_said = 0;
    std::size_t members_heard = 0;
  };

  void say(std::size_t number, int member, std::string bytes) {
    const std::lock_guard lock(mutex_);
    Exchange& exchange = exchanges_[number];
    exchange.said.resize(members_);
    exchange.said[static_cast<std::size_t>(member)] = std::move(bytes);
    if (++exchange.members_said == members_) all_said_.notify_all();
  }

  Texts hear(std::size_t number) {
    std::unique_lock lock(mutex_);
    Exchange& exchange = exchanges_[number];
    all_said_.wait(lock, [&] { return exchange.members_said == members_; });
    Texts all = exchange.said;
    if (++exchange.members_heard == members_) exchanges_.erase(number);
    return all;
  }

  class Member final : public runtime::Team {
   public:
    Member(ThreadTeam& team, int member) : team_(team), member_(member) {}
    int members() const override { return static_cast<int>(team_.members_); }
    int member() const override { return member_; }
    void add_up(const runtime::ShardSums& sums, std::span<float> into) override {
      add(share(bytes_of(sums)), sums, into);
    }
    void begin_own_sum(const runtime::ShardSums& sums, std::span<float> own_part) noexcept override {
      begin(bytes_of(sums), own_part, [this, sums, own_part](const Texts& stretches) {
        std::vector<float> all(sums.elements);
        add(stretches, sums, all);
        std::ranges::copy(part_of(all, member_), own_part.begin());
      });
    }
    void begin_gather(std::span<float> whole) noexcept override {
      begin(bytes_of(part_of(whole, member_)), whole,
            [this, whole](const Texts& parts) { join(parts, whole); });
    }
    bool wait_for_gather(std::span<const float> whole) noexcept override {
      const auto found = std::ranges::find(begun_, whole.data(), &Begun::into);
      if (found == begun_.end()) return true;
      found->take(team_.hear(found->number));
      begun_.erase(found);
      ++team_.single_waits_;
      return true;
    }
    void finish() override {
      for (const Begun& each : std::exchange(begun_, {})) each.take(team_.hear(each.number));
    }
    void gather_rows(std::span<std::byte> all, std::int64_t rows, std::int64_t shards) override {
      const std::size_t row = all.size() / static_cast<std::size_t>(rows);
      const auto rows_of = [&](int member) {
        const runtime::ShardRange range = runtime::rows_of_member(rows, shards, member, members());
        return all.subspan(row * static_cast<std::size_t>(range.begin),
                           row * static_cast<std::size_t>(range.count));
      };
      const std::span<std::byte> own = rows_of(member_);
      const Texts texts = share({reinterpret_cast<const char*>(own.data()), own.size()});
      for (int member = 0; member < members(); ++member)
        std::ranges::copy(std::as_bytes(std::span(texts[static_cast<std::size_t>(member)])),
                          rows_of(member).begin());
    }
    void collect(std::span<const float> own_part, std::span<float> whole) override {
      const Texts parts = share(bytes_of(own_part));
      if (member_ == 0) join(parts, whole);
    }
    int largest(int own) override {
      int largest = own;
      for (const std::string& text : share(std::to_string(own))) largest = std::max(largest, std::stoi(text));
      return largest;
    }
    std::vector<std::string> gather(const std::string& own) override { return share(own); }
    void agree_on_stop() override {}

   private:
    struct Begun {
      std::size_t number;
      const float* into;
      std::function<void(const Texts&)> take;
    };

    void begin(std::string own, std::span<const float> into, std::function<void(const Texts&)> take) {
      team_.say(next_, member_, std::move(own));
      begun_.push_back({next_++, into.data(), std::move(take)});
    }
    /// What all members say at once.
    Texts share(std::string own) {
      team_.say(next_, member_, std::move(own));
      return team_.hear(next_++);
    }

    static std::string bytes_of(std::span<const float> numbers) {
      return {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()};
    }
    static std::string bytes_of(const runtime::ShardSums& sums) {
      std::string bytes;
      for (const float* const own : sums.own) bytes += bytes_of(std::span(own, sums.elements));
      return bytes;
    }
    static std::vector<float> numbers_of(const std::string& bytes) {
      std::vector<float> numbers(bytes.size() / sizeof(float));
      if (!bytes.empty()) std::memcpy(numbers.data(), bytes.data(), bytes.size());
      return numbers;
    }
    static void add(const Texts& stretches, const runtime::ShardSums& sums, std::span<float> into) {
      std::string all;
      for (const std::string& own : stretches) all += own;
      const std::vector<float> numbers = numbers_of(all);
      std::vector<const float*> where;
      for (std::int64_t shard = 0; shard < sums.filled; ++shard)
        where.push_back(numbers.data() + static_cast<std::size_t>(shard) * sums.elements);
      runtime::add_in_order(where, into);
    }
    std::span<float> part_of(std::span<float> whole, int member) const {
      const runtime::ShardRange part =
          runtime::part_of_member(static_cast<std::int64_t>(whole.size()), member, members());
      return whole.subspan(static_cast<std::size_t>(part.begin), static_cast<std::size_t>(part.count));
    }
    void join(const Texts& parts, std::span<float> whole) const {
      for (int member = 0; member < members(); ++member)
        std::ranges::copy(numbers_of(parts[static_cast<std::size_t>(member)]),
                          part_of(whole, member).begin());
    }

    ThreadTeam& team_;
    int member_;
    std::size_t next_ = 0;  ///< the number of the next exchange: all members make the same ones
    std::vector<Begun> begun_;
  };

  std::size_t members_;
  std::mutex mutex_;
  std::condition_variable all_said_;
  std::map<std::size_t, Exchange> exchanges_;
  std::atomic<int> single_waits_ = 0;
};

}  // namespace graphrun::testing
