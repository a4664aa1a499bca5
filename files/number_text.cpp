#include "files/number_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstddef>

namespace graphrun::files {

namespace {

constexpr std::string_view decimal_digits = "0123456789";
/// Apostrophes, spaces that do not break, thin ones: as UTF-8.
constexpr std::array<std::string_view, 7> marks = {
    "'", " ", "_", "\xe2\x80\x99", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89"};
/// Per cent, per mille, dollar, euro, pound, yen.
constexpr std::array<std::string_view, 6> signs = {"%",        "\xe2\x80\xb0", "$", "\xe2\x82\xac",
                                                   "\xc2\xa3", "\xc2\xa5"};

/// The one of the list that a text begins with; empty: none.
template <class List>
std::string_view start_of(std::string_view text, const List& list) {
  for (const std::string_view one : list)
    if (text.starts_with(one)) return one;
  return {};
}

template <class List>
std::string_view end_of(std::string_view text, const List& list) {
  for (const std::string_view one : list)
    if (text.ends_with(one)) return one;
  return {};
}

std::size_t leading_digits(std::string_view text) {
  const std::size_t count = text.find_first_not_of(decimal_digits);
  return count == std::string_view::npos ? text.size() : count;
}

std::string_view without_minus(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text;
}

/// What may follow the whole part of a number.
bool is_fraction(std::string_view text) {
  return text.empty() || ((text.front() == '.' || text.front() == ',') &&
                          text.find_first_not_of("0123456789.,") == std::string_view::npos);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool is_number(std::string_view text) {
  text = without_minus(text);
  const std::size_t whole = leading_digits(text);
  return whole > 0 && is_fraction(text.substr(whole));
}

}  // namespace

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

bool is_grouped_by_comma(std::string_view text) {
  return text.find(',') != std::string_view::npos &&
         text.find_first_not_of("+-0123456789,. ") == std::string_view::npos;
}

bool is_grouped_by_mark(std::string_view text) {
  text = without_minus(text);
  const std::size_t first = leading_digits(text);
  if (first == 0 || first > 3) return false;
  text.remove_prefix(first);
  std::size_t groups = 0;
  for (std::string_view mark = start_of(text, marks); !mark.empty(); mark = start_of(text, marks)) {
    text.remove_prefix(mark.size());
    if (leading_digits(text) != 3) return false;
    text.remove_prefix(3);
    ++groups;
  }
  return groups > 0 && is_fraction(text);
}

bool has_sign_of_unit(std::string_view text) {
  const std::string_view before = start_of(without_minus(text), signs);
  const std::string_view behind = before.empty() ? end_of(text, signs) : std::string_view();
  if (before.empty() && behind.empty()) return false;
  text = before.empty() ? text.substr(0, text.size() - behind.size())
                        : without_minus(text).substr(before.size());
  text = trimmed(text);
  return is_number(text) || is_grouped_by_mark(text) || is_grouped_by_comma(text);
}

}  // namespace graphrun::files
