// Phases, greedy layers, draws and stops that learn from a source: what they learn from examples in memory.
#include <cstring>
#include <numeric>
#include <optional>

#include "graphrun/graphrun.hpp"
#include "tests/api/small_session.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/tables/shuffle.hpp"
#include "train/learn/stages.hpp"

using namespace graphrun;
using namespace graphrun::testing::api;
using graphrun::testing::throws;

namespace {

constexpr std::uint64_t seed = 5;

Model model_learning(const std::string& train) {
  return Model::parse(graphrun::testing::small_model("seed: 5, " + train), "small.yaml");
}

/// Epoch and draw that a session with the examples in memory would be in; nothing: the order of the file.
struct Order {
  std::uint64_t epoch = 0;
  std::uint64_t draw = 0;
};

/// Gives images, in each epoch in the order that fit() would give them when they are in memory.
class Shuffled : public Source {
 public:
  Shuffled(const std::vector<float>& images, std::vector<std::optional<Order>> orders, bool tells = true)
      : images_(images), orders_(std::move(orders)), tells_(tells) {}

  std::vector<SourceInput> inputs() const override { return {{"x"}}; }
  std::int64_t rows() const override { return tells_ ? count() : 0; }
  void restart(std::uint64_t /*seed*/) override {
    REQUIRE(epochs < orders_.size());
    const std::optional<Order> order = orders_[epochs++];
    rows_.resize(static_cast<std::size_t>(count()));
    std::iota(rows_.begin(), rows_.end(), 0U);
    if (order)
      rows_ = train::epoch_order(train::seed_of_draw(seed, order->draw), order->epoch, count(), 784 * 4);
    done_ = 0;
  }
  std::int64_t next(std::span<const RowBuffer> into, std::int64_t asked) override {
    const std::int64_t some = std::min({asked, std::int64_t{7}, count() - static_cast<std::int64_t>(done_)});
    float* const room = std::get<std::span<float>>(into[0]).data();
    for (std::size_t i = 0; i < static_cast<std::size_t>(some); ++i)
      std::memcpy(room + i * pixels, images_.data() + rows_[done_ + i] * pixels, pixels * sizeof(float));
    done_ += static_cast<std::size_t>(some);
    return some;
  }

  std::size_t epochs = 0;

 private:
  std::int64_t count() const { return static_cast<std::int64_t>(images_.size() / pixels); }

  const std::vector<float>& images_;
  std::vector<std::optional<Order>> orders_;
  bool tells_;
  std::vector<std::uint32_t> rows_;
  std::size_t done_ = 0;
};

using Orders = std::vector<std::optional<Order>>;

struct Seen {
  std::vector<std::string> phases;
  FitOptions options() {
    FitOptions options;
    options.on_epoch = [this](const EpochReport& report) { phases.push_back(report.phase); };
    return options;
  }
};

/// Both ways, to the same bits and reports. With tiles: what greedy layers are given is computed for so many
/// rows at once in memory, and for others from a source, and of oneDNN's products bits follow their number.
void require_equal(const std::string& train, const std::vector<float>& images, const Orders& orders) {
  SessionOptions options = one_thread();
  options.provider = Provider::tiles;
  Session from_memory(model_learning(train), options);
  Seen expected;
  from_memory.fit({{"x", images}}, expected.options());
  for (const bool tells : {true, false}) {
    Shuffled source(images, orders, tells);
    Session session(model_learning(train), options);
    Seen seen;
    session.fit(source, seen.options());
    CHECK(session.digest() == from_memory.digest());
    CHECK(session.steps() == from_memory.steps());
    CHECK(seen.phases == expected.phases);
    CHECK(source.epochs == orders.size());
  }
}

}  // namespace

TEST_CASE("greedy layers, phases and draws learn the same from a source") {
  const std::vector<float> images = make_images(150);  // the last batch of an epoch is smaller
  const Orders whole = {Order{0}, Order{1}};
  Orders orders;
  for (int stage = 0; stage < 3; ++stage) orders.insert(orders.end(), whole.begin(), whole.end());
  orders.emplace_back(std::nullopt);  // what both draws choose from
  orders.insert(orders.end(), whole.begin(), whole.end());
  require_equal(
      "phases: [{name: layers, greedy: {encoder: [enc, code], decoder: [dec, recon]}, epochs: 2}, "
      "{name: fine, start: layers, epochs: 2}, "
      "{name: few, start: fine, draws: 2, subset: {first: 90, sample: 70}, epochs: 1}, "
      "{name: steps, start: fine, steps: 4}]",
      images, orders);
}

TEST_CASE("greedy layers corrupt what they learn from a source as they do in memory") {
  require_equal(
      "greedy: {encoder: [enc, code], decoder: [dec, recon], corrupt: {op: masking, amount: 0.3}}, epochs: 1",
      make_images(128), {Order{0}, Order{0}});
}

TEST_CASE("a subset of a source is held in memory") {
  require_equal("phases: [{name: few, draws: 3, subset: {first: 90, sample: 40}, batch: 16, epochs: 2}]",
                make_images(150), {std::nullopt});
  const std::vector<float> images = make_images(30);
  Shuffled source(images, {std::nullopt, std::nullopt});
  Session many(model_learning("subset: {first: 40}, epochs: 1"), one_thread());
  CHECK(throws([&] { many.fit(source); }, ErrorCode::usage, "there are only 30"));
  Session unknown(model_learning("subset: {sample: 20}, epochs: 1"), one_thread());
  CHECK(throws([&] { unknown.fit(source); }, ErrorCode::usage,
               "write `subset: {first: 200, sample: 20}`, say, or give the examples as Inputs"));
  CHECK(unknown.steps() == 0);
}

TEST_CASE("learning from a source stops by what validation examples say") {
  const std::vector<float> images = make_images(64);
  const std::vector<float> other(images.size(), 0.5F);
  const std::string patient = "epochs: 100, stop: {metric: psnr, best: highest, patience: 2}";
  FitOptions options;
  options.validation = {{"x", other}};
  Session from_memory(model_learning(patient), one_thread());
  from_memory.fit({{"x", images}}, options);
  Orders orders;
  for (std::uint64_t epoch = 0; epoch < 100; ++epoch) orders.emplace_back(Order{epoch});
  Shuffled source(images, orders);
  Session session(model_learning(patient), one_thread());
  session.fit(source, options);
  CHECK(session.steps() < 100);
  CHECK(session.steps() == from_memory.steps());
  CHECK(session.digest() == from_memory.digest());
  Session alone(model_learning(patient), one_thread());
  CHECK(throws([&] { alone.fit(source); }, ErrorCode::usage, "give FitOptions::validation"));
  CHECK(throws([&] { alone.fit(source, {.epochs = 2}); }, ErrorCode::usage, "FitOptions::epochs"));
}

TEST_CASE("a source goes on with the next epoch of the phase after a stop") {
  const std::vector<float> images = make_images(128);
  const Orders orders(12, Order{});
  Shuffled source(images, orders);
  std::vector<std::string> lines;
  SessionOptions logged = one_thread();
  logged.on_log = [&](std::string_view line) { lines.emplace_back(line); };
  Session session(model_learning("phases: [{name: a, epochs: 2}, {name: b, start: a, epochs: 3}]"), logged);
  std::stop_source stop;
  FitOptions options;
  options.stop = stop.get_token();
  options.on_step = [&](std::uint64_t step, double /*loss*/) {
    if (step == 5) stop.request_stop();
  };
  CHECK(throws([&] { session.fit(source, options); }, ErrorCode::cancelled, "after step 5"));
  Seen seen;
  session.fit(source, seen.options());
  CHECK(seen.phases == std::vector<std::string>{"b", "b"});
  CHECK(session.steps() == 9);
  CHECK(lines == std::vector<std::string>{"a begins: 2 epochs", "b begins: 3 epochs", "b begins: 3 epochs"});
}

TEST_CASE("steps that alternate learn the same from a source") {
  const std::string twice =
      "epochs: 2, alternate: [{train: [enc, code]}, {train: [dec, recon], optimizer: sgd, every: 2}]";
  require_equal(twice, make_images(150), {Order{0}, Order{1}});
}
