// What `graphrun plan --cores` says against what a step takes: predictions [MODEL] [--seconds N]
//
// Each model at each batch, on one core and on all there are. Steps and the machine's peak are measured in
// turns, since clocks and neighbours change within seconds, and the best of the turns are compared: what else
// runs makes no step shorter. Prints the step that is predicted for the best peak, the best step and the
// ratio of the two; then the ratio for the medians, which says how quiet the machine was.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "bench/ruler/fma_peak.hpp"
#include "bench/ruler/step_meter.hpp"
#include "bench/timing.hpp"
#include "runtime/lower/plan.hpp"
#include "runtime/lower/predict.hpp"
#include "runtime/machine/resources.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"

namespace {

using namespace graphrun;

constexpr int turns = 10;

struct Row {
  const char* model;
  std::int64_t batch;
};
constexpr Row rows[] = {{"models/autoencoder.yaml", 64},   {"models/autoencoder.yaml", 128},
                        {"models/autoencoder.yaml", 1024}, {"models/deep_ae.yaml", 128},
                        {"models/deep_ae.yaml", 1024},     {"models/vae.yaml", 128},
                        {"models/convolutional.yaml", 256}};

double predicted_us(const runtime::Plan& plan, int threads, double peak) {
  return runtime::predict_step(plan, static_cast<std::size_t>(threads), {.peak = peak / threads}).step_ns() /
         1e3;
}

/// How far the ratio of the bests is from 1.
double print_row(const Row& row, int threads, double seconds) {
  runtime::SessionOptions options;
  options.threads = threads;
  train::Learner learner(train::load_definition(row.model), options);
  learner.training_program();
  const runtime::Plan& plan = learner.prepare_training(row.batch);
  learner.initialise();
  bench::StepMeter meter(learner, row.batch);
  meter.warm_up(0.1);
  std::vector<double> peaks;
  for (int turn = 0; turn < turns; ++turn) {
    peaks.push_back(bench::measure_fma_peak(threads, 0.1));
    meter.warm_up(0);
    meter.measure(seconds / turns);
  }
  const double best_peak = std::ranges::max(peaks);
  const double predicted = predicted_us(plan, threads, best_peak);
  const bench::StepTimes measured = meter.times();
  const double ratio = predicted / measured.best_us;
  const double of_medians = predicted_us(plan, threads, bench::median(peaks)) / measured.median_us;
  fmt::print(
      "{:<28} {:5}   {} core{} of {:5.1f} GFLOP/s   predicted {:9.1f} us   measured {:9.1f} us   ratio {:.2f}"
      "   of medians {:.2f}\n",
      row.model, row.batch, threads, threads == 1 ? " " : "s", best_peak / threads, predicted,
      measured.best_us, ratio, of_medians);
  std::fflush(stdout);
  return std::abs(ratio - 1);
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run_program([&] {
    bench::Words words(count, arguments);
    const double seconds = words.number("seconds", 1);
    const std::string only = words.word(0, "");
    const auto cores = static_cast<int>(runtime::available_threads());
    double worst = 0;
    for (const Row& row : rows) {
      if (!only.empty() && only != row.model) continue;
      for (int threads = 1; threads <= cores;
           threads = threads < cores ? std::min(2 * threads, cores) : cores + 1)
        worst = std::max(worst, print_row(row, threads, seconds));
    }
    fmt::print("farthest from 1: {:.0f} %\n", 100 * worst);
  });
}
