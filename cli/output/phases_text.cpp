#include "cli/output/phases_text.hpp"

#include <fmt/format.h>

#include <cmath>

#include "train/measure/draw_statistics.hpp"

namespace graphrun::cli {

namespace {

bool has_phases(const ModelDefinition& model) {
  return model.train && model.train->has_phases();
}

std::string text_of(const std::vector<train::Estimate>& figures, bool difference) {
  std::string text;
  for (const train::Estimate& figure : figures) {
    // A loss of one term would say its value twice.
    if (!text.empty() && figure.mean == figures.front().mean) continue;
    text += fmt::format("{}{} ", text.empty() ? "" : "  ", figure.name);
    text += difference ? fmt::format("{:+.4g}", figure.mean) : fmt::format("{:.5g}", figure.mean);
    if (!std::isnan(figure.half_width)) text += fmt::format(" ± {:.2g}", figure.half_width);
  }
  return text;
}

files::JsonObject object_of(const std::vector<train::Estimate>& figures, double train::Estimate::*member) {
  files::JsonObject object;
  for (const train::Estimate& figure : figures) object.set(figure.name, figure.*member);
  return object;
}

}  // namespace

std::string phases_text(const ModelDefinition& model, const train::RunResult& result) {
  if (!has_phases(model)) return {};
  std::string text;
  bool intervals = false;
  for (const train::PhaseSummary& phase : train::summaries(*model.train, result.results)) {
    const std::string draws = phase.draws > 1 ? fmt::format(", {} draws", phase.draws) : "";
    text += fmt::format("{}{}: {}\n", phase.phase, draws, text_of(phase.figures, false));
    intervals = intervals || phase.draws > 1;
  }
  for (const train::PhaseDifference& pair : train::differences(*model.train, result.results))
    text +=
        fmt::format("{} - {}, {} pairs: {}\n", pair.of, pair.minus, pair.pairs, text_of(pair.figures, true));
  if (intervals) text += "± is the half width of a 95 % confidence interval of the mean\n";
  return text;
}

void set_phases(files::JsonObject& object, const ModelDefinition& model, const train::RunResult& result) {
  if (!has_phases(model)) return;
  files::JsonArray phases;
  for (const train::PhaseSummary& phase : train::summaries(*model.train, result.results))
    phases.add(files::JsonObject()
                   .set("name", phase.phase)
                   .set("draws", phase.draws)
                   .set("test", object_of(phase.figures, &train::Estimate::mean))
                   .set("confidence95", object_of(phase.figures, &train::Estimate::half_width)));
  files::JsonArray differences;
  for (const train::PhaseDifference& pair : train::differences(*model.train, result.results))
    differences.add(files::JsonObject()
                        .set("of", pair.of)
                        .set("minus", pair.minus)
                        .set("pairs", pair.pairs)
                        .set("test", object_of(pair.figures, &train::Estimate::mean))
                        .set("confidence95", object_of(pair.figures, &train::Estimate::half_width)));
  object.set("phases", phases).set("differences", differences);
}

}  // namespace graphrun::cli
