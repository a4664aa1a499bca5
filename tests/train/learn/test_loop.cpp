// The loop on a small model: order, stops, resuming, threads. Everything is compared bit by bit.
#include <filesystem>
#include <random>

#include "tests/support/catch.hpp"
#include "tests/support/small_model.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/prefetch.hpp"
#include "train/datasets/tables/shuffle.hpp"
#include "train/learn/checkpoint.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/loop.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::train;

namespace {

runtime::SessionOptions session_options(runtime::ExecutorKind executor, int threads) {
  runtime::SessionOptions options;
  options.executor = executor;
  options.threads = threads;
  return options;
}

SharedDefinition small_definition(const std::string& train = "epochs: 2, seed: 1") {
  return parse_definition(small_model(train), "small.yaml");
}

struct Setting {
  SharedDefinition model = small_definition();
  Dataset data = load_model_data(*model);
  Examples examples = bind_images(*model, std::make_shared<const ImageSet>(data.train));
  Examples test = bind_images(*model, std::make_shared<const ImageSet>(data.test));
};

const Setting& setting() {
  static const Setting shared;
  return shared;
}

Learner make_learner(runtime::ExecutorKind executor = runtime::ExecutorKind::serial, int threads = 1) {
  return Learner(setting().model, session_options(executor, threads));
}

/// Asks for a stop after a step of its choice.
class Stopper final : public LoopObserver {
 public:
  explicit Stopper(std::uint64_t at) : at_(at) {}
  void on_step(const StepReport& report) override {
    if (report.state.step == at_) source_.request_stop();
  }
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::uint64_t at_;
  std::stop_source source_;
};

LoopOptions steps(std::int64_t count) {
  LoopOptions options;
  options.batch = 64;
  options.steps = count;
  return options;
}

std::string digest_after(Learner& learner, std::int64_t count) {
  LoopObserver nobody;
  learn(learner, setting().examples, steps(count), nobody);
  return learner.digest();
}

}  // namespace

TEST_CASE("an epoch is cut into batches, with or without the partial one") {
  LoopOptions options;
  options.batch = 64;
  options.epochs = 3;
  const BatchPlan kept = batch_plan(options, 1000);
  CHECK(kept.batches == 16);
  CHECK(kept.partial_rows == 40);
  CHECK(kept.total_steps == 48);
  options.keep_partial = false;
  const BatchPlan dropped = batch_plan(options, 1000);
  CHECK(dropped.batches == 15);
  CHECK(dropped.partial_rows == 0);
  CHECK(dropped.total_steps == 45);
  options.max_steps = 7;
  CHECK(batch_plan(options, 1000).total_steps == 7);
  CHECK(
      throws([&] { batch_plan(options, 63); }, ErrorCode::usage, "63 examples do not fill one batch of 64"));
  CHECK(throws([&] { batch_plan(options, 0); }, ErrorCode::usage, "no examples"));
  options.keep_partial = true;
  const BatchPlan small = batch_plan(options, 10);
  CHECK(small.batch == 10);
  CHECK(small.batches == 1);
  CHECK(small.partial_rows == 0);
}

TEST_CASE("learning lowers the loss, and what is reported is the mean over the epoch") {
  class Recorder final : public LoopObserver {
   public:
    void on_epoch(const EpochSummary& report) override { reports.push_back(report.train); }
    std::vector<Figures> reports;
  };
  Learner learner = make_learner();
  Recorder recorder;
  LoopOptions options;
  options.batch = 64;
  options.epochs = 4;
  CHECK(learn(learner, setting().examples, options, recorder) == LoopEnd::finished);
  REQUIRE(recorder.reports.size() == 4);
  CHECK(recorder.reports[0].count == 1000);
  CHECK(recorder.reports[3].at("loss") < 0.7 * recorder.reports[0].at("loss"));
  CHECK(recorder.reports[3].at("reconstruction") == recorder.reports[3].at("loss"));
  CHECK(learner.state().step == 64);
  CHECK(learner.state().epoch == 4);
  const Figures test = learner.evaluate(setting().test);
  CHECK(test.count == 200);
  CHECK(test.at("psnr") > 8);
}

TEST_CASE("200 steps give the same bits with every executor at every number of threads") {
  Learner serial = make_learner();
  const std::string expected = digest_after(serial, 200);
  for (const int threads : {1, 2, 3, 4, 8}) {
    INFO(threads << " threads");
    Learner plain = make_learner(runtime::ExecutorKind::threads, threads);
    CHECK(digest_after(plain, 200) == expected);
    Learner tbb = make_learner(runtime::ExecutorKind::tbb, threads);
    CHECK(digest_after(tbb, 200) == expected);
  }
  Learner other = make_learner();
  other.state().seed = 2;
  CHECK(digest_after(other, 200) != expected);
}

TEST_CASE("batches that are gathered ahead give the bits of batches gathered in their turn") {
  // 1,000 examples: the last of 16 batches is smaller, and the 20th step is in the second epoch.
  constexpr std::int64_t count = 20;
  Learner plain = make_learner();
  plain.prepare_training(64);
  plain.initialise();
  Batch batch(setting().examples, plain.training_inputs(), 64);
  std::vector<float> figures(plain.training_figures().size());
  for (std::size_t step = 0; step < count; ++step) {
    const std::vector<std::uint32_t> order = epoch_order(plain.state().seed, step / 16, 1000);
    const std::size_t first = step % 16 * 64;
    batch.gather(std::span(order).subspan(first, std::min<std::size_t>(64, 1000 - first)));
    plain.step(batch.feeds(), batch.rows(), first, figures);
  }
  for (const auto executor :
       {runtime::ExecutorKind::serial, runtime::ExecutorKind::threads, runtime::ExecutorKind::tbb}) {
    Learner ahead = make_learner(executor, executor == runtime::ExecutorKind::serial ? 1 : 3);
    CHECK(digest_after(ahead, count) == plain.digest());
  }
}

TEST_CASE("the batch at hand stays while the next is gathered, and is followed by it alone") {
  PrefetchedBatches batches(setting().examples, {"x"}, 3);
  Batch expected(setting().examples, {"x"}, 3);
  const auto holds = [&](std::span<const std::uint32_t> rows) {
    expected.gather(rows);
    const auto a = batches.current().feeds().front().bytes;
    const auto b = expected.feeds().front().bytes;
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  };
  const std::vector<std::uint32_t> first{5, 1, 7};
  const std::vector<std::uint32_t> second{2, 9};
  batches.gather(std::span(first));
  CHECK(holds(first));
  batches.announce(std::span(second));
  batches.run();
  CHECK(holds(first));
  batches.advance();
  CHECK(batches.current().rows() == 2);
  CHECK(holds(second));
  batches.run();  // nothing is announced
  batches.advance();
  CHECK(holds(second));
  batches.announce(std::span(first));  // and not gathered by anyone
  batches.advance();
  CHECK(holds(first));
}

TEST_CASE("a run that is stopped anywhere and continued gives the same bits") {
  constexpr std::int64_t total = 60;
  Learner uninterrupted = make_learner();
  const std::string expected = digest_after(uninterrupted, total);
  std::random_device device;
  const std::uint64_t seed = device();
  std::mt19937_64 random(seed);
  INFO("seed " << seed);
  const TemporaryFolder folder;
  for (int trial = 0; trial < 4; ++trial) {
    const std::uint64_t stop_at = 1 + random() % (total - 1);
    INFO("stopped after step " << stop_at);
    Learner first = make_learner();
    Stopper stopper(stop_at);
    LoopOptions options = steps(total);
    options.stop = stopper.token();
    REQUIRE(learn(first, setting().examples, options, stopper) == LoopEnd::stopped);
    REQUIRE(first.state().step == stop_at);
    const std::filesystem::path file = folder / "stopped.safetensors";
    save_checkpoint(file, first);

    Learner second = make_learner(runtime::ExecutorKind::threads, 3);
    restore(second, Checkpoint(file));
    CHECK(second.state().step == stop_at);
    CHECK(digest_after(second, total) == expected);
    CHECK(second.state().epoch_sums == uninterrupted.state().epoch_sums);
  }
}

TEST_CASE("weights that explode stop the run, name a node and are told from good ones") {
  const auto model = parse_definition(small_model("epochs: 2, seed: 1"), "small.yaml",
                                      std::vector<std::string>{"train.optimizer.lr=1.0e+38"});
  Learner learner(model, session_options(runtime::ExecutorKind::serial, 1));
  LoopObserver nobody;
  const auto error = thrown([&] { learn(learner, setting().examples, steps(200), nobody); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::not_finite);
  CHECK(!error->node().empty());
}

TEST_CASE("figures of an evaluation do not depend on how rows are batched") {
  Learner learner = make_learner();
  learner.initialise();
  const Figures all = learner.evaluate(setting().test);
  const Figures first = learner.evaluate(first_of(setting().test, 100));
  CHECK(all.count == 200);
  CHECK(first.count == 100);
  CHECK(all.at("loss") == learner.evaluate(setting().test).at("loss"));
}

TEST_CASE("roles run by name, and a fed node is cut from what it came from") {
  Learner learner = make_learner();
  learner.initialise();
  const Examples few = first_of(setting().test, 10);
  const OutputValues codes = learner.run({"code"}, few).front();
  CHECK(codes.extents == Extents{10, 2});
  const OutputValues images = learner.run({"image"}, few).front();
  CHECK(images.extents == Extents{10, 784});
  Examples given{.count = 10, .columns = {}, .owner = {}};
  const Examples nothing = given;
  given.columns["code"] = {ColumnKind::f32_values, 2, codes.bytes};
  const OutputValues decoded = learner.run({"image"}, given).front();
  CHECK(decoded.bytes == images.bytes);
  CHECK(throws([&] { learner.run({"image"}, nothing); }, ErrorCode::usage,
               "input 'x' is needed and not given"));
  CHECK(throws([&] { learner.run({"imgae"}, nothing); }, ErrorCode::usage, "no output or node 'imgae'"));
}
