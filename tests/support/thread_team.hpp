/// \file
/// A team whose members are threads of the test, each with a learner of its own: what processes do, without
/// them.
#pragma once

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/shards/team.hpp"

namespace graphrun::testing {

class ThreadTeam {
 public:
  explicit ThreadTeam(int members)
      : texts_(static_cast<std::size_t>(members)),
        sums_(static_cast<std::size_t>(members)),
        meeting_(members) {}

  /// Runs `work` on a thread for each member; what one throws is thrown when all have ended.
  void run(const std::function<void(std::shared_ptr<runtime::Team>)>& work) {
    std::vector<std::exception_ptr> failures(texts_.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
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

 private:
  class Member final : public runtime::Team {
   public:
    Member(ThreadTeam& team, int member) : team_(team), member_(member) {}
    int members() const override { return static_cast<int>(team_.texts_.size()); }
    int member() const override { return member_; }
    void add_up(const runtime::ShardSums& sums, std::span<float> into) override {
      share(sums.own, [&](const Stretches& stretches) {
        std::vector<float> all;
        for (const std::vector<float>& own : stretches) all.insert(all.end(), own.begin(), own.end());
        runtime::add_in_order(all, sums.filled, into);
      });
    }
    void begin_own_sum(const runtime::ShardSums& sums, std::span<float> own_part) noexcept override {
      begun_.emplace_back([this, sums, own_part] {
        std::vector<float> all(sums.elements);
        add_up(sums, all);
        std::ranges::copy(part_of(all, member_), own_part.begin());
      });
    }
    void begin_gather(std::span<float> whole) noexcept override {
      begun_.emplace_back([this, whole] {
        share(part_of(whole, member_), [&](const Stretches& parts) { join(parts, whole); });
      });
    }
    void finish() override {
      for (const auto& each : std::exchange(begun_, {})) each();
    }
    void gather_rows(std::span<std::byte> all, std::int64_t rows, std::int64_t shards) override {
      const std::size_t row = all.size() / static_cast<std::size_t>(rows);
      const auto rows_of = [&](int member) {
        const runtime::ShardRange range = runtime::rows_of_member(rows, shards, member, members());
        return all.subspan(row * static_cast<std::size_t>(range.begin),
                           row * static_cast<std::size_t>(range.count));
      };
      const std::span<std::byte> own = rows_of(member_);
      const std::vector<std::string> texts = gather({reinterpret_cast<const char*>(own.data()), own.size()});
      for (int member = 0; member < members(); ++member)
        std::ranges::copy(std::as_bytes(std::span(texts[static_cast<std::size_t>(member)])),
                          rows_of(member).begin());
    }
    void collect(std::span<const float> own_part, std::span<float> whole) override {
      share(own_part, [&](const Stretches& parts) {
        if (member_ == 0) join(parts, whole);
      });
    }
    int largest(int own) override {
      const auto number = static_cast<float>(own);
      int largest = own;
      share(std::span(&number, 1), [&](const Stretches& all) {
        for (const std::vector<float>& one : all) largest = std::max(largest, static_cast<int>(one[0]));
      });
      return largest;
    }
    std::vector<std::string> gather(const std::string& own) override {
      team_.texts_[static_cast<std::size_t>(member_)] = own;
      team_.meeting_.arrive_and_wait();
      std::vector<std::string> all = team_.texts_;
      team_.meeting_.arrive_and_wait();
      return all;
    }
    void agree_on_stop() override {}

   private:
    using Stretches = std::vector<std::vector<float>>;

    /// Shows all members what each has.
    template <class Use>
    void share(std::span<const float> own, const Use& use) {
      team_.sums_[static_cast<std::size_t>(member_)].assign(own.begin(), own.end());
      team_.meeting_.arrive_and_wait();
      use(team_.sums_);
      team_.meeting_.arrive_and_wait();
    }
    std::span<float> part_of(std::span<float> whole, int member) const {
      const runtime::ShardRange part =
          runtime::part_of_member(static_cast<std::int64_t>(whole.size()), member, members());
      return whole.subspan(static_cast<std::size_t>(part.begin), static_cast<std::size_t>(part.count));
    }
    void join(const Stretches& parts, std::span<float> whole) const {
      for (int member = 0; member < members(); ++member)
        std::ranges::copy(parts[static_cast<std::size_t>(member)], part_of(whole, member).begin());
    }

    ThreadTeam& team_;
    int member_;
    std::vector<std::function<void()>> begun_;
  };

  std::vector<std::string> texts_;
  std::vector<std::vector<float>> sums_;
  std::barrier<> meeting_;
};

}  // namespace graphrun::testing
