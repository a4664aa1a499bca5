#include "graph/range.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace graphrun {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<double> number_from(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size() && !std::isnan(number);
  return whole ? std::optional(number) : std::nullopt;
}

}  // namespace

std::string to_string(const Range& range) {
  const bool from = std::isfinite(range.low);
  const bool to = std::isfinite(range.high);
  if (!from && !to) {
    if (range.above && range.below) return "finite";
    return range.below ? "below infinity" : range.above ? "above -infinity" : "";
  }
  std::string text;
  if (from) text = fmt::format("{} {}", range.above ? "above" : "at least", range.low);
  if (to) text += fmt::format("{}{} {}", from ? " and " : "", range.below ? "below" : "at most", range.high);
  return text;
}

std::optional<Range> range_from(std::string_view text) {
  text = trimmed(text);
  const std::size_t comma = text.find(',');
  if (text.size() < 5 || comma == std::string_view::npos) return std::nullopt;
  const char first = text.front();
  const char last = text.back();
  if ((first != '[' && first != '(') || (last != ']' && last != ')')) return std::nullopt;
  const std::optional<double> low = number_from(trimmed(text.substr(1, comma - 1)));
  const std::optional<double> high = number_from(trimmed(text.substr(comma + 1, text.size() - comma - 2)));
  if (!low || !high || *low > *high) return std::nullopt;
  return Range{*low, *high, first == '(', last == ')'};
}

}  // namespace graphrun
