// How many threads each of several processes takes.
#include "ranks/shared_cores.hpp"

#include "runtime/machine/resources.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun::ranks;

namespace {

std::vector<int> threads_of_all(const std::vector<OwnCores>& all) {
  std::vector<int> threads;
  for (std::size_t process = 0; process < all.size(); ++process) threads.push_back(threads_of(process, all));
  return threads;
}

}  // namespace

TEST_CASE("processes share the cores of a machine, however these were dealt out") {
  const std::vector<int> four = {0, 1, 2, 3};
  const std::vector<int> others = {4, 5, 6, 7};
  const OwnCores free{.machine = "a", .group = "a", .numbers = four};
  CHECK(threads_of_all({free}) == std::vector{4});
  CHECK(threads_of_all({free, free}) == std::vector{2, 2});
  CHECK(threads_of_all({free, free, free}) == std::vector{1, 1, 1});
  CHECK(threads_of_all(std::vector(8, free)) == std::vector(8, 1));
  // Each has cores of its own; two and two have a socket; somebody else is on another machine.
  const OwnCores bound{.machine = "a", .group = "a", .numbers = others};
  CHECK(threads_of_all({free, bound}) == std::vector{4, 4});
  CHECK(threads_of_all({free, bound, free, bound}) == std::vector{2, 2, 2, 2});
  const OwnCores far{.machine = "b", .group = "b", .numbers = four};
  CHECK(threads_of_all({free, free, far}) == std::vector{2, 2, 4});
  // Thirds of six cores are two.
  const OwnCores six{.machine = "a", .group = "a", .numbers = {0, 1, 2, 3, 4, 5}};
  CHECK(threads_of_all({six, six, six}) == std::vector{2, 2, 2});
}

TEST_CASE("processes share the time that a control group is given") {
  const std::vector<int> eight = {0, 1, 2, 3, 4, 5, 6, 7};
  const OwnCores limited{.machine = "a", .group = "job", .numbers = eight, .quota = 4};
  CHECK(threads_of_all({limited}) == std::vector{4});
  CHECK(threads_of_all({limited, limited}) == std::vector{2, 2});
  OwnCores half = limited;
  half.quota = 0.5;
  CHECK(threads_of_all({half}) == std::vector{1});
  // A group for each: neither takes time from the other, but both take cores.
  OwnCores own = limited;
  own.group = "another job";
  CHECK(threads_of_all({limited, own}) == std::vector{4, 4});
  own.quota = 6;
  CHECK(threads_of_all({limited, own}) == std::vector{4, 4});
}

TEST_CASE("what a process may use is told in a text") {
  const OwnCores own = own_cores();
  CHECK(!own.machine.empty());
  CHECK(own.group.size() > own.machine.size());
  CHECK(own.numbers == graphrun::runtime::cores_of_process());
  CHECK(cores_in(to_text(own)) == own);
  CHECK(threads_of(0, {own}) == static_cast<int>(graphrun::runtime::available_threads()));
  const OwnCores half{.machine = "a", .group = "a b", .numbers = {3, 70}, .quota = 0.5};
  CHECK(cores_in(to_text(half)) == half);
}
