#include <fmt/format.h>

#include "language/syntax/scan.hpp"

namespace graphrun {
namespace {

/// The length of the UTF-8 sequence at `at`, or 0 when it is not one (overlong, surrogate, out of range,
/// cut).
std::size_t sequence_length(const std::string& text, std::size_t at) {
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

bool is_control(unsigned char c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
}

}  // namespace

bool check_encoding(const std::string& text, std::size_t source, Diagnostics& diagnostics) {
  if (text.size() > largest_document) {
    diagnostics.error(
        {source, 0, 0},
        fmt::format("the file has more than {} bytes, the most that a model may have", largest_document),
        "A model file is short; data belongs in data files.");
    return false;
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    const auto byte = static_cast<unsigned char>(text[at]);
    if (length == 0) {
      diagnostics.error(diagnostics.sources().place_at(source, at),
                        fmt::format("the byte 0x{:02X} is not UTF-8", byte), "Save the file as UTF-8.");
      return false;
    }
    if (is_control(byte)) {
      diagnostics.error(diagnostics.sources().place_at(source, at),
                        fmt::format("the control character 0x{:02X} has no place in a model", byte));
      return false;
    }
    at += length;
  }
  return true;
}

}  // namespace graphrun
