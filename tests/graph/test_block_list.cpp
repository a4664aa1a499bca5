#include <algorithm>
#include <string>
#include <vector>

#include "graph/block_list.hpp"
#include "graph/hash_table.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;

namespace {

std::string item(std::size_t i) {
  return "item number " + std::to_string(i);
}

BlockList<std::string> list_of(std::size_t count) {
  BlockList<std::string> list;
  for (std::size_t i = 0; i < count; ++i) list.push_back(item(i));
  return list;
}

}  // namespace

TEST_CASE("what a list in blocks holds stays where it is") {
  BlockList<std::string> list;
  std::vector<const std::string*> where;
  for (std::size_t i = 0; i < 200; ++i) {
    list.push_back(item(i));
    where.push_back(&list[i]);
  }
  CHECK(list.size() == 200);
  std::size_t i = 0;
  for (const std::string& each : list) {
    CHECK(&each == where[i]);
    CHECK(each == item(i++));
  }
  CHECK(i == 200);
}

TEST_CASE("a copy of a list is a list of its own, and a list that was moved from is empty") {
  BlockList<std::string> list = list_of(70);
  BlockList<std::string> copy = list;
  copy[0] = "other";
  const std::string* const last = &copy[69];
  copy.push_back("more");
  CHECK(&copy[69] == last);
  CHECK(list[0] == item(0));
  CHECK(list.size() == 70);
  const BlockList<std::string> moved = std::move(list);
  CHECK(moved.size() == 70);
  list = list_of(3);
  CHECK(list.size() == 3);
}

TEST_CASE("a list is split where one likes, and what stays does not move") {
  constexpr std::size_t block = BlockList<std::string>::block_size;
  for (const std::size_t count : {0UL, 1UL, block, block + 1, 3 * block, 3 * block + 5}) {
    for (std::size_t from = 0; from <= count; ++from) {
      BlockList<std::string> head = list_of(count);
      const std::string* const last = from > 0 ? &head[from - 1] : nullptr;
      const BlockList<std::string> rest = head.split_off(from);
      REQUIRE(head.size() == from);
      REQUIRE(rest.size() == count - from / block * block);
      bool right = true;
      for (std::size_t i = 0; i < from; ++i) right = right && head[i] == item(i);
      for (std::size_t i = from; i < count; ++i) right = right && rest[i - from / block * block] == item(i);
      CHECK(right);
      for (std::size_t i = 0; i < 2 * block; ++i) head.push_back("more");
      CHECK((from == 0 || (last == &head[from - 1] && *last == item(from - 1))));
    }
  }
}

TEST_CASE("a table by hashes gives each hash a number of its own, zero at first") {
  HashTable table;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const std::uint64_t hash = i << 40U;  // all alike in their low bits
    std::uint32_t& number = table[i % 100 == 0 ? hash : hash_of(item(i))];
    CHECK(number == 0);
    number = static_cast<std::uint32_t>(i + 1);
  }
  for (std::uint64_t i = 0; i < 10'000; ++i)
    CHECK(table[i % 100 == 0 ? i << 40U : hash_of(item(i))] == i + 1);
  table.reserve(100'000);
  CHECK(table[hash_of(item(77))] == 78);
  CHECK(table[hash_of("another")] == 0);
}
