#include "cli/output/figures_text.hpp"

#include <fmt/format.h>

namespace graphrun::cli {

std::string text_of(const train::Figures& figures) {
  std::string text;
  for (const train::Figure& figure : figures.values) {
    // A loss of one term would say its value twice.
    if (!text.empty() && figure.value == figures.values.front().value) continue;
    text += fmt::format("{}{} {:.5g}", text.empty() ? "" : "  ", figure.name, figure.value);
  }
  return text;
}

files::JsonObject& set_figures(files::JsonObject& object, const train::Figures& figures) {
  for (const train::Figure& figure : figures.values) object.set(figure.name, figure.value);
  return object;
}

}  // namespace graphrun::cli
