// The ruler itself: off-switches that change no bit, times that fit together, runs that are repeated. How
// long anything takes is not asserted.
#include "bench/ruler/benchmark.hpp"
#include "bench/ruler/floor.hpp"
#include "bench/ruler/step_profile.hpp"
#include "runtime/execute/session.hpp"
#include "runtime/products/tiled_matmul.hpp"
#include "tests/runtime/network.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/provider.hpp"
#include "tests/support/same_bits.hpp"
#include "tests/support/thrown.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"

using namespace graphrun;
using namespace graphrun::bench;
using namespace graphrun::train;
using graphrun::testing::same_bits;
using graphrun::testing::throws;

namespace {

/// Large enough for slices, shared work and gradients in pieces, and with something for every pass.
SharedDefinition model() {
  static const SharedDefinition made = parse_definition(
      "graphrun: 1\n"
      "name: bench\n"
      "inputs:\n"
      "  x: {shape: [batch, 784]}\n"
      "nodes:\n"
      "  noisy: {op: gaussian_noise, in: x, amount: 0.1}\n"
      "  enc: {op: dense, in: noisy, units: 300, act: tanh}\n"
      "  code: {op: dense, in: enc, units: 20, act: relu}\n"
      "  same: code * 1 + 0\n"
      "  dec: {op: dense, in: same, units: 300, act: softplus}\n"
      "  recon: {op: dense, in: dec, units: 784, act: sigmoid}\n"
      "loss:\n"
      "  bce: {op: bce, in: [recon, x]}\n"
      "  sparse: {of: \"sum(sqrt(2) * abs(code) + abs(code), axis=1)\", weight: 0.01}\n"
      "train: {optimizer: {op: adam, lr: 1.0e-3}, batch: 80, epochs: 1, seed: 3}\n",
      "bench.yaml");
  return made;
}

Tuning with_threads(int threads) {
  Tuning tuning;
  tuning.session.threads = threads;
  tuning.session.executor = threads == 1 ? runtime::ExecutorKind::serial : runtime::ExecutorKind::threads;
  return tuning;
}

/// Every bit that training leaves behind, after a few steps.
std::vector<float> trained(const Tuning& tuning) {
  Learner learner(model(), tuning.session, tuning.passes);
  learner.prepare_training(80);
  learner.initialise();
  StepMeter meter(learner, 80);
  for (int step = 0; step < 4; ++step) meter.step();
  std::vector<float> values;
  for (const auto* variable : std::as_const(learner).variables().all())
    values.insert(values.end(), variable->values.begin(), variable->values.end());
  return values;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, static_cast<double>(std::abs(a[i] - b[i])));
  return largest;
}

BenchmarkOptions quick() {
  BenchmarkOptions options;
  options.tuning = with_threads(3);
  options.seconds = 0.02;
  options.measure_memory = [](int, double) { return MemoryRates{20, 30}; };
  return options;
}

}  // namespace

TEST_CASE("every plan trains to the same bits at any number of threads, whatever is off") {
  const std::vector<float> full = trained(with_threads(1));
  for (const Optimisation& each : optimisations()) {
    CAPTURE(std::string(each.name));
    const std::vector<float> one = trained(without(with_threads(1), {std::string(each.name)}));
    const std::vector<float> three = trained(without(with_threads(3), {std::string(each.name)}));
    CHECK(same_bits(one, three));
    CHECK(largest_difference(one, full) < 1e-3);
    if (graphrun::testing::products_in_tiles()) CHECK(same_bits(one, full) == each.same_bits);
  }
}

TEST_CASE("every off-switch switches something off") {
  const auto plan_of = [](const Tuning& tuning) {
    Learner learner(model(), tuning.session, tuning.passes);
    const runtime::Plan& plan = learner.prepare_training(80);
    std::string text = plan.groups + std::to_string(learner.training_graph().size()) + "\n";
    for (const runtime::Unit& unit : plan.units)
      text += std::to_string(unit.node) + " " + std::to_string(unit.row_count) + "\n";
    text += std::to_string(plan.statistics.workspace_bytes) + " ";
    for (const std::uint32_t product : plan.products) text += plan.matmuls[product]->implementation() + " ";
    return text;
  };
  const std::string full = plan_of(with_threads(1));
  for (const Optimisation& each : optimisations()) {
    CAPTURE(std::string(each.name));
    if (each.name == "tiles" && !graphrun::testing::products_in_tiles()) continue;
    if (each.name == "fused_update" && runtime::detected_isa() == runtime::Isa::baseline) continue;
    const Tuning tuning = without(with_threads(1), {std::string(each.name)});
    const bool pages_differ = tuning.session.pages != runtime::Pages::large;
    CHECK((pages_differ || plan_of(tuning) != full));
  }
}

TEST_CASE("an unknown optimisation is refused with the nearest name") {
  CHECK(throws([] { without({}, {"slicin"}); }, ErrorCode::usage,
               "there is no optimisation 'slicin'. Did you mean 'slicing'?"));
  CHECK(throws([] { without({}, {"qqqqqqqq"}); }, ErrorCode::usage, "There are: "));
}

TEST_CASE("a profile has every unit once a step, in its lane and after what it waits for") {
  for (const int threads : {1, 3}) {
    CAPTURE(threads);
    BenchmarkOptions options = quick();
    options.tuning = with_threads(threads);
    const StepProfile profile = profile_step(model(), options);
    REQUIRE(!profile.trace.empty());
    CHECK(profile.threads == threads);
    const std::uint32_t steps = profile.trace.back().step + 1;
    std::size_t units = 0;
    for (const OpTime& op : profile.ops) {
      units += op.units;
      CHECK(op.us > 0);
    }
    CHECK(profile.trace.size() == units * steps);
    std::vector<std::vector<std::pair<std::int64_t, std::int64_t>>> lanes(static_cast<std::size_t>(threads));
    std::vector<std::int64_t> begin(profile.waits_for.size() * steps, INT64_MAX);
    std::vector<std::int64_t> end(begin.size(), 0);
    for (const TracedUnit& unit : profile.trace) {
      REQUIRE(unit.worker < lanes.size());
      REQUIRE(unit.begin_ns <= unit.end_ns);
      lanes[unit.worker].emplace_back(unit.begin_ns, unit.end_ns);
      const std::size_t task = unit.step * profile.waits_for.size() + unit.task;
      begin[task] = std::min(begin[task], unit.begin_ns);
      end[task] = std::max(end[task], unit.end_ns);
    }
    std::size_t late = 0;
    for (auto& lane : lanes) {
      std::sort(lane.begin(), lane.end());
      for (std::size_t i = 1; i < lane.size(); ++i) late += lane[i].first < lane[i - 1].second ? 1U : 0U;
    }
    CHECK(late == 0);  // lanes do not overlap
    std::size_t waits = 0;
    for (std::size_t step = 0; step < steps; ++step)
      for (std::size_t task = 0; task < profile.waits_for.size(); ++task)
        for (const std::uint32_t before : profile.waits_for[task]) {
          ++waits;
          late +=
              begin[step * profile.waits_for.size() + task] < end[step * profile.waits_for.size() + before]
                  ? 1U
                  : 0U;
        }
    CHECK(late == 0);
    CHECK(waits > 0);
  }
}

TEST_CASE("the times of an op are those of one step") {
  BenchmarkOptions options = quick();
  options.tuning = with_threads(1);
  const StepProfile profile = profile_step(model(), options);
  double busy = 0;
  for (const OpTime& op : profile.ops) busy += op.us;
  // On one worker the parts fill the step, but for medians that need not add up: on a busy machine a step's
  // is a multiple of theirs. That parts lie within their step is checked above, exactly.
  CHECK(busy < 1.5 * profile.step_us);
  CHECK(busy > 0.05 * profile.step_us);
  const auto product = std::find_if(profile.ops.begin(), profile.ops.end(),
                                    [](const OpTime& op) { return op.kind == "product"; });
  REQUIRE(product != profile.ops.end());
  CHECK(product->gflops > 0);
}

TEST_CASE("nothing is timed unless somebody asks, and nothing after that") {
  Learner learner(model(), with_threads(1).session);
  const runtime::Plan& plan = learner.prepare_training(80);
  learner.initialise();
  StepMeter meter(learner, 80);
  std::vector<runtime::UnitTime> times;
  learner.session().time_units(learner.training_program(), &times);
  meter.step();
  CHECK(times.size() == plan.units.size());
  learner.session().time_units(learner.training_program(), nullptr);
  times.clear();
  meter.step();
  CHECK(times.empty());
}

TEST_CASE("a run whose peak moves is repeated, and not for ever") {
  std::vector<double> peaks = {100, 90, 100, 98};
  BenchmarkOptions options = quick();
  options.measure_peak = [&](int threads, double) {
    CHECK(threads == 3);
    const double peak = peaks.front();
    peaks.erase(peaks.begin());
    return peak;
  };
  const BenchmarkResult moved_once = run_benchmark(model(), options);
  CHECK(moved_once.runs == 2);
  CHECK(moved_once.peak_gflops_before == 100);
  CHECK(moved_once.peak_gflops_after == 98);
  peaks = {100, 106, 100, 106, 100, 106, 1, 1};
  const BenchmarkResult moves_always = run_benchmark(model(), options);
  CHECK(moves_always.runs == 3);
  CHECK(moves_always.peak_change() > steady_peak);
}

TEST_CASE("a prediction is for the memory that was measured") {
  const auto measured = [](double alone, double together) {
    BenchmarkOptions options = quick();
    options.measure_peak = [](int, double) { return 300.0; };
    options.measure_memory = [=](int threads, double) {
      CHECK(threads == 3);
      return MemoryRates{alone, together};
    };
    return run_benchmark(model(), options);
  };
  const BenchmarkResult usual = measured(20, 30);
  CHECK(usual.memory_gbytes.alone == 20);
  CHECK(usual.memory_gbytes.together == 30);
  CHECK(measured(2e-3, 3e-3).predicted_us.value() > 100 * usual.predicted_us.value());
  const MemoryRates here = measure_memory(2, 0.02);
  CHECK(here.alone > 0);
  CHECK(here.together > 0);
  CHECK(measure_memory(1, 0.01).alone > 0);
}

TEST_CASE("a benchmark's figures follow from each other") {
  const BenchmarkResult result = run_benchmark(model(), quick());
  CHECK(result.batch == 80);
  CHECK(result.threads == 3);
  CHECK(result.step.best_us <= result.step.median_us);
  CHECK(result.step.median_us <= result.step.p95_us);
  CHECK(result.matmul_floor_us > 0);
  CHECK(result.update_floor_us > 0);
  // Forward, weight gradients, and data gradients but the first layer's.
  const double sizes = 2.0 * (784 * 300 + 300 * 20);
  CHECK(result.flop_per_step == 2 * 80 * (3 * sizes - 784 * 300));
}

TEST_CASE("the floor of a convolutional net has its convolutions and their gradients") {
  const SharedDefinition convolutional = parse_definition(
      "graphrun: 1\n"
      "name: small\n"
      "inputs:\n"
      "  x: {shape: [batch, 8, 8, 1]}\n"
      "nodes:\n"
      "  a: {op: conv2d, in: x, channels: 4, kernel: 3, pad: 1, bias: false}\n"
      "  b: {op: conv2d, in: a, channels: 2, kernel: 3, pad: 1, bias: false}\n"
      "loss:\n"
      "  size: mean(b ** 2)\n"
      "train: {optimizer: {op: sgd, lr: 0.1}, batch: 16, epochs: 1}\n",
      "small.yaml");
  Learner learner(convolutional, with_threads(1).session);
  learner.prepare_training(16);
  Floor floor(learner.training_graph(), 16);
  // Forward and weight gradient of both, and the data gradient of the second; with the margin.
  const double first = 2.0 * 16 * 64 * 9 * 4;
  const double second = 2.0 * 16 * 64 * 9 * 8;
  CHECK(floor.flop() == 2 * first + 3 * second);
  floor.measure(0.01);
  CHECK(floor.convolution_us() > 0);
  CHECK(floor.matmul_us() == 0);
}

TEST_CASE("of steps that alternate each counts by its share of the batches") {
  const auto measured = [](const std::string& every) {
    const SharedDefinition players = parse_definition(
        "graphrun: 1\n"
        "name: players\n"
        "inputs:\n"
        "  x: {shape: [batch, 8, 8, 1]}\n"
        "nodes:\n"
        "  a: {op: conv2d, in: x, channels: 16, kernel: 3, pad: 1}\n"
        "  b: {op: conv2d, in: a, channels: 16, kernel: 3, pad: 1}\n"
        "loss:\n"
        "  first: mean(a ** 2)\n"
        "  second: mean(b ** 2)\n"
        "train:\n"
        "  optimizer: {op: sgd, lr: 0.1}\n"
        "  batch: 16\n"
        "  epochs: 1\n"
        "  alternate: [{train: [a], loss: [first]}, {train: [b], loss: [second], every: " +
            every + "}]\n",
        "players.yaml");
    BenchmarkOptions options;
    options.tuning = with_threads(1);
    options.seconds = 0.02;
    options.measure_peak = [](int, double) { return 100.0; };
    options.measure_memory = quick().measure_memory;
    return run_benchmark(players, options);
  };
  const double first = 2 * 2.0 * 16 * 64 * 9 * 16;                // forward, weight gradient
  const double second = first / 2 + 2 * 2.0 * 16 * 64 * 9 * 256;  // both forward, its own weight gradient
  CHECK(measured("1").flop_per_step == first + second);
  CHECK(measured("4").flop_per_step == first + second / 4);
  CHECK(measured("4").floor_us() < measured("1").floor_us());
}

TEST_CASE("an ablation has a row for each optimisation") {
  const std::vector<AblationResult> results = run_ablation(model(), quick());
  REQUIRE(results.size() == optimisations().size() + 1);
  CHECK(results.front().without.empty());
  CHECK(results.front().ratio == 1);
  for (std::size_t i = 1; i < results.size(); ++i) {
    CAPTURE(results[i].without);
    CHECK(results[i].without == optimisations()[i - 1].name);
    if (graphrun::testing::products_in_tiles())
      CHECK(results[i].same_bits == optimisations()[i - 1].same_bits);
  }
}
