#include "train/datasets/tables/time_text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include "errors/printable.hpp"
#include "files/csv_lines.hpp"
#include "files/number_text.hpp"

namespace graphrun::train {

namespace {

/// "nan" and "inf" are no times: they have no place in an order, or no distance from others.
std::optional<double> finite_number(std::string_view text) {
  const std::optional<double> number = files::number_in<double>(text);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<double> number_with_comma(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  std::string pointed(text);
  pointed[comma] = '.';
  return finite_number(pointed);
}

/// Days from the beginning of our calendar to the first of March of a year, and so on: the usual formula.
std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
}

/// Takes what a text begins with.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  bool is_at_end() const { return rest_.empty(); }
  bool take(std::string_view one_of) {
    if (rest_.empty() || one_of.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Digits from `low` to `high`; nothing is taken otherwise.
  bool take_number(std::int64_t low, std::int64_t high, std::int64_t& into) {
    const char* const end = rest_.data() + rest_.size();
    const auto read = std::from_chars(rest_.data(), end, into);
    if (read.ec != std::errc() || rest_.front() == '-' || into < low || into > high) return false;
    rest_.remove_prefix(static_cast<std::size_t>(read.ptr - rest_.data()));
    return true;
  }
  double take_fraction() {
    if (rest_.empty() || rest_.front() != '.') return 0;
    double value = 0;
    const auto read =
        std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, std::chars_format::fixed);
    rest_.remove_prefix(read.ec == std::errc() ? static_cast<std::size_t>(read.ptr - rest_.data()) : 0);
    return value;
  }

 private:
  std::string_view rest_;
};

/// "12:00", "12:00:05.5"; nothing where a text has no time of day.
bool take_time_of_day(TimeReader& reader, double& seconds) {
  std::array<std::int64_t, 3> parts{};
  if (!reader.take_number(0, 24, parts[0])) return false;
  if (reader.take(":") && !reader.take_number(0, 59, parts[1])) return false;
  if (reader.take(":") && !reader.take_number(0, 60, parts[2])) return false;
  seconds += static_cast<double>(parts[0] * 3600 + parts[1] * 60 + parts[2]) + reader.take_fraction();
  return true;
}

/// "Z", "+02:00", "+0200", "-05".
bool take_zone(TimeReader& reader, double& seconds) {
  if (reader.take("Z")) return true;
  const bool is_east = reader.take("+");
  if (!is_east && !reader.take("-")) return true;
  std::int64_t hours = 0;
  std::int64_t minutes = 0;
  if (!reader.take_number(0, 2359, hours)) return false;
  if (reader.take(":") && !reader.take_number(0, 59, minutes)) return false;
  const std::int64_t whole = hours > 24 ? hours / 100 * 60 + hours % 100 : hours * 60 + minutes;
  seconds += static_cast<double>(is_east ? -whole : whole) * 60;
  return true;
}

std::optional<double> seconds_in(std::string_view text) {
  TimeReader reader(text);
  std::int64_t year = 0;
  std::int64_t month = 1;
  std::int64_t day = 1;
  const bool is_date = reader.take_number(1000, 9999, year) && reader.take("-/.") &&
                       reader.take_number(1, 12, month) &&
                       (!reader.take("-/.") || reader.take_number(1, 31, day));
  if (!is_date) return std::nullopt;
  double seconds = static_cast<double>(days_from_civil(year, month, day)) * 86400;
  if (reader.take("T ") && !take_time_of_day(reader, seconds)) return std::nullopt;
  reader.take(" ");
  if (!take_zone(reader, seconds) || !reader.is_at_end()) return std::nullopt;
  return seconds;
}

std::optional<double> time_of_day_in(std::string_view text) {
  TimeReader reader(text);
  double seconds = 0;
  const bool is_whole = take_time_of_day(reader, seconds) && reader.is_at_end();
  return is_whole ? std::optional(seconds) : std::nullopt;
}

}  // namespace

std::optional<double> time_in(std::string_view text) {
  if (const std::optional<double> number = finite_number(text)) return number;
  if (const std::optional<double> number = number_with_comma(text)) return number;
  if (const std::optional<double> seconds = seconds_in(text)) return seconds;
  return time_of_day_in(text);
}

std::string no_time_in(std::string_view text, std::string_view column) {
  if (files::is_missing_cell(text)) return no_order_in(column);
  return fmt::format(
      "'{}' is no time by which '{}' could put rows in order: take numbers, or dates that begin with the "
      "year and have 24 hours, as 2026-01-31 18:30",
      printable(text.substr(0, 40)), printable(column));
}

std::string no_order_in(std::string_view column) {
  return fmt::format("the cell of '{}' is missing, by which rows are put in order", printable(column));
}

}  // namespace graphrun::train
