/// \file
/// The wire format of Protocol Buffers, as far as an ONNX file needs it: fields with a number, a kind and a
/// value, one after the other (protobuf.dev/programming-guides/encoding).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace graphrun::onnx {

/// One message that is being written. Fields may come in any order, and repeated ones repeat their number.
class WireMessage {
 public:
  void integer(std::uint32_t field, std::int64_t value);  ///< int32, int64, enums
  void number(std::uint32_t field, float value);
  void text(std::uint32_t field, std::string_view value);  ///< string, bytes
  void message(std::uint32_t field, const WireMessage& value) { text(field, value.bytes_); }
  const std::string& bytes() const& { return bytes_; }
  std::string bytes() && { return std::move(bytes_); }

 private:
  void varint(std::uint64_t value);
  std::string bytes_;
};

}  // namespace graphrun::onnx
