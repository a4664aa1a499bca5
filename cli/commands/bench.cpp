#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "cli/allocation_count.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/model_source.hpp"
#include "cli/output/bench_output.hpp"
#include "files/file.hpp"
#include "graphrun/error.hpp"

namespace graphrun::cli {

namespace {

/// A step on a whole batch, whatever shards the model has: the floor is that of one.
SharedModel at_once(SharedModel model) {
  if (!model->train || !model->train->shards) return model;
  auto copy = std::make_shared<ModelDefinition>(*model);
  copy->train->shards.reset();
  return copy;
}

class BenchCommand final : public Command {
 public:
  std::string name() const override { return "bench"; }
  std::string about() const override {
    return "Measures a training step beside its floor: its products, convolutions and update alone.";
  }
  void declare(Arguments& arguments) override {
    arguments.positional("FILE", file_, "the model file");
    arguments.option("--batch", batch_, "N", "images in a batch, instead of the model's");
    arguments.option("--seconds", seconds_, "N", "how long to measure steps (default 2)");
    arguments.flag("--ops", ops_, "also the time of each op of the step");
    arguments.option("--trace", trace_, "FILE", "write what each worker does when, for Perfetto");
    std::string names;
    for (const bench::Optimisation& each : bench::optimisations())
      names += (names.empty() ? "" : ", ") + std::string(each.name);
    arguments.option("--without", without_, "NAME", "switch an optimisation off; repeatable: " + names);
    arguments.flag("--ablate", ablate_, "also the step without each optimisation in turn");
  }

  int run(Context& context) override {
    if (batch_ && *batch_ < 1)
      throw Error(ErrorCode::usage, fmt::format("--batch {}: at least one image", *batch_));
    if (seconds_ && *seconds_ < 1)
      throw Error(ErrorCode::usage, fmt::format("--seconds {}: at least one second", *seconds_));
    if (allocation_count() == nullptr) begin_again_with_allocation_count();
    bench::BenchmarkOptions options;
    options.batch = batch_;
    options.tuning.session = session_options(context.flags);
    options.tuning = bench::without(std::move(options.tuning), without_);
    options.allocation_count = allocation_count();
    options.seconds = static_cast<double>(seconds_.value_or(2));
    const SharedModel model = at_once(model_from_file(file_, context.flags));

    const bench::BenchmarkResult result = bench::run_benchmark(model, options);
    say_if_unsteady(result, context.console);
    files::JsonObject object = json_of(result);
    std::string text = text_of(result);
    if (ops_ || !trace_.empty()) add_profile(bench::profile_step(model, options), object, text);
    if (ablate_) {
      const std::vector<bench::AblationResult> results = bench::run_ablation(model, options);
      object.set("ablation", json_of(results));
      text += text_of(results);
    }
    return answer(context, object, text);
  }

 private:
  static void say_if_unsteady(const bench::BenchmarkResult& result, Console& console) {
    if (result.runs > 1)
      console.warning(fmt::format(
          "the peak moved by more than {:.0f} % while measuring, so it was done {} times; this is the last",
          100 * bench::steady_peak, result.runs));
    if (std::abs(result.peak_change()) > bench::steady_peak)
      console.warning(fmt::format("the peak moved by {:.0f} % meanwhile: the machine was not quiet",
                                  100 * result.peak_change()));
  }

  void add_profile(const bench::StepProfile& profile, files::JsonObject& object, std::string& text) const {
    if (ops_) {
      set_profile(object, profile);
      text += text_of(profile);
    }
    if (trace_.empty()) return;
    files::write_text_file(trace_, trace_of(profile));
    object.set("trace", trace_);
    text += fmt::format("\n{}: open it at https://ui.perfetto.dev\n", trace_);
  }

  std::string file_;
  std::optional<std::int64_t> batch_;
  std::optional<std::int64_t> seconds_;
  bool ops_ = false;
  std::string trace_;
  std::vector<std::string> without_;
  bool ablate_ = false;
};

}  // namespace

std::unique_ptr<Command> bench_command() {
  return std::make_unique<BenchCommand>();
}

}  // namespace graphrun::cli
