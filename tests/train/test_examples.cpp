#include <array>
#include <cstring>

#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "train/examples.hpp"

using namespace graphrun;
using namespace graphrun::train;
using graphrun::testing::throws;

namespace {

template <class T>
std::vector<T> values_of(const runtime::Feed& feed) {
  std::vector<T> values(feed.bytes.size() / sizeof(T));
  std::memcpy(values.data(), feed.bytes.data(), feed.bytes.size());
  return values;
}

const std::array<std::uint8_t, 6> pixels{0, 255, 51, 102, 1, 254};
const std::array<std::uint8_t, 3> labels{9, 0, 3};

Examples three_examples() {
  Examples examples{.count = 3, .columns = {}, .owner = {}};
  examples.columns["x"] = {ColumnKind::u8_pixels, 2, std::as_bytes(std::span(pixels))};
  examples.columns["y"] = {ColumnKind::u8_labels, 1, std::as_bytes(std::span(labels))};
  return examples;
}

}  // namespace

TEST_CASE("pixels become f32 in [0, 1] by a division, labels i32") {
  Batch batch(three_examples(), {"x", "y"}, 3);
  batch.gather(0, 3);
  REQUIRE(batch.rows() == 3);
  REQUIRE(batch.feeds().size() == 2);
  CHECK(batch.feeds()[0].name == "x");
  CHECK(values_of<float>(batch.feeds()[0]) ==
        std::vector<float>{0.0F, 1.0F, 51.0F / 255.0F, 102.0F / 255.0F, 1.0F / 255.0F, 254.0F / 255.0F});
  CHECK(values_of<std::int32_t>(batch.feeds()[1]) == std::vector<std::int32_t>{9, 0, 3});
}

TEST_CASE("a batch gathers the rows it is told, in their order") {
  Batch batch(three_examples(), {"y"}, 3);
  batch.gather(std::array<std::uint32_t, 2>{2, 0});
  CHECK(batch.rows() == 2);
  CHECK(values_of<std::int32_t>(batch.feeds()[0]) == std::vector<std::int32_t>{3, 9});
  batch.gather(1, 1);
  CHECK(values_of<std::int32_t>(batch.feeds()[0]) == std::vector<std::int32_t>{0});
}

TEST_CASE("an input without values, and a buffer that is too short, are refused") {
  CHECK(throws([] { Batch(three_examples(), {"z"}, 3); }, ErrorCode::usage, "no values for input 'z'"));
  Examples examples = three_examples();
  examples.count = 4;
  CHECK(throws([&] { Batch(examples, {"x"}, 4); }, ErrorCode::usage,
               "4 examples need 8 bytes, the buffer has 6"));
}

TEST_CASE("fewer examples are the first ones") {
  CHECK(first_of(three_examples(), 2).count == 2);
  CHECK(first_of(three_examples(), 5).count == 3);
}
