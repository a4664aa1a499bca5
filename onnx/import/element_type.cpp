#include "onnx/import/element_type.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace graphrun::onnx {

std::size_t bits_of(ElementType type) {
  switch (type) {
    case ElementType::u2:
    case ElementType::i2:
      return 2;
    case ElementType::u4:
    case ElementType::i4:
    case ElementType::f4e2m1:
      return 4;
    case ElementType::u8:
    case ElementType::i8:
    case ElementType::boolean:
    case ElementType::f8e4m3:
    case ElementType::f8e4m3_no_zero:
    case ElementType::f8e5m2:
    case ElementType::f8e5m2_no_zero:
    case ElementType::f8e8m0:
      return 8;
    case ElementType::u16:
    case ElementType::i16:
    case ElementType::f16:
    case ElementType::bf16:
      return 16;
    case ElementType::f32:
    case ElementType::i32:
    case ElementType::u32:
      return 32;
    case ElementType::i64:
    case ElementType::f64:
    case ElementType::u64:
      return 64;
    default:
      return 0;
  }
}

std::uint64_t bytes_of(ElementType type, std::int64_t count) {
  return (static_cast<std::uint64_t>(count) * bits_of(type) + 7) / 8;
}

std::string type_name(ElementType type) {
  constexpr std::string_view names[] = {
      "undefined", "float",      "uint8",      "int8",       "uint16",         "int16",      "int32",
      "int64",     "string",     "bool",       "float16",    "double",         "uint32",     "uint64",
      "complex64", "complex128", "bfloat16",   "float8e4m3", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
      "uint4",     "int4",       "float4e2m1", "float8e8m0", "uint2",          "int2"};
  const auto number = static_cast<std::size_t>(type);
  return number < std::size(names) ? std::string(names[number])
                                   : fmt::format("type {}", static_cast<std::int32_t>(type));
}

bool is_integer(ElementType type) {
  switch (type) {
    case ElementType::u2:
    case ElementType::i2:
    case ElementType::u4:
    case ElementType::i4:
    case ElementType::u8:
    case ElementType::i8:
    case ElementType::u16:
    case ElementType::i16:
    case ElementType::i32:
    case ElementType::i64:
    case ElementType::boolean:
    case ElementType::u32:
    case ElementType::u64:
      return true;
    default:
      return false;
  }
}

bool is_float(ElementType type) {
  return bits_of(type) > 0 && !is_integer(type);
}

bool is_small_float(ElementType type) {
  return is_float(type) && bits_of(type) < 16;
}

}  // namespace graphrun::onnx
