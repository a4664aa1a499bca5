#include <algorithm>
#include <numeric>
#include <set>

#include "tests/support/catch.hpp"
#include "train/datasets/tables/shuffle.hpp"

using graphrun::train::epoch_order;

TEST_CASE("an epoch visits every example exactly once") {
  for (const std::int64_t count : {0, 1, 2, 7, 1000}) {
    std::vector<std::uint32_t> order = epoch_order(1, 0, count);
    std::sort(order.begin(), order.end());
    std::vector<std::uint32_t> all(static_cast<std::size_t>(count));
    std::iota(all.begin(), all.end(), 0U);
    CHECK(order == all);
  }
}

TEST_CASE("the order follows seed and epoch, and nothing else") {
  CHECK(epoch_order(7, 3, 500) == epoch_order(7, 3, 500));
  CHECK(epoch_order(7, 3, 500) != epoch_order(7, 4, 500));
  CHECK(epoch_order(7, 3, 500) != epoch_order(8, 3, 500));
}

TEST_CASE("examples too many for memory are shuffled by stretches and within, all of them once") {
  constexpr std::int64_t count = 3000;
  constexpr std::int64_t bytes = 262'144;  // four a stretch, 1024 among each other
  std::vector<std::uint32_t> order = epoch_order(1, 0, count, bytes);
  CHECK(order == epoch_order(1, 0, count, bytes));
  CHECK(order != epoch_order(1, 1, count, bytes));
  std::set<std::uint32_t> stretches;
  for (std::size_t i = 0; i < 1024; ++i) stretches.insert(order[i] / 4);
  CHECK(stretches.size() == 256);
  CHECK(*stretches.rbegin() > 600);  // from everywhere
  CHECK(epoch_order(1, 0, 1024, bytes) == epoch_order(1, 0, 1024));
  std::sort(order.begin(), order.end());
  std::vector<std::uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0U);
  CHECK(order == all);
}

TEST_CASE("every example is as likely to come first as any other") {
  std::vector<int> firsts(10);
  for (std::uint64_t epoch = 0; epoch < 10000; ++epoch) ++firsts[epoch_order(5, epoch, 10).front()];
  // 1000 expected each, standard deviation 30: five of them is beyond chance.
  for (const int count : firsts) CHECK(std::abs(count - 1000) < 150);
}
