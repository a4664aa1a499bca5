/// \file
/// A team whose members are threads of the test, each with a learner of its own: what processes do, without
/// them.
#pragma once

#include <barrier>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <thread>
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
      team_.sums_[static_cast<std::size_t>(member_)].assign(sums.own.begin(), sums.own.end());
      team_.meeting_.arrive_and_wait();
      std::vector<float> all;
      for (const std::vector<float>& own : team_.sums_) all.insert(all.end(), own.begin(), own.end());
      runtime::add_in_order(all, sums.filled, into);
      team_.meeting_.arrive_and_wait();
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
    ThreadTeam& team_;
    int member_;
  };

  std::vector<std::string> texts_;
  std::vector<std::vector<float>> sums_;
  std::barrier<> meeting_;
};

}  // namespace graphrun::testing
