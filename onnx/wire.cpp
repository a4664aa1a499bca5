#include "onnx/wire.hpp"

#include <bit>
#include <utility>

namespace graphrun::onnx {

namespace {

// The kinds of fields that are used here.
constexpr std::uint32_t kind_varint = 0;
constexpr std::uint32_t kind_bytes = 2;
constexpr std::uint32_t kind_four_bytes = 5;

constexpr std::uint64_t tag(std::uint32_t field, std::uint32_t kind) {
  return (std::uint64_t{field} << 3U) | kind;
}

}  // namespace

/// Seven bits a byte, the lowest first; all but the last have the high bit.
void WireMessage::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) bytes_.push_back(static_cast<char>(0x80U | (value & 0x7FU)));
  bytes_.push_back(static_cast<char>(value));
}

void WireMessage::integer(std::uint32_t field, std::int64_t value) {
  varint(tag(field, kind_varint));
  varint(static_cast<std::uint64_t>(value));
}

void WireMessage::number(std::uint32_t field, float value) {
  varint(tag(field, kind_four_bytes));
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (const unsigned shift : {0U, 8U, 16U, 24U})
    bytes_.push_back(static_cast<char>((bits >> shift) & 0xFFU));
}

void WireMessage::text(std::uint32_t field, std::string_view value) {
  varint(tag(field, kind_bytes));
  varint(value.size());
  bytes_ += value;
}

}  // namespace graphrun::onnx
