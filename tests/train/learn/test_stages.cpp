// Which examples a draw takes.
#include <algorithm>
#include <map>
#include <numeric>
#include <optional>

#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "train/learn/stages.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::train;

namespace {

/// 100 examples: the number of each, and its last digit as a label.
struct Numbers {
  Numbers() : values(100), labels(100) {
    std::iota(values.begin(), values.end(), 0.0F);
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::uint8_t>(i % 10);
    examples.count = 100;
    examples.columns["x"] = {ColumnKind::f32_values, 1, std::as_bytes(std::span(values))};
    examples.columns["y"] = {ColumnKind::u8_labels, 1, std::as_bytes(std::span(labels))};
  }
  std::vector<float> values;
  std::vector<std::uint8_t> labels;
  Examples examples;
};

std::vector<int> numbers_in(const Examples& examples) {
  Batch batch(examples, {"x"}, examples.count);
  batch.gather(0, examples.count);
  std::vector<int> numbers;
  const std::span<const std::byte> bytes = batch.feeds().front().bytes;
  for (std::size_t i = 0; i < bytes.size() / 4; ++i)
    numbers.push_back(static_cast<int>(reinterpret_cast<const float*>(bytes.data())[i]));
  return numbers;
}

SubsetRecipe sampled(std::optional<std::int64_t> first, std::optional<std::int64_t> sample,
                     bool balanced = false) {
  return {.first = first, .sample = sample, .balanced = balanced, .where = {}};
}

}  // namespace

TEST_CASE("the first of all, or a sample of them, without repetition") {
  const Numbers all;
  CHECK(numbers_in(subset_of(all.examples, sampled(3, {}), 1, "y")) == std::vector<int>{0, 1, 2});
  std::vector<int> sample = numbers_in(subset_of(all.examples, sampled(50, 20), 1, "y"));
  REQUIRE(sample.size() == 20);
  std::sort(sample.begin(), sample.end());
  CHECK(std::adjacent_find(sample.begin(), sample.end()) == sample.end());
  CHECK(sample.back() < 50);
}

TEST_CASE("each seed takes other examples, the same seed the same") {
  const Numbers all;
  const SubsetRecipe subset = sampled({}, 20);
  const std::vector<int> one = numbers_in(subset_of(all.examples, subset, seed_of_draw(7, 0), "y"));
  CHECK(one == numbers_in(subset_of(all.examples, subset, 7, "y")));
  CHECK(one != numbers_in(subset_of(all.examples, subset, seed_of_draw(7, 1), "y")));
  CHECK(seed_of_draw(7, 1) != seed_of_draw(8, 0));
}

TEST_CASE("every example is as likely to be drawn") {
  const Numbers all;
  std::map<int, int> drawn;
  for (std::uint64_t draw = 0; draw < 400; ++draw)
    for (const int number : numbers_in(subset_of(all.examples, sampled({}, 10), seed_of_draw(1, draw), "y")))
      ++drawn[number];
  REQUIRE(drawn.size() == 100);
  // 400 draws of a tenth each: 40 expected, with a standard deviation of 6.
  for (const auto& [number, count] : drawn) CHECK((count > 12 && count < 68));
}

TEST_CASE("a balanced sample has as many of each label") {
  const Numbers all;
  const SubsetRecipe subset = sampled({}, 30, true);
  std::map<int, int> labels;
  for (const int number : numbers_in(subset_of(all.examples, subset, 3, "y"))) ++labels[number % 10];
  REQUIRE(labels.size() == 10);
  for (const auto& [label, count] : labels) CHECK(count == 3);
  Examples unlabelled = all.examples;
  unlabelled.columns.erase("y");
  CHECK(throws([&] { subset_of(unlabelled, subset, 3, "y"); }, ErrorCode::data, "needs labels"));
}
