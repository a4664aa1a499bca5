#include <array>
#include <cstring>
#include <random>

#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/examples.hpp"
#include "train/datasets/pixels.hpp"

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

TEST_CASE("every byte becomes the f32 nearest to its share of 255, wherever it stands") {
  for (const runtime::Isa isa : {runtime::Isa::baseline, runtime::Isa::avx2, runtime::Isa::avx512}) {
    if (isa > runtime::detected_isa()) continue;
    for (std::size_t start = 0; start < 17; ++start) {
      std::vector<std::uint8_t> bytes(256 + start);
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i - start);
      std::vector<float> values(bytes.size(), -1.0F);
      unit_interval(bytes, values.data(), isa);
      for (std::size_t i = 0; i < bytes.size(); ++i)
        REQUIRE(values[i] == static_cast<float>(bytes[i]) / 255.0F);
    }
  }
}

TEST_CASE("rows of any length and number come out as they are, in any order") {
  const auto seed = GENERATE(1U, 2U, 3U);
  std::mt19937 random(seed);
  constexpr std::size_t count = 50;
  for (const std::size_t elements : {1U, 7U, 784U, 3000U}) {
    INFO("seed " << seed << ", " << elements << " elements");
    std::vector<std::uint8_t> bytes(count * elements);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    Examples examples{.count = count, .columns = {}, .owner = {}};
    examples.columns["x"] = {ColumnKind::u8_pixels, static_cast<std::int64_t>(elements),
                             std::as_bytes(std::span(bytes))};
    std::vector<std::uint32_t> rows(count - seed);
    for (std::uint32_t& row : rows) row = static_cast<std::uint32_t>(random() % count);
    Batch batch(examples, {"x"}, count);
    batch.gather(rows);
    const std::vector<float> values = values_of<float>(batch.feeds()[0]);
    REQUIRE(values.size() == rows.size() * elements);
    for (std::size_t i = 0; i < values.size(); ++i)
      REQUIRE(values[i] == static_cast<float>(bytes[rows[i / elements] * elements + i % elements]) / 255.0F);
  }
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

TEST_CASE("a batch turns to other examples, and lends what needs no conversion") {
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  Batch batch(three_examples(), {"x"}, 3);
  batch.gather(0, 3);
  Examples others{.count = 3, .columns = {}, .owner = {}};
  others.columns["x"] = {ColumnKind::f32_values, 2, std::as_bytes(std::span(values))};
  batch.use(others);
  batch.gather(1, 2);
  CHECK(values_of<float>(batch.feeds()[0]) == std::vector<float>{3, 4, 5, 6});
  CHECK(batch.feeds()[0].bytes.data() == static_cast<const void*>(values.data() + 2));
  batch.gather(std::array<std::uint32_t, 2>{2, 0});
  CHECK(values_of<float>(batch.feeds()[0]) == std::vector<float>{5, 6, 1, 2});
  others.columns.erase("x");
  CHECK(throws([&] { batch.use(others); }, ErrorCode::usage, "no values for input 'x'"));
}

TEST_CASE("fewer examples are the first ones") {
  CHECK(first_of(three_examples(), 2).count == 2);
  CHECK(first_of(three_examples(), 5).count == 3);
}
