// Counts the heap allocations of the training loop: step, next batch, figures.
#include "bench/ruler/benchmark.hpp"
#include "runtime/products/tiled_matmul.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/count_allocations.hpp"
#include "tests/support/provider.hpp"
#include "tests/support/small_model.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/loop.hpp"

#if defined(GRAPHRUN_COUNTS_ALLOCATIONS)

using namespace graphrun;
using namespace graphrun::bench;
using namespace graphrun::train;
using graphrun::testing::allocations;

namespace {

/// How much was allocated between the steps of all epochs but the first, which sets up.
class Counter final : public LoopObserver {
 public:
  void on_step(const StepReport& report) override {
    const long now = allocations.load();
    if (report.state.epoch > 0 && report.state.batch > 1) all += now - before_;
    before_ = now;
  }
  long all = 0;

 private:
  long before_ = 0;
};

}  // namespace

TEST_CASE("the loop allocates nothing from batch to batch") {
  // Where products run in oneDNN, that allocates.
  if (!graphrun::testing::products_in_tiles()) return;
  const SharedDefinition model = parse_definition(graphrun::testing::small_model(), "small.yaml");
  const Dataset data = load_model_data(*model);
  const Examples examples = bind_images(*model, std::make_shared<const ImageSet>(data.train));
  for (const auto executor :
       {runtime::ExecutorKind::serial, runtime::ExecutorKind::threads, runtime::ExecutorKind::tbb}) {
    runtime::SessionOptions options;
    options.executor = executor;
    options.threads = 2;
    Learner learner(model, options);
    LoopOptions loop;
    loop.batch = 64;
    loop.epochs = 6;
    Counter counter;
    learn(learner, examples, loop, counter);
    // OpenMP allocates once for a worker of TBB, when that takes part for the first time, which may be late.
    const long late_workers = executor == runtime::ExecutorKind::tbb ? options.threads : 0;
    CHECK(counter.all <= late_workers);
    CHECK(allocations.load() > 0);  // they are counted at all
  }
}

TEST_CASE("a step with oneDNN's products allocates what oneDNN does, and nothing of ours") {
  const SharedDefinition model = parse_definition(graphrun::testing::small_model(), "small.yaml");
  for (const bool tiles : {true, false}) {
    CAPTURE(tiles);
    BenchmarkOptions options;
    options.seconds = 0.02;
    options.most_runs = 1;
    options.tuning.session.threads = 1;
    options.tuning.session.lowering.provider =
        tiles ? runtime::ProviderChoice::tiles : runtime::ProviderChoice::onednn;
    options.allocation_count = []() noexcept { return static_cast<std::uint64_t>(allocations.load()); };
    const BenchmarkResult result = run_benchmark(model, options);
    WARN("oneDNN's own allocations a step: " << result.library_allocations_per_step.value_or(0));
    CHECK(result.allocations_per_step == 0);
    if (tiles && runtime::has_tiles(runtime::detected_isa())) CHECK(result.library_allocations_per_step == 0);
  }
}

TEST_CASE("a step of recurrent layers is measured, whose ops have more inputs than products") {
  const SharedDefinition model = parse_definition(
      "graphrun: 1\n"
      "name: series\n"
      "inputs:\n"
      "  x: {shape: [batch, 5, 8]}\n"
      "nodes:\n"
      "  a: {op: lstm, in: x, units: 16}\n"
      "  b: {op: gru, in: a.h, units: 16}\n"
      "loss:\n"
      "  size: mean(b.last ** 2)\n"
      "train: {optimizer: {op: sgd, lr: 0.1}, batch: 8, epochs: 1}\n",
      "series.yaml");
  BenchmarkOptions options;
  options.seconds = 0.02;
  options.most_runs = 1;
  options.tuning.session.threads = 1;
  options.allocation_count = []() noexcept { return static_cast<std::uint64_t>(allocations.load()); };
  const BenchmarkResult result = run_benchmark(model, options);
  CHECK(result.step.best_us > 0);
  if (graphrun::testing::products_in_tiles()) CHECK(result.allocations_per_step == 0);
}

#endif
