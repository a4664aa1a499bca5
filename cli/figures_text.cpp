#include "cli/figures_text.hpp"

#include <fmt/format.h>

#include <cmath>

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

JsonObject& set_figures(JsonObject& object, const train::Figures& figures) {
  for (const train::Figure& figure : figures.values) object.set(figure.name, figure.value);
  return object;
}

std::string grouped(std::int64_t number) {
  std::string digits = fmt::format("{}", number);
  const std::size_t first = digits.front() == '-' ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string duration_text(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace graphrun::cli
