// Learning from a source, steps that know their epoch, an arena of the host's, and what a session has to say.
#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "graphrun/graphrun.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/phased_model.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using graphrun::testing::throws;

namespace {

constexpr std::size_t columns = 6;

/// Two inputs, of which one takes pixels and one whole numbers, and a rate that follows the epochs.
Model model(const std::string& train = "batch: 8, epochs: 3") {
  return Model::parse(R"(graphrun: 1
name: labelled
inputs:
  x: {shape: [batch, 6]}
  y: {from: labels}
nodes:
  h: {op: dense, in: x, units: 5, act: tanh}
  z: {op: dense, in: h, units: 3}
outputs: {code: h}
loss:
  class: {op: cross_entropy, in: [z, y]}
train: {optimizer: {op: adam, lr: {linear: {from: 0.02, to: 0.001, epochs: 3}}}, seed: 4, )" +
                      train + "}\n");
}

struct Rows {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;
};

Rows made_rows(std::size_t count) {
  Rows rows;
  for (std::size_t i = 0; i < count * columns; ++i)
    rows.pixels.push_back(static_cast<std::uint8_t>(i * 37 % 251));
  for (std::size_t i = 0; i < count; ++i) rows.labels.push_back(static_cast<std::int32_t>(i % 3));
  return rows;
}

/// Gives rows in their order, a few at a time.
class Pieces : public Source {
 public:
  Pieces(const Rows& rows, std::int64_t piece, std::int64_t told = 0)
      : rows_(rows), piece_(piece), told_(told) {}

  std::vector<SourceInput> inputs() const override {
    return {{"y", ElementType::i32}, {"x", ElementType::u8}};
  }
  std::int64_t rows() const override { return told_; }
  void restart(std::uint64_t seed) override {
    seeds.push_back(seed);
    done_ = 0;
  }
  std::int64_t next(std::span<const RowBuffer> into, std::int64_t rows) override {
    const auto left = static_cast<std::int64_t>(rows_.labels.size()) - done_;
    const std::int64_t count = std::min({rows, piece_, left});
    const auto first = static_cast<std::size_t>(done_);
    const auto some = static_cast<std::size_t>(count);
    const auto labels = std::get<std::span<std::int32_t>>(into[0]);
    const auto pixels = std::get<std::span<std::uint8_t>>(into[1]);
    CHECK(labels.size() >= some);
    CHECK(pixels.size() == labels.size() * columns);
    std::copy_n(rows_.labels.begin() + done_, some, labels.begin());
    std::copy_n(rows_.pixels.begin() + static_cast<std::ptrdiff_t>(first * columns), some * columns,
                pixels.begin());
    done_ += count;
    return count;
  }

  std::vector<std::uint64_t> seeds;

 private:
  const Rows& rows_;
  std::int64_t piece_;
  std::int64_t told_;
  std::int64_t done_ = 0;
};

SessionOptions threads(int count) {
  SessionOptions options;
  options.threads = count;
  return options;
}

/// What single steps over the same batches come to. `steps_per_epoch`: what schedules count by.
std::string learnt_by_hand(const Rows& rows, std::size_t batch, int epochs, std::int64_t steps_per_epoch) {
  SessionOptions options = threads(1);
  options.steps_per_epoch = steps_per_epoch;
  Session session(model(), options);
  for (int epoch = 0; epoch < epochs; ++epoch)
    for (std::size_t first = 0; first < rows.labels.size(); first += batch) {
      const std::size_t count = std::min(batch, rows.labels.size() - first);
      session.train_step({{"x", std::span(rows.pixels).subspan(first * columns, count * columns)},
                          {"y", std::span(rows.labels).subspan(first, count)}});
    }
  return session.digest();
}

}  // namespace

TEST_CASE("a source teaches what its rows do, in pieces of any size") {
  const Rows rows = made_rows(27);
  const std::string expected = learnt_by_hand(rows, 8, 3, 4);
  for (const std::int64_t piece : {1, 5, 100})
    for (const int count : {1, 2}) {
      Pieces source(rows, piece, 27);
      Session session(model(), threads(count));
      std::vector<std::uint64_t> steps;
      FitOptions options;
      options.on_epoch = [&](const EpochReport& report) { steps.push_back(report.steps); };
      session.fit(source, options);
      CHECK(session.digest() == expected);
      CHECK(steps == std::vector<std::uint64_t>{4, 8, 12});
      REQUIRE(source.seeds.size() == 3);
      CHECK(source.seeds[0] != source.seeds[1]);
      // Another session of the same seed asks for the same orders, and one that goes on for others.
      Pieces again(rows, piece, 27);
      Session other(model(), threads(count));
      other.fit(again, {.epochs = 1});
      other.fit(again, {.epochs = 2});
      CHECK(again.seeds == source.seeds);
      CHECK(other.digest() == expected);
    }
}

TEST_CASE("how long an epoch of a source is shows after the first, where it does not say it") {
  const Rows rows = made_rows(27);
  Pieces source(rows, 9);
  Session session(model(), threads(1));
  session.fit(source, {.epochs = 2});
  // The first epoch stands at the beginning of the schedule, the second one is in its second third.
  Session by_hand(model(), threads(1));
  for (int epoch = 0; epoch < 2; ++epoch)
    for (std::size_t first = 0; first < 27; first += 8) {
      const std::size_t count = std::min<std::size_t>(8, 27 - first);
      const double epochs = epoch == 0 ? 0.0 : 1.0 + static_cast<double>(first / 8) / 4;
      by_hand.train_step({{"x", std::span(rows.pixels).subspan(first * columns, count * columns)},
                          {"y", std::span(rows.labels).subspan(first, count)}},
                         StepOptions{.epoch = epochs});
    }
  CHECK(session.digest() == by_hand.digest());
  CHECK(session.steps() == 8);
}

TEST_CASE("steps that know their epoch follow schedules in epochs") {
  const Rows rows = made_rows(8);
  const Inputs batch = {{"x", rows.pixels}, {"y", rows.labels}};
  SessionOptions options = threads(1);
  options.steps_per_epoch = 2;
  Session counted(model(), options);
  Session told(model(), threads(1));
  Session late(model(), threads(1));
  for (const double epoch : {0.0, 0.5, 1.0, 1.5}) {
    counted.train_step(batch);
    told.train_step(batch, StepOptions{.epoch = epoch});
    late.train_step(batch, StepOptions{.epoch = epoch + 1});
  }
  CHECK(counted.digest() == told.digest());
  CHECK(counted.digest() != late.digest());
  // What a step was told is of that step: fit() counts by itself.
  Session after_told(model(), threads(1));
  Session after_untold(model(), threads(1));
  after_told.train_step(batch, StepOptions{.epoch = 0.0});
  after_untold.train_step(batch);
  for (Session* const session : {&after_told, &after_untold}) session->fit(batch);
  CHECK(after_told.digest() == after_untold.digest());
  CHECK(throws([&] { told.train_step(batch, StepOptions{.epoch = -1.0}); }, ErrorCode::usage, "-1 are not"));
}

TEST_CASE("a step that is refused leaves the epoch that the last one was told") {
  const Rows rows = made_rows(8);
  const Inputs batch = {{"x", rows.pixels}, {"y", rows.labels}};
  // The weight of the loss is 1 in epoch 0 and 3 in epoch 2.
  Session session(Model::parse(R"(graphrun: 1
name: weighted
inputs:
  x: {shape: [batch, 6]}
  y: {from: labels}
nodes:
  z: {op: dense, in: x, units: 3}
loss:
  class: {op: cross_entropy, in: [z, y], weight: {linear: {from: 1, to: 4, epochs: 3}}}
train: {optimizer: {op: sgd, lr: 0.1}, batch: 8, epochs: 3, seed: 4}
)"),
                  threads(1));
  const auto weight = [&] {
    const NamedValues values = session.evaluate(batch);
    const auto value_of = [&](std::string_view name) {
      const auto named = [&](const NamedValue& value) { return value.name == name; };
      return std::find_if(values.begin(), values.end(), named)->value;
    };
    return value_of("loss") / value_of("class");
  };
  session.train_step(batch, StepOptions{.epoch = 0.0});
  CHECK(std::abs(weight() - 1) < 1e-5);
  CHECK(throws(
      [&] {
        session.train_step({{"x", rows.pixels}}, StepOptions{.epoch = 2.0});
      },
      ErrorCode::usage, "'y'"));
  CHECK(std::abs(weight() - 1) < 1e-5);
  session.train_step(batch, StepOptions{.epoch = 2.0});
  CHECK(std::abs(weight() - 3) < 1e-5);
}

TEST_CASE(
    "steps of a source that are asked for end in the midst of an epoch, and a small last batch may go") {
  const Rows rows = made_rows(27);
  Pieces source(rows, 100);
  Session session(model("batch: 8, steps: 6"), threads(1));
  session.fit(source);
  CHECK(session.steps() == 6);
  Session dropping(model("batch: 8, epochs: 2, partial: drop"), threads(1));
  dropping.fit(source);
  CHECK(dropping.steps() == 6);
}

TEST_CASE("what a source throws comes out as it is, and what it gives wrongly is told") {
  const Rows rows = made_rows(27);
  class Failing final : public Pieces {
   public:
    using Pieces::Pieces;
    std::int64_t next(std::span<const RowBuffer> into, std::int64_t rows) override {
      if (++calls == 4) throw std::runtime_error("the disk is gone");
      return calls > 10 ? rows + 1 : Pieces::next(into, rows);
    }
    int calls = 0;
  };
  Failing failing(rows, 8);
  Session session(model(), threads(2));
  bool came = false;
  try {
    session.fit(failing);
  } catch (const std::runtime_error& error) {
    came = std::string(error.what()) == "the disk is gone";
  }
  CHECK(came);
  CHECK(session.steps() > 0);
  CHECK(session.steps() < 4);
  const std::uint64_t before = session.steps();
  Pieces good(rows, 8);
  session.fit(good, {.epochs = 1});
  CHECK(session.steps() == before + 4);

  failing.calls = 10;
  CHECK(throws([&] { session.fit(failing); }, ErrorCode::usage, "at most 8 rows and gave 9"));
  const Rows none = made_rows(0);
  Pieces empty(none, 8);
  CHECK(throws([&] { session.fit(empty); }, ErrorCode::usage, "its epoch is empty"));
  Session large(model("batch: 64, epochs: 1, partial: drop"), threads(1));
  CHECK(throws([&] { large.fit(good); }, ErrorCode::usage, "fewer rows in an epoch than a batch of 64"));

  class Unlike final : public Pieces {
   public:
    Unlike(const Rows& rows, std::vector<SourceInput> inputs) : Pieces(rows, 8), inputs_(std::move(inputs)) {}
    std::vector<SourceInput> inputs() const override { return inputs_; }

   private:
    std::vector<SourceInput> inputs_;
  };
  const auto refused = [&](std::vector<SourceInput> inputs, const char* reason) {
    Unlike source(rows, std::move(inputs));
    return throws([&] { session.fit(source); }, ErrorCode::usage, reason);
  };
  CHECK(refused({{"x"}, {"w"}}, "'w'"));
  CHECK(refused({{"x"}}, "'y'"));
  CHECK(refused({{"x"}, {"y"}}, "float values do not fit"));
  CHECK(refused({{"x"}, {"x"}}, "'x' is given twice"));
  CHECK(refused({}, "no input"));
}

TEST_CASE("a session tells which phase begins") {
  const Rows rows = made_rows(16);
  std::vector<std::string> lines;
  SessionOptions options = threads(1);
  options.on_log = [&](std::string_view line) { lines.emplace_back(line); };
  Session told(model("phases: [{name: a, epochs: 1}, {name: b, epochs: 1}]"), options);
  told.fit({{"x", rows.pixels}, {"y", rows.labels}});
  REQUIRE(lines.size() == 2);
  CHECK(lines[1].starts_with("b begins: "));
}

TEST_CASE("a session computes in an arena of the host's, to the same bits") {
  const Rows rows = made_rows(64);
  const Inputs examples = {{"x", rows.pixels}, {"y", rows.labels}};
  Session own(model("batch: 32, epochs: 4"), threads(2));
  own.fit(examples);
  for (const int concurrency : {1, 2}) {
    tbb::task_arena arena(concurrency);
    SessionOptions options;
    options.tbb_arena = &arena;
    Session session(model("batch: 32, epochs: 4"), options);
    session.fit(examples);
    CHECK(session.digest() == own.digest());
    // From within it, too.
    Session inner(model("batch: 32, epochs: 4"), options);
    arena.execute([&] { inner.fit(examples); });
    CHECK(inner.digest() == own.digest());
    options.threads = 2;
    CHECK(throws([&] { Session(model(), options); }, ErrorCode::usage, "arena of the host's"));
  }
}
