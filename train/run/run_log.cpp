#include "train/run/run_log.hpp"

#include <algorithm>
#include <utility>

namespace graphrun::train {

namespace {

std::vector<std::string> columns_of(const ModelDefinition& model, const std::vector<std::string>& learnt,
                                    const std::string& rate, const std::string& measured) {
  std::vector<std::string> columns{"epoch", "seconds", rate};
  if (train_of(model).has_phases()) columns.insert(columns.end(), {"phase", "draw", "layer"});
  for (const std::string& name : learnt) columns.push_back("train." + name);
  if (measured.empty()) return columns;
  for (const std::string& name : figure_names(model, {}, true).names)
    columns.push_back(measured + "." + name);
  for (const ProbeRecipe& probe : model.probes) columns.push_back(measured + "." + probe.name);
  return columns;
}

}  // namespace

RunLog::RunLog(const RunDirectory& directory, const ModelDefinition& model,
               const std::vector<std::string>& learnt, std::uint64_t step, const RunLogOptions& options)
    : rate_(options.noun + "_per_second"),
      columns_(columns_of(model, learnt, rate_, options.measured)),
      measured_(options.measured) {
  metrics_.emplace(options.resumed ? MetricsLog::resume(directory.folder(), columns_, step)
                                   : MetricsLog(directory.folder(), columns_));
  if (options.tensorboard) events_.emplace(directory.tensorboard(), step);
}

void RunLog::append(const StageView& stage, const EpochSummary& report, const std::optional<Figures>& test) {
  std::vector<MetricsCell> cells(columns_.size());
  const auto set = [&](const std::string& column, MetricsCell value) {
    const auto found = std::find(columns_.begin(), columns_.end(), column);
    if (found != columns_.end()) cells[static_cast<std::size_t>(found - columns_.begin())] = std::move(value);
  };
  set("epoch", static_cast<double>(report.state.epoch));
  set("seconds", report.seconds);
  set(rate_, static_cast<double>(report.rows) / report.seconds);
  set("phase", stage.phase.name);
  set("draw", static_cast<double>(stage.stage.draw + 1));
  if (stage.stage.layers > 0) set("layer", static_cast<double>(stage.stage.layer + 1));
  for (const Figure& figure : report.train.values) set("train." + figure.name, figure.value);
  if (test)
    for (const Figure& figure : test->values) set(measured_ + "." + figure.name, figure.value);
  metrics_->append(report.state.step, cells);
  if (events_) events_->train(report.state.step, report.train);
  if (events_ && test) events_->test(report.state.step, *test);
}

void RunLog::picture(std::uint64_t step, const std::filesystem::path& file) {
  if (events_) events_->picture(step, tag_of(file), file);
}

std::string tag_of(const std::filesystem::path& picture) {
  const std::string name = picture.stem().string();
  const std::size_t step = name.find_last_not_of("0123456789");
  return step != std::string::npos && name[step] == '-' ? name.substr(0, step) : name;
}

}  // namespace graphrun::train
