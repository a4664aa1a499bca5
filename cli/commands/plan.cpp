#include "runtime/lower/plan.hpp"

#include <fmt/format.h>

#include <memory>
#include <sstream>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "cli/output/figures_text.hpp"
#include "ops/op.hpp"
#include "runtime/lower/lower.hpp"
#include "runtime/products/provider.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::cli {

namespace {

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
  }
  int run(Context& context) override {
    const SharedModel model = model_from_file(file_, context.flags);
    std::vector<PlannedStep> steps;
    lowering_ = session_options(context.flags).lowering;
    passes_.precision = lowering_.precision.value_or(model->precision());
    lowering_.precision = passes_.precision;
    runtime::require(passes_.precision);
    passes_.budget = std::make_shared<Budget>(model->budget);
    for (const train::BatchSteps& of_batch : train::steps_of_phases(*model, ops::registry()))
      plan_steps(of_batch, model->train->phases[of_batch.phase].batch, steps);
    for (const PlannedStep& step : steps)
      for (const std::string& warning : step.plan->warnings) context.console.warning(warning);
    return answer(context, as_json(steps), as_text(steps));
  }

 private:
  struct PlannedStep {
    std::string name;  ///< of the phase, the layer, the step; empty when it is all there is
    std::shared_ptr<const runtime::Plan> plan;
  };

  void plan_steps(const train::BatchSteps& of_batch, std::int64_t batch,
                  std::vector<PlannedStep>& steps) const {
    for (std::size_t i = 0; i < of_batch.steps.size(); ++i) {
      const train::Program program = train::training_program(of_batch.steps[i], ops::registry(), passes_);
      std::string name = of_batch.name;
      if (of_batch.steps.size() > 1) name += fmt::format("{}step {}", name.empty() ? "" : ", ", i + 1);
      steps.push_back({std::move(name),
                       runtime::lower(program.graph, batch_.value_or(batch), ops::kernels(), lowering_)});
    }
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

  /// Of the first step; where there are several, all of them in a list.
  static files::JsonObject as_json(const std::vector<PlannedStep>& steps) {
    files::JsonObject object = json_of(steps.front().plan->statistics);
    if (steps.size() > 1) {
      files::JsonArray all;
      for (const PlannedStep& step : steps) all.add(json_of(step.plan->statistics).set("name", step.name));
      object.set("steps", all);
    }
    return object;
  }

  std::string as_text(const std::vector<PlannedStep>& steps) const {
    std::string text;
    for (const PlannedStep& step : steps)
      text += (step.name.empty() ? "" : step.name + ": ") + as_text(*step.plan);
    return text;
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
  PassOptions passes_;
  runtime::LoweringOptions lowering_;
};

}  // namespace

std::unique_ptr<Command> plan_command() {
  return std::make_unique<PlanCommand>();
}

}  // namespace graphrun::cli
