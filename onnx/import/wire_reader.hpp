/// \file
/// Reads the wire format of Protocol Buffers field by field (protobuf.dev/programming-guides/encoding). Every
/// length is held against what is left before anything is taken, nothing is copied, and messages in messages
/// end at a depth.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "graphrun/error.hpp"

namespace graphrun::onnx {

/// A file that is not what it says. The message has the offset of the byte; who knows the file adds it.
class MalformedFile : public Error {
 public:
  explicit MalformedFile(const std::string& message) : Error(ErrorCode::data, message) {}
};

class WireReader {
 public:
  enum class Kind : std::uint32_t { varint = 0, eight_bytes = 1, bytes = 2, four_bytes = 5 };
  /// Messages in messages; a graph in a node of a graph takes three levels.
  static constexpr int deepest = 48;

  explicit WireReader(std::string_view bytes) : bytes_(bytes) {}

  /// Goes to the next field; false at the end of the message. A field that is not asked about is passed over.
  bool next();
  std::uint32_t field() const { return field_; }
  /// Where the field's value begins in the file.
  std::size_t offset() const { return base_ + begin_; }

  std::int64_t integer() const;
  float number() const;
  std::string_view text() const;
  WireReader message() const;
  /// Repeated numbers come one a field, or packed, many in one.
  void integers(std::vector<std::int64_t>& into) const;
  void numbers(std::vector<float>& into) const;
  void doubles(std::vector<double>& into) const;

  [[noreturn]] void refuse(const std::string& what) const;

 private:
  std::uint64_t varint();
  void skip(std::size_t count);
  void require(Kind kind, const char* name) const;
  template <class Number>
  void fixed(std::vector<Number>& into, Kind single) const;

  std::string_view bytes_;
  std::size_t base_ = 0;  ///< of bytes_ in the file
  std::size_t at_ = 0;
  std::size_t begin_ = 0;
  std::uint32_t field_ = 0;
  Kind kind_ = Kind::varint;
  std::uint64_t integer_ = 0;
  std::string_view value_;  ///< of kinds that have bytes
  int depth_ = 0;
};

}  // namespace graphrun::onnx
