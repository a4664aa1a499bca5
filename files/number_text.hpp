/// \file
/// Numbers as text, the same in every locale, and as people write them.
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace graphrun::files {

/// The shortest form that reads back to the same value.
template <class Number>
std::string number_text(Number value) {
  std::array<char, 64> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

/// The number that a text is from end to end; nothing for another text.
template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "1,234,567".
std::string grouped(std::int64_t number);

/// "4.8 s", "48 s", "3 min 20 s", "2 h 5 min".
std::string duration_text(double seconds);

// ---- What no program reads in only one way ----

/// "1,234": a thousand and more, or one and a fraction?
bool is_grouped_by_comma(std::string_view text);

/// "1'234", "1 234.5", "1_000": thousands are parted by a mark that stands in no number.
bool is_grouped_by_mark(std::string_view text);

/// "12 %", "$5", "3.50 €": a number beside a sign that says of what.
bool has_sign_of_unit(std::string_view text);

}  // namespace graphrun::files
