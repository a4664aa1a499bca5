#include "onnx/import/wire_reader.hpp"

#include <fmt/format.h>

#include <cstring>

namespace graphrun::onnx {

void WireReader::refuse(const std::string& what) const {
  throw MalformedFile(fmt::format("no ONNX file: {} at byte {}", what, offset()));
}

std::uint64_t WireReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at_ == bytes_.size()) refuse("it ends within a number");
    const auto byte = static_cast<std::uint8_t>(bytes_[at_++]);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  refuse("a number of more than 64 bits");
}

void WireReader::skip(std::size_t count) {
  if (count > bytes_.size() - at_)
    refuse(fmt::format("a field of {} bytes where {} are left", count, bytes_.size() - at_));
  value_ = bytes_.substr(at_, count);
  at_ += count;
}

bool WireReader::next() {
  begin_ = at_;
  if (at_ == bytes_.size()) return false;
  const std::uint64_t tag = varint();
  if (tag >> 3U == 0 || tag >> 3U > 0x1FFFFFFF) refuse("a field without a number");
  field_ = static_cast<std::uint32_t>(tag >> 3U);
  kind_ = static_cast<Kind>(tag & 7U);
  begin_ = at_;
  switch (kind_) {
    case Kind::varint:
      integer_ = varint();
      return true;
    case Kind::eight_bytes:
      skip(8);
      return true;
    case Kind::four_bytes:
      skip(4);
      return true;
    case Kind::bytes: {
      const std::uint64_t size = varint();
      begin_ = at_;
      skip(size);
      return true;
    }
  }
  refuse(fmt::format("a field of kind {}", tag & 7U));
}

void WireReader::require(Kind kind, const char* name) const {
  if (kind_ != kind) refuse(fmt::format("field {} is no {}", field_, name));
}

std::int64_t WireReader::integer() const {
  require(Kind::varint, "integer");
  return static_cast<std::int64_t>(integer_);
}

float WireReader::number() const {
  require(Kind::four_bytes, "number");
  float value = 0;
  std::memcpy(&value, value_.data(), sizeof value);
  return value;
}

std::string_view WireReader::text() const {
  require(Kind::bytes, "text");
  return value_;
}

WireReader WireReader::message() const {
  require(Kind::bytes, "message");
  if (depth_ == deepest) refuse(fmt::format("messages in messages, more than {} deep,", deepest));
  WireReader inner(value_);
  inner.base_ = base_ + begin_;
  inner.depth_ = depth_ + 1;
  return inner;
}

void WireReader::integers(std::vector<std::int64_t>& into) const {
  if (kind_ != Kind::bytes) return into.push_back(integer());
  WireReader packed(value_);
  packed.base_ = base_ + begin_;
  while (packed.at_ < packed.bytes_.size()) into.push_back(static_cast<std::int64_t>(packed.varint()));
}

template <class Number>
void WireReader::fixed(std::vector<Number>& into, Kind single) const {
  if (kind_ != Kind::bytes) require(single, "number");
  if (value_.size() % sizeof(Number) != 0) refuse("numbers that end within one");
  const std::size_t old = into.size();
  into.resize(old + value_.size() / sizeof(Number));
  if (!value_.empty()) std::memcpy(into.data() + old, value_.data(), value_.size());
}

void WireReader::numbers(std::vector<float>& into) const {
  fixed(into, Kind::four_bytes);
}
void WireReader::doubles(std::vector<double>& into) const {
  fixed(into, Kind::eight_bytes);
}

}  // namespace graphrun::onnx
