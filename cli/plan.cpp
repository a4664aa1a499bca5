#include "runtime/plan.hpp"

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/figures_text.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "ops/list.hpp"
#include "runtime/lower.hpp"
#include "train/programs.hpp"

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
    const train::Program program = train::training_program(*model, ops::registry());
    const auto plan = runtime::lower(program.graph, batch_.value_or(model->train->batch), ops::kernels());
    for (const std::string& warning : plan->warnings) context.console.warning(warning);
    context.console.result(context.flags.json ? as_json(plan->statistics) : as_text(*plan));
    return exit_code(ExitCode::ok);
  }

 private:
  static std::string as_json(const runtime::PlanStatistics& statistics) {
    return JsonObject()
               .set("parameters", statistics.parameters)
               .set("flop_per_step", statistics.flop_per_step)
               .set("workspace_bytes", whole(statistics.workspace_bytes))
               .set("scratch_bytes_per_worker", whole(statistics.scratch_bytes_per_worker))
               .set("tasks", whole(statistics.tasks))
               .set("max_parallelism", whole(statistics.max_parallelism))
               .set("compile_ms", statistics.compile_ms)
               .text() +
           "\n";
  }

  std::string as_text(const runtime::Plan& plan) const {
    const runtime::PlanStatistics& s = plan.statistics;
    std::string text = fmt::format(
        "one training step of {} images\n"
        "  parameters    {}\n"
        "  work          {:.2f} MFLOP\n"
        "  workspace     {} KB, and {} KB for each worker\n"
        "  tasks         {}, in {} groups and {} slices\n"
        "  parallelism   up to {} tasks at once\n"
        "  compiled in   {:.1f} ms\n",
        plan.batch, grouped(s.parameters), s.flop_per_step / 1e6, grouped(whole(s.workspace_bytes / 1000)),
        grouped(whole(s.scratch_bytes_per_worker / 1000)), s.tasks, s.groups, s.slices, s.max_parallelism,
        s.compile_ms);
    return groups_ ? text + "\n" + plan.groups : text;
  }

  std::string file_;
  std::optional<std::int64_t> batch_;
  bool groups_ = false;
};

}  // namespace

std::unique_ptr<Command> plan_command() {
  return std::make_unique<PlanCommand>();
}

}  // namespace graphrun::cli
