#include "cli/output/bench_output.hpp"

#include <fmt/format.h>

#include "cli/output/figures_text.hpp"

namespace graphrun::cli {

namespace {

double share_of(const bench::StepProfile& profile, double us) {
  return us / (profile.step_us * profile.threads);
}

}  // namespace

files::JsonObject json_of(const bench::BenchmarkResult& result) {
  return files::JsonObject()
      .set("threads", result.threads)
      .set("batch", result.batch)
      .set("isa", result.isa)
      .set("provider", result.provider)
      .set("precision", result.precision)
      .set("step_us", files::JsonObject()
                          .set("median", result.step.median_us)
                          .set("best", result.step.best_us)
                          .set("p95", result.step.p95_us))
      .set("floor_us", files::JsonObject()
                           .set("matmul", result.matmul_floor_us)
                           .set("convolution", result.convolution_floor_us)
                           .set("update", result.update_floor_us)
                           .set("total", result.floor_us()))
      .set("ratio", result.ratio())
      .set("gflops", result.gflops())
      .set("steps_per_s", result.steps_per_s())
      .set("images_per_s", result.images_per_s())
      .set(
          "peak_gflops",
          files::JsonObject().set("before", result.peak_gflops_before).set("after", result.peak_gflops_after))
      .set("memory_gbytes_per_s", files::JsonObject()
                                      .set("one_core", result.memory_gbytes.alone)
                                      .set("together", result.memory_gbytes.together))
      .set("predicted_us", result.predicted_us)
      .set("runs", result.runs)
      .set("allocations_per_step", result.allocations_per_step)
      .set("library_allocations_per_step", result.library_allocations_per_step);
}

std::string text_of(const bench::BenchmarkResult& result) {
  const std::string convolutions = result.convolution_floor_us > 0
                                       ? fmt::format("{:.1f} convolutions, ", result.convolution_floor_us)
                                       : "";
  const std::string allocations =
      result.allocations_per_step
          ? fmt::format("{:.1f}, and {:.1f} of oneDNN's own", *result.allocations_per_step,
                        *result.library_allocations_per_step)
          : "not counted: libgraphrun_allocations.so is not there";
  const std::string predicted =
      result.predicted_us
          ? fmt::format("; a step is predicted to take {:.1f} us there, and takes {:.2f} of it",
                        *result.predicted_us, result.step.median_us / *result.predicted_us)
          : "";
  return fmt::format(
      "batch {}, {} thread{}, {}, provider {}, precision {}\n"
      "  step    {:.1f} us median, {:.1f} best, {:.1f} p95; {} steps/s, {} images/s, {:.1f} GFLOP/s\n"
      "  floor   {:.1f} us on one core: {:.1f} matrix products, {}{:.1f} optimizer\n"
      "  ratio   {:.2f}\n"
      "  peak    {:.0f} GFLOP/s before, {:.0f} after{}\n"
      "  memory  {:.0f} GB/s of one core, {:.0f} of all together\n"
      "  allocations per step {}\n",
      result.batch, result.threads, result.threads == 1 ? "" : "s", result.isa, result.provider,
      result.precision, result.step.median_us, result.step.best_us, result.step.p95_us,
      files::grouped(static_cast<std::int64_t>(result.steps_per_s())),
      files::grouped(static_cast<std::int64_t>(result.images_per_s())), result.gflops(), result.floor_us(),
      result.matmul_floor_us, convolutions, result.update_floor_us, result.ratio(), result.peak_gflops_before,
      result.peak_gflops_after, predicted, result.memory_gbytes.alone, result.memory_gbytes.together,
      allocations);
}

void set_profile(files::JsonObject& object, const bench::StepProfile& profile) {
  files::JsonArray ops;
  for (const bench::OpTime& op : profile.ops)
    ops.add(files::JsonObject()
                .set("kind", op.kind)
                .set("node", op.node)
                .set("units", op.units)
                .set("us", op.us)
                .set("share", share_of(profile, op.us))
                .set("gflops", op.gflops));
  object.set("ops", ops).set("idle_us", profile.idle_us);
}

std::string text_of(const bench::StepProfile& profile) {
  std::string text = fmt::format(
      "\nwhere the time of {} worker{} goes, in a step of {:.1f} us while each part is timed\n"
      "  {:>9}  {:>6}  {:>5}  {:>8}  what\n",
      profile.threads, profile.threads == 1 ? "" : "s", profile.step_us, "us", "share", "parts", "GFLOP/s");
  for (const bench::OpTime& op : profile.ops)
    text += fmt::format("  {:9.1f}  {:5.1f}%  {:5}  {:>8}  {} {}\n", op.us, 100 * share_of(profile, op.us),
                        op.units, op.gflops > 0 ? fmt::format("{:.0f}", op.gflops) : "", op.kind, op.node);
  return text + fmt::format("  {:9.1f}  {:5.1f}%  {:5}  {:>8}  waiting, and handing on tasks\n",
                            profile.idle_us, 100 * share_of(profile, profile.idle_us), "", "");
}

files::JsonArray json_of(std::span<const bench::AblationResult> results) {
  files::JsonArray all;
  for (const bench::AblationResult& result : results)
    all.add(files::JsonObject()
                .set("without", result.without)
                .set("median_us", result.median_us)
                .set("best_us", result.best_us)
                .set("ratio", result.ratio)
                .set("same_bits", result.same_bits)
                .set("workspace_bytes", result.workspace_bytes));
  return all;
}

std::string text_of(std::span<const bench::AblationResult> results) {
  std::string text = fmt::format(
      "\nwhat each optimisation brings: the step without it\n  {:>9}  {:>6}  {:>12}  {:<9}  without\n", "us",
      "times", "workspace", "weights");
  for (const bench::AblationResult& result : results)
    text += fmt::format("  {:9.1f}  {:6.2f}  {:>9} KB  {:<9}  {}\n", result.median_us, result.ratio,
                        files::grouped(static_cast<std::int64_t>(result.workspace_bytes / 1000)),
                        result.same_bits ? "same bits" : "differ",
                        result.without.empty() ? "(nothing)" : result.without);
  return text;
}

}  // namespace graphrun::cli
