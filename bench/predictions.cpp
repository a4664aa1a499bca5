// What `graphrun plan --cores` says against what a step takes: predictions [MODEL] [--seconds N]
//
// Each model at each batch, on one core and on all there are. A prediction is made for the peak that one core
// has right before and right after the step is measured. Prints both, and the ratio of the prediction to the
// step.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/ruler/benchmark.hpp"
#include "bench/timing.hpp"
#include "runtime/machine/resources.hpp"
#include "train/learn/definition.hpp"

namespace {

using namespace graphrun;

struct Row {
  const char* model;
  std::int64_t batch;
};
constexpr Row rows[] = {{"models/autoencoder.yaml", 64},   {"models/autoencoder.yaml", 128},
                        {"models/autoencoder.yaml", 1024}, {"models/deep_ae.yaml", 128},
                        {"models/deep_ae.yaml", 1024},     {"models/vae.yaml", 128},
                        {"models/convolutional.yaml", 256}};

/// The farthest ratio from 1, as a distance.
double print_row(const Row& row, int threads, double seconds) {
  bench::BenchmarkOptions options;
  options.batch = row.batch;
  options.seconds = seconds;
  options.tuning.session.threads = threads;
  const bench::BenchmarkResult result = bench::run_benchmark(train::load_definition(row.model), options);
  if (!result.predicted_us) return 0;
  const double ratio = *result.predicted_us / result.step.median_us;
  fmt::print("{:<28} {:5}   {} core{}   predicted {:9.1f} us   measured {:9.1f} us   ratio {:.2f}\n",
             row.model, row.batch, result.threads, result.threads == 1 ? " " : "s", *result.predicted_us,
             result.step.median_us, ratio);
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
