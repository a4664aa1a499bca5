// What `graphrun plan --cores` says against what a step takes: predictions [MODEL] [--seconds N]
//
// Each model at each batch, on one core and on all there are. Steps, the machine's peak and its memory are
// measured in turns, since clocks and neighbours change within seconds, and the best of the turns are
// compared: what else runs makes no step shorter. Prints the step that is predicted for the best peak and
// memory, the best step and the ratio of the two; then the ratio for the medians, which says how quiet the
// machine was.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "bench/ruler/fma_peak.hpp"
#include "bench/ruler/memory_rate.hpp"
#include "bench/ruler/step_meter.hpp"
#include "bench/timing.hpp"
#include "runtime/execute/session.hpp"
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

/// What was found in turns.
struct Machine {
  std::vector<double> peaks;
  std::vector<double> alone;     ///< GB/s of one core
  std::vector<double> together;  ///< of all of a run

  /// Threads that have just been started may share a core for a while: the best of short spells is that of
  /// all cores. Shorter ones see clocks that no step keeps.
  void measure(bench::MemoryRuler& ruler, int threads) {
    double peak = 0;
    for (int spell = 0; spell < 10; ++spell) peak = std::max(peak, bench::measure_fma_peak(threads, 0.01));
    peaks.push_back(peak);
    const bench::MemoryRates memory = ruler.measure(threads, 0.05);
    alone.push_back(memory.alone);
    together.push_back(memory.together);
  }

  template <class Choice>
  runtime::MachineRates rates(int threads, Choice choice) const {
    return {.peak = choice(peaks) / threads, .bandwidth = choice(together), .core_bandwidth = choice(alone)};
  }
};

double best(const std::vector<double>& rates) {
  return std::ranges::max(rates);
}

double predicted_us(const runtime::Plan& plan, int threads, const runtime::MachineRates& rates) {
  return runtime::predict_step(plan, static_cast<std::size_t>(threads), rates).step_ns() / 1e3;
}

/// The best time of each task of a plan.
class TaskTimes {
 public:
  TaskTimes(const runtime::Plan& plan, runtime::Session& session, runtime::ProgramId program)
      : plan_(plan),
        session_(session),
        program_(program),
        best_ns_(plan.tasks.size(), std::numeric_limits<double>::max()) {}

  void measure(bench::StepMeter& meter, double seconds) {
    session_.time_units(program_, &units_);
    const bench::Clock::time_point start = bench::Clock::now();
    do {
      meter.step();
      keep_best();
    } while (bench::seconds_since(start) < seconds);
    session_.time_units(program_, nullptr);
  }
  const std::vector<double>& best_ns() const { return best_ns_; }

 private:
  void keep_best() {
    for (std::size_t task = 0; task < best_ns_.size(); ++task) {
      const auto units = std::span(units_).subspan(plan_.tasks[task].first_unit, plan_.tasks[task].units);
      double ns = 0;
      for (const runtime::UnitTime& unit : units) ns += static_cast<double>(unit.end_ns - unit.begin_ns);
      best_ns_[task] = std::min(best_ns_[task], ns);
    }
  }

  const runtime::Plan& plan_;
  runtime::Session& session_;
  runtime::ProgramId program_;
  std::vector<runtime::UnitTime> units_;
  std::vector<double> best_ns_;
};

/// How far predictions are from the best step and from that of the best tasks, as parts of these.
struct Distance {
  double of_step = 0;
  double of_tasks = 0;
};

Distance print_row(const Row& row, int threads, double seconds, bench::MemoryRuler& ruler) {
  runtime::SessionOptions options;
  options.threads = threads;
  train::Learner learner(train::load_definition(row.model), options);
  const runtime::ProgramId program = learner.training_program();
  const runtime::Plan& plan = learner.prepare_training(row.batch);
  learner.initialise();
  bench::StepMeter meter(learner, row.batch);
  TaskTimes tasks(plan, learner.session(), program);
  meter.warm_up(0.1);
  Machine machine;
  for (int turn = 0; turn < turns; ++turn) {
    machine.measure(ruler, threads);
    meter.warm_up(0);
    meter.measure(seconds / turns / 2);
    tasks.measure(meter, seconds / turns / 2);
  }
  const runtime::MachineRates rates = machine.rates(threads, best);
  const double predicted = predicted_us(plan, threads, rates);
  const bench::StepTimes measured = meter.times();
  const double ratio = predicted / measured.best_us;
  const double of_medians =
      predicted_us(plan, threads, machine.rates(threads, bench::median)) / measured.median_us;
  const double undisturbed =
      runtime::schedule_ns(plan, static_cast<std::size_t>(threads), tasks.best_ns()) / 1e3;
  fmt::print(
      "{:<28} {:5}   {} core{} of {:5.1f} GFLOP/s, {:4.1f} GB/s   predicted {:9.1f} us   "
      "measured {:9.1f} us   ratio {:.2f}   of tasks {:.2f}   of medians {:.2f}\n",
      row.model, row.batch, threads, threads == 1 ? " " : "s", rates.peak, rates.bandwidth, predicted,
      measured.best_us, ratio, predicted / undisturbed, of_medians);
  std::fflush(stdout);
  return {std::abs(ratio - 1), std::abs(predicted / undisturbed - 1)};
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run_program([&] {
    bench::Words words(count, arguments);
    const double seconds = words.number("seconds", 1);
    const std::string only = words.word(0, "");
    const auto cores = static_cast<int>(runtime::available_threads());
    bench::MemoryRuler ruler;
    Distance worst;
    for (const Row& row : rows) {
      if (!only.empty() && only != row.model) continue;
      for (int threads = 1; threads <= cores;
           threads = threads < cores ? std::min(2 * threads, cores) : cores + 1) {
        const Distance distance = print_row(row, threads, seconds, ruler);
        worst.of_step = std::max(worst.of_step, distance.of_step);
        worst.of_tasks = std::max(worst.of_tasks, distance.of_tasks);
      }
    }
    fmt::print("farthest from 1: {:.0f} %, of tasks {:.0f} %\n", 100 * worst.of_step, 100 * worst.of_tasks);
  });
}
