#include "cli/output/figures_text.hpp"

#include <fmt/format.h>

#include "errors/printable.hpp"

namespace graphrun::cli {

namespace {

/// "f1" of "f1.threshold": the metric that a figure is a part of. Names of metrics have no dots.
std::string_view metric_of(std::string_view name) {
  return name.substr(0, name.find('.'));
}

}  // namespace

std::string text_of(const train::Figures& figures) {
  std::string text;
  for (const train::Figure& figure : figures.values) {
    if (figure.name.ends_with(".threshold")) text += fmt::format(" above {:.5g}", figure.value);
    if (metric_of(figure.name) != figure.name) continue;
    // A loss of one term would say its value twice.
    if (!text.empty() && figure.value == figures.values.front().value) continue;
    text += fmt::format("{}{} {:.5g}", text.empty() ? "" : "  ", figure.name, figure.value);
  }
  return text;
}

std::string parts_text(const train::Figures& figures) {
  std::string text;
  std::string_view at;
  for (const train::Figure& figure : figures.values) {
    const std::string_view metric = metric_of(figure.name);
    if (metric == figure.name || figure.name.ends_with(".threshold")) continue;
    if (metric != at) text += fmt::format("{}{} ", text.empty() ? "" : "\n", metric);
    at = metric;
    text += fmt::format(" {} {:.5g}", printable(figure.name.substr(metric.size() + 1)), figure.value);
  }
  return text.empty() ? text : text + "\n";
}

files::JsonObject& set_figures(files::JsonObject& object, const train::Figures& figures) {
  for (const train::Figure& figure : figures.values) object.set(figure.name, figure.value);
  return object;
}

}  // namespace graphrun::cli
