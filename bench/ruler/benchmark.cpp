#include "bench/ruler/benchmark.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "bench/ruler/floor.hpp"
#include "bench/ruler/operand.hpp"
#include "runtime/lower/plan.hpp"
#include "runtime/lower/predict.hpp"
#include "runtime/machine/host_state.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/learning_step.hpp"

namespace graphrun::bench {

namespace {

constexpr int turns = 10;

/// What providers allocate in one step: what they run of a plan, each alone, on memory that is large enough
/// for any of it.
class LibraryAllocations {
 public:
  LibraryAllocations(const runtime::Plan& plan, AllocationCount count)
      : plan_(plan), count_(count), largest_(largest_node(plan)) {}

  std::uint64_t of_one_step() {
    const runtime::HostState state;
    std::uint64_t allocations = 0;
    for (const runtime::Unit& unit : plan_.units) {
      if (plan_.implementation(unit).empty()) continue;
      allocations += unit.call == nullptr ? of_product(unit) : of_call(unit);
    }
    return allocations;
  }

 private:
  static std::size_t largest_node(const runtime::Plan& plan) {
    std::size_t largest = 0;
    for (const Node& node : plan.graph->nodes()) largest = std::max(largest, bytes_of_node(node, plan.batch));
    return largest;
  }

  template <class Run>
  std::uint64_t of(Run run) const {
    run();
    const std::uint64_t before = count_();
    run();
    return count_() - before;
  }

  std::uint64_t of_product(const runtime::Unit& unit) {
    const runtime::Matmul& matmul = *plan_.matmuls[unit.matmul];
    Operand scratch(matmul.scratch_bytes(), 5);
    const std::unique_ptr<runtime::BoundMatmul> bound = matmul.bind();
    const runtime::MatmulArguments arguments{.a = a_.floats(),
                                             .b = b_.floats(),
                                             .narrow_a = reinterpret_cast<const runtime::Bf16*>(a_.data()),
                                             .narrow_b = reinterpret_cast<const runtime::Bf16*>(b_.data()),
                                             .bias = bias_.floats(),
                                             .output = output_.floats(),
                                             .scratch = scratch.data(),
                                             .column_sums = column_sums_.floats()};
    return of([&] { bound->run(arguments); });
  }

  std::uint64_t of_call(const runtime::Unit& unit) {
    Operand scratch(unit.call->scratch_bytes(), 5);
    const std::unique_ptr<runtime::CallState> state = unit.call->bind();
    std::vector<const std::byte*> inputs = {a_.data(), b_.data(), bias_.data()};
    inputs.resize(unit.inputs, a_.data());  // a recurrence has seven
    runtime::CallArguments arguments;
    arguments.inputs = inputs;
    arguments.output = output_.data();
    arguments.scratch = scratch.data();
    arguments.row_count = unit.row_count;
    arguments.state = state.get();
    return of([&] { unit.call->run(arguments); });
  }

  const runtime::Plan& plan_;
  AllocationCount count_;
  std::size_t largest_;
  Operand a_{largest_, 1};
  Operand b_{largest_, 2};
  Operand bias_{largest_, 3};
  Operand output_{largest_, 4};
  Operand column_sums_{largest_, 6};
};

/// The floors of all that is done with a batch: of steps that alternate each by its share of the batches.
class SharedFloor {
 public:
  SharedFloor(const std::vector<train::Learner::TrainingStep>& steps, std::int64_t batch) {
    for (const train::Learner::TrainingStep& step : steps)
      parts_.push_back({std::make_unique<Floor>(*step.graph, batch), step.share});
  }

  void measure(double seconds) {
    for (const Part& part : parts_) part.floor->measure(seconds / static_cast<double>(parts_.size()));
  }
  double sum(double (Floor::*figure)() const) const {
    double sum = 0;
    for (const Part& part : parts_) sum += part.share * ((*part.floor).*figure)();
    return sum;
  }

 private:
  struct Part {
    std::unique_ptr<Floor> floor;
    double share;
  };
  std::vector<Part> parts_;
};

/// What providers allocate for a batch.
double library_allocations(const std::vector<train::Learner::TrainingStep>& steps, AllocationCount count) {
  double sum = 0;
  for (const train::Learner::TrainingStep& step : steps)
    sum += step.share * static_cast<double>(LibraryAllocations(*step.plan, count).of_one_step());
  return sum;
}

double predicted(const runtime::Plan& plan, const BenchmarkResult& result) {
  const double peak = (result.peak_gflops_before + result.peak_gflops_after) / 2;
  return runtime::predict_step(plan, static_cast<std::size_t>(result.threads),
                               {.peak = peak / result.threads,
                                .bandwidth = result.memory_gbytes.together,
                                .core_bandwidth = result.memory_gbytes.alone})
             .step_ns() /
         1e3;
}

BenchmarkResult run_once(const std::shared_ptr<const ModelDefinition>& model,
                         const BenchmarkOptions& options) {
  train::Learner learner(model, options.tuning.session, options.tuning.passes);
  learner.training_program();
  BenchmarkResult result;
  result.threads = static_cast<int>(learner.session().threads());
  result.batch = options.batch.value_or(model->train->batch);
  result.isa = to_string(runtime::detected_isa());
  result.provider = to_string(effective(learner.session().provider()));
  result.precision = to_string(learner.session().precision());
  const runtime::Plan& plan = learner.prepare_training(result.batch);
  learner.initialise();
  const std::vector<train::Learner::TrainingStep> steps = learner.training_steps(result.batch);
  SharedFloor floor(steps, result.batch);
  result.flop_per_step = floor.sum(&Floor::flop);
  result.memory_gbytes = options.measure_memory(result.threads, 0.1);
  result.peak_gflops_before = options.measure_peak(result.threads, 0.1);
  StepMeter meter(learner, result.batch, options.allocation_count);
  meter.warm_up(0.1);
  for (int turn = 0; turn < turns; ++turn) {
    meter.warm_up(0.02);  // the floor's operands have taken the caches
    meter.measure(options.seconds / turns);
    floor.measure(options.seconds / turns);
  }
  result.step = meter.times();
  result.matmul_floor_us = floor.sum(&Floor::matmul_us);
  result.convolution_floor_us = floor.sum(&Floor::convolution_us);
  result.update_floor_us = floor.sum(&Floor::update_us);
  if (options.allocation_count != nullptr) {
    const double of_library = library_allocations(steps, options.allocation_count);
    result.library_allocations_per_step = of_library;
    result.allocations_per_step = meter.allocations_per_step() - of_library;
  }
  result.peak_gflops_after = options.measure_peak(result.threads, 0.1);
  if (train::train_of(*model).phases.front().alternate.empty()) result.predicted_us = predicted(plan, result);
  return result;
}

/// A learner with one optimisation off.
struct Variant {
  Variant(const std::shared_ptr<const ModelDefinition>& model, const Tuning& tuning, std::int64_t batch)
      : learner(model, tuning.session, tuning.passes),
        workspace_bytes(learner.prepare_training(batch).statistics.workspace_bytes) {
    learner.initialise();
    meter.emplace(learner, batch);
    for (int step = 0; step < steps_before_digest; ++step) meter->step();
    digest = learner.digest();
  }
  static constexpr int steps_before_digest = 3;

  train::Learner learner;
  std::size_t workspace_bytes;
  std::optional<StepMeter> meter;
  std::string digest;
  std::vector<double> medians;  ///< by turn
};

double median(std::vector<double> values) {
  return summary(std::move(values)).median_us;
}

}  // namespace

BenchmarkResult run_benchmark(std::shared_ptr<const ModelDefinition> model, const BenchmarkOptions& options) {
  for (int run = 1;; ++run) {
    BenchmarkResult result = run_once(model, options);
    result.runs = run;
    if (std::abs(result.peak_change()) <= steady_peak || run >= options.most_runs) return result;
  }
}

std::vector<AblationResult> run_ablation(std::shared_ptr<const ModelDefinition> model,
                                         const BenchmarkOptions& options) {
  const std::int64_t batch = options.batch.value_or(train::train_of(*model).batch);
  std::vector<std::string> names = {""};
  for (const Optimisation& each : optimisations()) names.emplace_back(each.name);
  std::vector<std::unique_ptr<Variant>> variants;
  for (const std::string& name : names) {
    const Tuning tuning = name.empty() ? options.tuning : without(options.tuning, {name});
    variants.push_back(std::make_unique<Variant>(model, tuning, batch));
  }
  for (int turn = 0; turn < turns; ++turn)
    for (const std::unique_ptr<Variant>& variant : variants) {
      variant->meter->warm_up(0.02);  // the other's memory has taken the caches
      variant->meter->measure(options.seconds / turns);
      variant->medians.push_back(variant->meter->last_median_us());
    }
  std::vector<AblationResult> results;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const Variant& variant = *variants[i];
    std::vector<double> ratios;
    for (int turn = 0; turn < turns; ++turn)
      ratios.push_back(variant.medians[static_cast<std::size_t>(turn)] /
                       variants.front()->medians[static_cast<std::size_t>(turn)]);
    results.push_back({.without = names[i],
                       .median_us = median(variant.medians),
                       .best_us = variant.meter->times().best_us,
                       .ratio = median(std::move(ratios)),
                       .same_bits = variant.digest == variants.front()->digest,
                       .workspace_bytes = variant.workspace_bytes});
  }
  return results;
}

}  // namespace graphrun::bench
