#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output/figures_text.hpp"
#include "train/datasets/load_table.hpp"

namespace graphrun::cli {

namespace {

using Clock = std::chrono::steady_clock;

/// Drawing costs a system call: ten times a second is smooth enough.
constexpr std::chrono::milliseconds redraw_interval{100};

std::string bar(double done, std::size_t columns) {
  const auto filled = static_cast<std::size_t>(std::clamp(done, 0.0, 1.0) * static_cast<double>(columns));
  std::string text;
  for (std::size_t i = 0; i < columns; ++i) text += i < filled ? "━" : (i == filled ? "╸" : " ");
  return text;
}

std::string rows_of(const train::ImageSet& part) {
  return files::grouped(static_cast<std::int64_t>(part.count));
}

std::string table_note(const train::RunStart& start) {
  const train::Dataset& data = start.data;
  std::string text = fmt::format("{} parameters, {} {} of {}", files::grouped(start.parameters),
                                 rows_of(data.train), data.train.noun(), data.name);
  if (data.validation.count > 0) text += fmt::format(", {} to validate with", rows_of(data.validation));
  if (data.test.count > 0) text += fmt::format(", {} to test with", rows_of(data.test));
  return text + "\n" + train::described(start.model.data->table->fitted);
}

std::string hardware_note(const train::RunStart& start) {
  if (start.data.train.is_table) return table_note(start);
  const std::string count = files::grouped(static_cast<std::int64_t>(start.data.train.count));
  const std::string test =
      start.data.test.count == 0
          ? fmt::format("no test {}", start.data.train.noun())
          : fmt::format("{} to test on", files::grouped(static_cast<std::int64_t>(start.data.test.count)));
  return fmt::format("{} parameters, {} {} of {}, {}", files::grouped(start.parameters), count,
                     start.data.train.noun(), start.data.name, test);
}

/// "fine, ", or nothing in a model without phases.
std::string in_front(const train::StageView& stage) {
  return stage.name.empty() ? "" : stage.name + ", ";
}

}  // namespace

std::string progress_line(const train::StageView& stage, const train::StepReport& report,
                          std::uint64_t epochs, std::uint64_t first_step, std::size_t width,
                          std::string_view unit) {
  const auto batches = static_cast<std::uint64_t>(report.plan.batches);
  const double rate = report.seconds > 0 ? static_cast<double>(report.rows) / report.seconds : 0;
  const std::uint64_t done = report.state.step - first_step;
  const double left = done == 0
                          ? 0
                          : report.seconds * static_cast<double>(stage.total_steps - report.state.step) /
                                static_cast<double>(done);
  const std::string before =
      fmt::format("{}epoch {}/{} ", in_front(stage), report.state.stage_epoch() + 1, epochs);
  const std::string after =
      fmt::format(" {}/{}  loss {:.4g}  {} {}/s  {} left", report.state.batch, batches, report.loss,
                  files::grouped(static_cast<std::int64_t>(rate)), unit, files::duration_text(left));
  const std::size_t text = before.size() + after.size();
  if (width < text + 2) return (before + after).substr(0, width > 1 ? width - 1 : 0);
  const std::size_t columns = std::min<std::size_t>(40, width - text - 1);
  return before + bar(static_cast<double>(report.state.batch) / static_cast<double>(batches), columns) +
         after;
}

void TrainingProgress::on_start(const train::RunStart& start) {
  first_step_ = start.state.step;
  unit_ = start.data.train.noun();
  if (start.data.validation.count > 0) measured_ = "validation";
  console_.log(start.model.about.empty() ? start.model.name
                                         : fmt::format("{}: {}", start.model.name, start.model.about));
  console_.log(hardware_note(start));
  if (start.state.step > 0)
    console_.log(fmt::format("continues after step {} (epoch {})",
                             files::grouped(static_cast<std::int64_t>(start.state.step)),
                             start.state.epoch + 1));
  console_.log(fmt::format("{} steps of {} {}; run directory {}",
                           files::grouped(static_cast<std::int64_t>(start.total_steps)), start.plan.batch,
                           unit_, start.directory.folder().string()));
}

void TrainingProgress::on_stage(const train::StageView& stage) {
  const auto batches = static_cast<std::uint64_t>(stage.plan.batches);
  epochs_ = (stage.plan.total_steps + batches - 1) / batches;
}

void TrainingProgress::on_step(const train::StageView& stage, const train::StepReport& report) {
  if (!console_.shows_progress()) return;
  const Clock::time_point now = Clock::now();
  if (now - last_drawn_ < redraw_interval) return;
  last_drawn_ = now;
  console_.progress(progress_line(stage, report, epochs_, first_step_, console_.width(), unit_));
}

void TrainingProgress::on_epoch(const train::RunEpoch& epoch) {
  const train::EpochSummary& loop = epoch.loop;
  const std::size_t digits = fmt::format("{}", epochs_).size();
  std::string line = fmt::format("{}epoch {:>{}}/{}  {}", in_front(epoch.stage), loop.state.stage_epoch(),
                                 digits, epochs_, text_of(loop.train));
  if (epoch.test) line += fmt::format("  | {} {}", measured_, text_of(*epoch.test));
  line += fmt::format(
      "  | {}, {} {}/s", files::duration_text(loop.seconds),
      files::grouped(static_cast<std::int64_t>(static_cast<double>(loop.rows) / loop.seconds)), unit_);
  console_.log(line);
}

void TrainingProgress::on_event(const std::string& event) {
  console_.log(event);
}

void TrainingProgress::on_note(const std::string& note) {
  console_.warning(note);
}

}  // namespace graphrun::cli
