#include "runtime/lower/plan.hpp"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <span>
#include <sstream>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "cli/output/figures_text.hpp"
#include "ops/op.hpp"
#include "runtime/lower/lower.hpp"
#include "runtime/lower/predict.hpp"
#include "runtime/products/provider.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::cli {

namespace {

constexpr std::size_t most_cores = 4096;

std::int64_t whole(std::size_t value) {
  return static_cast<std::int64_t>(value);
}

class PlanCommand final : public Command {
 public:
  std::string name() const override { return "plan"; }
  std::string about() const override {
    return "Says what a training step takes: parameters, FLOP, memory, tasks. Allocates and runs nothing.";
  }
  void declare(Arguments& arguments) override {
    arguments.positional("FILE", file_, "the model file");
    arguments.option("--batch", batch_, "N", "images in a batch, instead of the model's");
    arguments.flag("--groups", groups_, "also the groups of nodes that run together");
    arguments.option("--cores", cores_, "N,…", "also how long a step would take on so many cores");
    arguments.option(
        "--peak", peak_, "GFLOP/S",
        "of one core, for --cores: what `bench` prints with --threads 1; 100 when it is not said");
    arguments.option("--bandwidth", bandwidth_, "GB/S",
                     "of the memory, for --cores: what `bench` prints; 100 when it is not said");
    arguments.option("--core-bandwidth", core_bandwidth_, "GB/S",
                     "of it what one core alone reaches; 30 when it is not said");
  }
  int run(Context& context) override {
    const SharedModel model = model_from_file(file_, context.flags);
    std::vector<PlannedStep> steps;
    lowering_ = session_options(context.flags).lowering;
    passes_.precision = lowering_.precision.value_or(model->precision());
    lowering_.precision = passes_.precision;
    runtime::require(passes_.precision);
    passes_.budget = std::make_shared<Budget>(model->budget);
    const std::vector<std::size_t> cores = cores_of(cores_);
    for (const auto& [name, rate] :
         {std::pair("--peak", peak_), {"--bandwidth", bandwidth_}, {"--core-bandwidth", core_bandwidth_}}) {
      if (rate && cores.empty())
        throw Error(ErrorCode::usage,
                    fmt::format("{} is for a prediction; say for which cores with --cores 1,2,4", name));
      if (rate && *rate < 1)
        throw Error(ErrorCode::usage,
                    fmt::format("{} {} is nothing to compute with; write such as 100", name, *rate));
    }
    for (const train::BatchSteps& of_batch : train::steps_of_phases(*model, ops::registry()))
      plan_steps(of_batch, model->train->phases[of_batch.phase].batch, cores, steps);
    for (const PlannedStep& step : steps)
      for (const std::string& warning : step.plan->warnings) context.console.warning(warning);
    return answer(context, as_json(steps), as_text(steps));
  }

 private:
  /// A step on so many cores. The first of a list is that of one core, which the others are held against.
  struct CorePrediction {
    std::size_t cores;
    std::size_t slices;
    runtime::Prediction time;
  };

  struct PlannedStep {
    std::string name;  ///< of the phase, the layer, the step; empty when it is all there is
    std::shared_ptr<const runtime::Plan> plan;
    std::vector<CorePrediction> on_cores;  ///< of --cores, behind that of one core
  };

  /// "1,2,4".
  static std::vector<std::size_t> cores_of(const std::string& text) {
    std::vector<std::size_t> cores;
    std::istringstream words(text);
    for (std::string word; std::getline(words, word, ',');) {
      std::size_t count = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
      if (error != std::errc() || end != word.data() + word.size() || count < 1 || count > most_cores)
        throw Error(ErrorCode::usage,
                    fmt::format("--cores {}: '{}' is no number of cores; write such as 1,2,4,8 (at most {})",
                                text, word, most_cores));
      cores.push_back(count);
    }
    return cores;
  }

  void plan_steps(const train::BatchSteps& of_batch, std::int64_t batch,
                  const std::vector<std::size_t>& cores, std::vector<PlannedStep>& steps) const {
    for (std::size_t i = 0; i < of_batch.steps.size(); ++i) {
      const train::Program program = train::training_program(of_batch.steps[i], ops::registry(), passes_);
      std::string name = of_batch.name;
      if (of_batch.steps.size() > 1) name += fmt::format("{}step {}", name.empty() ? "" : ", ", i + 1);
      const auto plan_for = [&](std::size_t workers) {
        runtime::LoweringOptions options = lowering_;
        options.workers = workers;
        return runtime::lower(program.graph, batch_.value_or(batch), ops::kernels(), options);
      };
      PlannedStep step{std::move(name), plan_for(lowering_.workers), {}};
      if (!cores.empty()) step.on_cores.push_back(predicted(*plan_for(1), 1));
      for (const std::size_t count : cores) step.on_cores.push_back(predicted(*plan_for(count), count));
      steps.push_back(std::move(step));
    }
  }

  CorePrediction predicted(const runtime::Plan& plan, std::size_t cores) const {
    return {cores, plan.statistics.slices, runtime::predict_step(plan, cores, rates())};
  }

  runtime::MachineRates rates() const {
    runtime::MachineRates given;
    if (peak_) given.peak = static_cast<double>(*peak_);
    if (bandwidth_) given.bandwidth = static_cast<double>(*bandwidth_);
    if (core_bandwidth_) given.core_bandwidth = static_cast<double>(*core_bandwidth_);
    return given;
  }

  static files::JsonObject json_of(const runtime::PlanStatistics& statistics) {
    return files::JsonObject()
        .set("parameters", statistics.parameters)
        .set("flop_per_step", statistics.flop_per_step)
        .set("workspace_bytes", whole(statistics.workspace_bytes))
        .set("scratch_bytes_per_worker", whole(statistics.scratch_bytes_per_worker))
        .set("tasks", whole(statistics.tasks))
        .set("max_parallelism", whole(statistics.max_parallelism))
        .set("compile_ms", statistics.compile_ms);
  }

  static files::JsonObject json_of(const PlannedStep& step) {
    files::JsonObject object = json_of(step.plan->statistics);
    if (step.on_cores.empty()) return object;
    files::JsonArray predictions;
    for (const CorePrediction& one : std::span(step.on_cores).subspan(1))
      predictions.add(files::JsonObject()
                          .set("cores", whole(one.cores))
                          .set("slices", whole(one.slices))
                          .set("step_us", one.time.step_ns() / 1e3)
                          .set("speed_up", step.on_cores.front().time.step_ns() / one.time.step_ns())
                          .set("memory_us", one.time.memory_ns / 1e3)
                          .set("bound", one.time.bound_by_memory() ? "memory" : "tasks"));
    return object.set("predictions", predictions);
  }

  /// Of the first step; where there are several, all of them in a list.
  static files::JsonObject as_json(const std::vector<PlannedStep>& steps) {
    files::JsonObject object = json_of(steps.front());
    if (steps.size() > 1) {
      files::JsonArray all;
      for (const PlannedStep& step : steps) all.add(json_of(step).set("name", step.name));
      object.set("steps", all);
    }
    return object;
  }

  std::string as_text(const std::vector<PlannedStep>& steps) const {
    std::string text;
    for (const PlannedStep& step : steps)
      text += (step.name.empty() ? "" : step.name + ": ") + as_text(*step.plan) + predictions_text(step);
    return text;
  }

  std::string predictions_text(const PlannedStep& step) const {
    if (step.on_cores.empty()) return {};
    std::string text = "\n  cores    step, ms   speed-up   slices\n";
    const double alone = step.on_cores.front().time.step_ns();
    for (const CorePrediction& one : std::span(step.on_cores).subspan(1))
      text += fmt::format("  {:<7}{:10.3f} {:10.2f} {:8}{}\n", one.cores, one.time.step_ns() / 1e6,
                          alone / one.time.step_ns(), one.slices,
                          one.time.bound_by_memory() ? "   bound by the memory" : "");
    const double memory_ms = step.on_cores.front().time.memory_ns / 1e6;
    return text +
           fmt::format(
               "  for cores of {} GFLOP/s (--peak) and {} GB/s (--core-bandwidth), and a memory of {} GB/s\n"
               "  (--bandwidth), which needs {:.3f} ms at least\n",
               rates().peak, rates().core_bandwidth, rates().bandwidth, memory_ms);
  }

  std::string as_text(const runtime::Plan& plan) const {
    const runtime::PlanStatistics& s = plan.statistics;
    std::string text = fmt::format(
        "one training step of {} images\n"
        "  parameters    {}\n"
        "  work          {:.2f} MFLOP\n"
        "  workspace     {} KB, and {} KB for each worker\n"
        "  tasks         {}, in {} groups and {} slices\n"
        "  cores         up to {} can be used: so many tasks run at once\n"
        "  compiled in   {:.1f} ms\n",
        plan.batch, files::grouped(s.parameters), s.flop_per_step / 1e6,
        files::grouped(whole(s.workspace_bytes / 1000)),
        files::grouped(whole(s.scratch_bytes_per_worker / 1000)), s.tasks, s.groups, s.slices,
        s.max_parallelism, s.compile_ms);
    return groups_ ? text + "\n" + groups_text(plan) : text;
  }

  /// Each group, and who runs it where that is a provider.
  static std::string groups_text(const runtime::Plan& plan) {
    std::istringstream lines(plan.groups);
    std::string text;
    std::size_t group = 0;
    for (std::string line; std::getline(lines, line); ++group) {
      const std::string& primitive = plan.implementations[group];
      text += primitive.empty() ? line + "\n" : fmt::format("{} by {}\n", line, primitive);
    }
    return text;
  }

  std::string file_;
  std::optional<std::int64_t> batch_;
  bool groups_ = false;
  std::string cores_;
  std::optional<std::int64_t> peak_;
  std::optional<std::int64_t> bandwidth_;
  std::optional<std::int64_t> core_bandwidth_;
  PassOptions passes_;
  runtime::LoweringOptions lowering_;
};

}  // namespace

std::unique_ptr<Command> plan_command() {
  return std::make_unique<PlanCommand>();
}

}  // namespace graphrun::cli
