#include "errors/printable.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace graphrun {
namespace {

/// The code point of a sequence of this length.
unsigned code_point(std::string_view text, std::size_t at, std::size_t length) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (length == 1) return first;
  unsigned code = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i)
    code = code << 6U | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
  return code;
}

bool is_control(unsigned code) {
  return (code < 0x20 && code != '\t') || (code >= 0x7F && code < 0xA0);
}

bool turns_direction(unsigned code) {
  return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) || code == 0x200E ||
         code == 0x200F;
}

bool is_plain(char c) {
  return (c >= 0x20 && c < 0x7F) || c == '\t';
}

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : 4;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
  }
  const unsigned second = byte(at + 1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool outside = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
  return overlong || outside ? 0 : length;
}

std::string printable(std::string_view text, LineBreaks line_breaks) {
  if (std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const unsigned code = code_point(text, at, std::max<std::size_t>(length, 1));
    const bool kept = code == '\n' && line_breaks == LineBreaks::kept;
    if (length == 0) {
      result += fmt::format("\\x{:02X}", static_cast<unsigned char>(text[at]));
    } else if (code == '\n' && !kept) {
      result += "\\n";
    } else if (!kept && is_control(code) && code < 0x80) {
      result += fmt::format("\\x{:02X}", code);
    } else if (!kept && (is_control(code) || turns_direction(code))) {
      result += fmt::format("\\u{:04X}", code);
    } else {
      result += text.substr(at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  return result;
}

std::string shortened(std::string text) {
  constexpr std::size_t longest = 2000;
  constexpr std::size_t beginning = 1200;
  constexpr std::size_t ending = 400;
  if (text.size() <= longest) return text;
  const auto is_inside = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  std::size_t from = beginning;
  std::size_t to = text.size() - ending;
  while (from > 0 && is_inside(from)) --from;
  while (to < text.size() && is_inside(to)) ++to;
  return fmt::format("{} […] {}", std::string_view(text).substr(0, from), std::string_view(text).substr(to));
}

}  // namespace graphrun
