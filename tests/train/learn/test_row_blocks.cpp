// Rows in blocks: how they are cut, and that the values do not depend on it.
#include <algorithm>
#include <set>

#include "runtime/products/tiled_matmul.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/provider.hpp"
#include "tests/support/thrown.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/row_blocks.hpp"

using namespace graphrun;
using namespace graphrun::train;
using graphrun::testing::throws;

namespace {

using Blocks = std::vector<RowBlock>;

/// `noise` draws for each row; `centred` looks at all rows; `mean` is one number of all rows.
SharedDefinition definition() {
  return parse_definition(
      "graphrun: 1\nname: rows\n"
      "inputs:\n  x: {shape: [batch, 40]}\n"
      "nodes:\n"
      "  h: {op: dense, in: x, units: 70, act: tanh}\n"
      "  code: {op: dense, in: h, units: 3, act: sigmoid}\n"
      "  noise: {op: gaussian_noise, in: code, amount: 0.1, when: always}\n"
      "  centred: code - mean(code, axis=0, keepdims=true)\n"
      "  mean: mean(code)\n"
      "outputs: {code: code}\n",
      "rows.yaml");
}

Learner make_learner(runtime::ExecutorKind executor = runtime::ExecutorKind::serial, int threads = 1) {
  runtime::SessionOptions options;
  options.executor = executor;
  options.threads = threads;
  Learner learner(definition(), options);
  learner.initialise();
  return learner;
}

constexpr std::int64_t width = 40;

/// Values of `count` rows; row 0 is row `first` of a larger set of the same kind.
std::vector<float> make_rows(std::int64_t count, std::int64_t first = 0) {
  std::vector<float> values(static_cast<std::size_t>(count * width));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t element = i + static_cast<std::size_t>(first * width);
    values[i] = static_cast<float>(element * 2654435761U % 1000U) / 1000.0F;
  }
  return values;
}

Examples examples_of(const std::vector<float>& values) {
  Examples examples{.count = static_cast<std::int64_t>(values.size()) / width, .columns = {}, .owner = {}};
  examples.columns["x"] = {ColumnKind::f32_values, width, std::as_bytes(std::span(values))};
  return examples;
}

std::vector<float> run(Learner& learner, const std::string& output, std::int64_t count,
                       std::int64_t first = 0) {
  const std::vector<float> rows = make_rows(count, first);
  const OutputValues values =
      learner.run({output}, examples_of(rows), {.first_row = static_cast<std::uint64_t>(first)}).front();
  return {as_floats(values).begin(), as_floats(values).end()};
}

bool near(std::span<const float> a, std::span<const float> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](float x, float y) { return std::abs(x - y) < 1e-6F; });
}

}  // namespace

TEST_CASE("blocks cover all rows in order, few sizes serve any number, and little is done twice") {
  std::set<std::int64_t> sizes;
  for (std::int64_t rows = 1; rows <= 3000; ++rows) {
    std::int64_t covered = 0;
    std::int64_t computed = 0;
    for (const RowBlock& block : row_blocks(rows)) {
      REQUIRE(block.first <= covered);
      REQUIRE(block.first + block.count > covered);
      covered = block.first + block.count;
      computed += block.count;
      sizes.insert(block.count);
    }
    REQUIRE(covered == rows);
    REQUIRE(computed <= rows + 3 * smallest_block);
  }
  CHECK(sizes.size() == 21);
  CHECK(row_blocks(0).empty());
  CHECK(row_blocks(5) == Blocks{{0, 5}});
  CHECK(row_blocks(512) == Blocks{{0, 512}});
  CHECK(row_blocks(500) == Blocks{{0, 256}, {244, 256}});
  CHECK(row_blocks(1000) == Blocks{{0, 512}, {488, 512}});
  CHECK(row_blocks(20) == Blocks{{0, 16}, {16, 4}});
  CHECK(row_batches(1200, 500) == Blocks{{0, 500}, {500, 500}, {1000, 200}});
}

TEST_CASE("a row's values do not depend on how many rows are passed, nor on threads") {
  Learner learner = make_learner();
  const std::vector<float> all = run(learner, "code", 1300);
  REQUIRE(all.size() == 3900);
  for (const std::int64_t count : {1, 2, 7, 16, 17, 40, 100, 511, 513, 1000}) {
    for (const std::int64_t first : {0, 3, 299}) {
      INFO(count << " rows from " << first);
      const std::vector<float> some = run(learner, "code", count, first);
      const auto expected =
          std::span(all).subspan(static_cast<std::size_t>(first * 3), static_cast<std::size_t>(count * 3));
      // oneDNN rounds by the number of rows.
      if (graphrun::testing::products_in_tiles())
        CHECK(std::equal(some.begin(), some.end(), expected.begin(), expected.end()));
      else
        CHECK(near(some, expected));
    }
  }
  for (const auto executor : {runtime::ExecutorKind::threads, runtime::ExecutorKind::tbb}) {
    Learner other = make_learner(executor, 3);
    CHECK(run(other, "code", 1300) == all);
  }
}

TEST_CASE("noise follows the number of a row, not its block") {
  Learner learner = make_learner();
  const std::vector<float> all = run(learner, "noise", 1300);
  const std::vector<float> some = run(learner, "noise", 601, 99);
  CHECK(near(some, std::span(all).subspan(99 * 3, 601 * 3)));
  CHECK(!near(run(learner, "code", 1300), all));
}

TEST_CASE("rows that depend on each other run together when they are to") {
  Learner learner = make_learner();
  const std::vector<float> rows = make_rows(1300);
  const std::vector<float> code = run(learner, "code", 1300);
  std::array<double, 3> mean{};
  for (std::size_t i = 0; i < code.size(); ++i) mean[i % 3] += static_cast<double>(code[i]) / 1300;
  const OutputValues centred = learner.run({"centred"}, examples_of(rows), {.together = true}).front();
  REQUIRE(centred.extents == Extents{1300, 3});
  for (std::size_t i = 0; i < code.size(); ++i)
    REQUIRE(std::abs(as_floats(centred)[i] - (code[i] - static_cast<float>(mean[i % 3]))) < 1e-5F);
  const OutputValues one = learner.run({"mean"}, examples_of(rows), {.together = true}).front();
  REQUIRE(one.extents.empty());
  CHECK(std::abs(static_cast<double>(as_floats(one)[0]) - (mean[0] + mean[1] + mean[2]) / 3) < 1e-5);
  CHECK(throws([&] { learner.run({"mean"}, examples_of(rows)); }, ErrorCode::usage,
               "it has no row for each example"));
}

TEST_CASE("running over examples is stopped between two blocks") {
  Learner learner = make_learner();
  const std::vector<float> rows = make_rows(10);
  std::stop_source stop;
  stop.request_stop();
  CHECK(throws([&] { learner.run({"code"}, examples_of(rows), {.stop = stop.get_token()}); },
               ErrorCode::cancelled, "a stop was asked for"));
}
