// A whole epoch against its steps: epoch [MODEL] [--batch N] [--epochs N] [--threads N]
//
// Trains a model on its own data, evaluation, metrics, pictures and checkpoint after each epoch included, and
// divides the time of an epoch by its steps as `graphrun bench` measures them, before and after. The first
// epoch also has the start of the run.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "bench/timing.hpp"
#include "train/benchmark.hpp"
#include "train/definition.hpp"
#include "train/run.hpp"

namespace {

using namespace graphrun;

/// Seconds of each epoch with all that is done at its end, and of its loop alone.
class Epochs final : public train::RunObserver {
 public:
  void on_start(const train::RunStart& start) override {
    batch = start.plan.batch;
    steps = start.plan.batches;
    begin_ = bench::Clock::now();
  }
  void on_epoch(const train::RunEpoch& epoch) override {
    whole.push_back(bench::seconds_since(begin_));
    learning.push_back(epoch.loop.seconds);
    begin_ = bench::Clock::now();
  }
  std::int64_t batch = 0;
  std::int64_t steps = 0;
  std::vector<double> whole;
  std::vector<double> learning;

 private:
  bench::Clock::time_point begin_ = bench::Clock::now();
};

}  // namespace

int main(int count, char** arguments) {
  return bench::run_program([&] {
    bench::Words words(count, arguments);
    const std::vector<std::string> settings = {fmt::format("train.batch={}", words.number("batch", 64)),
                                               fmt::format("train.epochs={}", words.number("epochs", 4))};
    train::BenchmarkOptions benchmark;
    benchmark.tuning.session.threads = words.number("threads", 0);
    benchmark.seconds = 1;
    const train::SharedDefinition model =
        train::load_definition(words.word(0, "models/autoencoder.yaml"), settings);
    const std::string folder = (std::filesystem::temp_directory_path() / "graphrun-epoch").string();
    std::filesystem::remove_all(folder);
    train::RunOptions run;
    run.out = folder;
    run.session = benchmark.tuning.session;
    const double before = train::run_benchmark(model, benchmark).step.median_us;
    Epochs epochs;
    train::start_run(model, run, epochs);
    const double after = train::run_benchmark(model, benchmark).step.median_us;
    std::filesystem::remove_all(folder);
    const double steps = std::sqrt(before * after) * static_cast<double>(epochs.steps) / 1e6;
    fmt::print("{} steps of {} images: {:.3f} s as measured alone ({:.1f} and {:.1f} us a step)\n",
               epochs.steps, epochs.batch, steps, before, after);
    for (std::size_t i = 0; i < epochs.whole.size(); ++i)
      fmt::print(
          "  epoch {}: {:.3f} s, {:.2f} of its steps; without evaluation and checkpoint {:.3f} s, {:.2f}\n",
          i + 1, epochs.whole[i], epochs.whole[i] / steps, epochs.learning[i], epochs.learning[i] / steps);
  });
}
