#include <fmt/format.h>

#include <cmath>

#include "cli/allocation_count.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/figures_text.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "graphrun/error.hpp"
#include "train/benchmark.hpp"

namespace graphrun::cli {

namespace {

std::string json_of(const train::BenchmarkResult& result) {
  return JsonObject()
             .set("threads", static_cast<std::int64_t>(result.threads))
             .set("batch", result.batch)
             .set("isa", result.isa)
             .set("step_us", JsonObject()
                                 .set("median", result.step.median_us)
                                 .set("best", result.step.best_us)
                                 .set("p95", result.step.p95_us))
             .set("floor_us", JsonObject()
                                  .set("matmul", result.matmul_floor_us)
                                  .set("update", result.update_floor_us)
                                  .set("total", result.floor_us()))
             .set("ratio", result.ratio())
             .set("gflops", result.gflops())
             .set("images_per_s", result.images_per_s())
             .set(
                 "peak_gflops",
                 JsonObject().set("before", result.peak_gflops_before).set("after", result.peak_gflops_after))
             .set("allocations_per_step", result.allocations_per_step)
             .text() +
         "\n";
}

std::string text_of(const train::BenchmarkResult& result) {
  return fmt::format(
      "batch {}, {} threads, {}\n"
      "  step    {:.1f} us median, {:.1f} best, {:.1f} p95; {} images/s, {:.1f} GFLOP/s\n"
      "  floor   {:.1f} us on one core: {:.1f} matrix products, {:.1f} optimizer\n"
      "  ratio   {:.2f}\n"
      "  peak    {:.0f} GFLOP/s before, {:.0f} after\n"
      "  allocations per step {:.1f}, and {:.1f} of oneDNN's own\n",
      result.batch, result.threads, result.isa, result.step.median_us, result.step.best_us,
      result.step.p95_us, grouped(static_cast<std::int64_t>(result.images_per_s())), result.gflops(),
      result.floor_us(), result.matmul_floor_us, result.update_floor_us, result.ratio(),
      result.peak_gflops_before, result.peak_gflops_after, result.allocations_per_step,
      result.library_allocations_per_step);
}

class BenchCommand final : public Command {
 public:
  std::string name() const override { return "bench"; }
  std::string about() const override {
    return "Measures a training step beside the floor: its matrix products and one optimizer pass, alone.";
  }
  void declare(Arguments& arguments) override {
    arguments.positional("FILE", file_, "the model file");
    arguments.option("--batch", batch_, "N", "images in a batch, instead of the model's");
    arguments.option("--seconds", seconds_, "N", "how long to measure steps (default 2)");
  }
  int run(Context& context) override {
    if (batch_ && *batch_ < 1)
      throw Error(ErrorCode::usage, fmt::format("--batch {}: at least one image", *batch_));
    if (seconds_ && *seconds_ < 1)
      throw Error(ErrorCode::usage, fmt::format("--seconds {}: at least one second", *seconds_));
    train::BenchmarkOptions options;
    options.batch = batch_;
    options.session = session_options(context.flags);
    options.allocation_count = allocation_count;
    options.seconds = static_cast<double>(seconds_.value_or(2));
    const train::BenchmarkResult result =
        train::run_benchmark(model_from_file(file_, context.flags), options);
    const double change = result.peak_gflops_after / result.peak_gflops_before - 1;
    if (std::abs(change) > 0.05)
      context.console.warning(
          fmt::format("the peak moved by {:.0f} % meanwhile: the machine was not quiet", 100 * change));
    context.console.result(context.flags.json ? json_of(result) : text_of(result));
    return exit_code(ExitCode::ok);
  }

 private:
  std::string file_;
  std::optional<std::int64_t> batch_;
  std::optional<std::int64_t> seconds_;
};

}  // namespace

std::unique_ptr<Command> bench_command() {
  return std::make_unique<BenchCommand>();
}

}  // namespace graphrun::cli
