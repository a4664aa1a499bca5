#include <fmt/format.h>

#include "errors/printable.hpp"
#include "language/syntax/scan.hpp"

namespace graphrun {
namespace {

bool is_control(unsigned char c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
}

}  // namespace

bool check_encoding(const std::string& text, std::size_t source, Diagnostics& diagnostics) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
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
