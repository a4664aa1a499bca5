#include "onnx/import/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "onnx/import/element_type.hpp"

namespace graphrun::onnx {

namespace {

template <class T>
T element(const std::string& bytes, std::size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

float from_f16(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half & 0x8000U} << 16U;
  const std::uint32_t exponent = (half >> 10U) & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {
    const float small = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -small : small;
  }
  const std::uint32_t wide = exponent == 31 ? 255U : exponent + 112U;
  return std::bit_cast<float>(sign | (wide << 23U) | (fraction << 13U));
}

float from_bf16(std::uint16_t half) {
  return std::bit_cast<float>(std::uint32_t{half} << 16U);
}

/// Of elements that are less than a byte, the first lies lowest.
unsigned bits_at(const TensorRecord& tensor, std::size_t i) {
  const std::size_t bits = bits_of(tensor.type);
  const std::size_t at = i * bits;
  return (static_cast<std::uint8_t>(tensor.bytes[at / 8]) >> (at % 8)) & ((1U << bits) - 1);
}

/// How the bits of a small float are shared out (onnx.ai/onnx/technical/float8.html, float4.html).
struct SmallFloat {
  unsigned exponent_bits;
  unsigned fraction_bits;
  int bias;
  bool has_infinity;
  std::optional<unsigned> not_a_number;  ///< without a look at the sign, unless there is no negative zero
};

SmallFloat small_float(ElementType type) {
  switch (type) {
    case ElementType::f8e4m3:
      return {4, 3, 7, false, 0x7F};
    case ElementType::f8e4m3_no_zero:
      return {4, 3, 8, false, 0x80};
    case ElementType::f8e5m2:
      return {5, 2, 15, true, std::nullopt};
    case ElementType::f8e5m2_no_zero:
      return {5, 2, 16, false, 0x80};
    default:
      return {2, 1, 1, false, std::nullopt};  // f4e2m1
  }
}

float from_bits(const SmallFloat& format, unsigned bits) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  const unsigned width = format.exponent_bits + format.fraction_bits;
  const bool negative = (bits >> width) != 0;
  const unsigned size = bits & ((1U << width) - 1);
  if (format.not_a_number &&
      (bits == *format.not_a_number || (*format.not_a_number != 0x80 && size == *format.not_a_number)))
    return nan;
  const unsigned exponent = size >> format.fraction_bits;
  const unsigned fraction = size & ((1U << format.fraction_bits) - 1);
  if (format.has_infinity && exponent + 1 == 1U << format.exponent_bits)
    return fraction != 0 ? nan
           : negative    ? -std::numeric_limits<float>::infinity()
                         : std::numeric_limits<float>::infinity();
  const int power =
      (exponent == 0 ? 1 : static_cast<int>(exponent)) - format.bias - static_cast<int>(format.fraction_bits);
  const unsigned digits = fraction + (exponent == 0 ? 0U : 1U << format.fraction_bits);
  const float value = std::ldexp(static_cast<float>(digits), power);
  return negative ? -value : value;
}

/// A sign in the highest bit.
std::int64_t with_sign(unsigned value, unsigned bits) {
  const auto wide = static_cast<std::int64_t>(value);
  return (value >> (bits - 1)) != 0 ? wide - (std::int64_t{1} << bits) : wide;
}

std::int64_t integer_at(const TensorRecord& tensor, std::size_t i) {
  switch (tensor.type) {
    case ElementType::u2:
    case ElementType::u4:
      return bits_at(tensor, i);
    case ElementType::i2:
      return with_sign(bits_at(tensor, i), 2);
    case ElementType::i4:
      return with_sign(bits_at(tensor, i), 4);
    case ElementType::u8:
      return element<std::uint8_t>(tensor.bytes, i);
    case ElementType::i8:
      return element<std::int8_t>(tensor.bytes, i);
    case ElementType::u16:
      return element<std::uint16_t>(tensor.bytes, i);
    case ElementType::i16:
      return element<std::int16_t>(tensor.bytes, i);
    case ElementType::i32:
      return element<std::int32_t>(tensor.bytes, i);
    case ElementType::u32:
      return element<std::uint32_t>(tensor.bytes, i);
    case ElementType::boolean:
      return tensor.bytes[i] != 0 ? 1 : 0;
    default:
      return element<std::int64_t>(tensor.bytes, i);
  }
}

float number_at(const TensorRecord& tensor, std::size_t i) {
  switch (tensor.type) {
    case ElementType::f16:
      return from_f16(element<std::uint16_t>(tensor.bytes, i));
    case ElementType::bf16:
      return from_bf16(element<std::uint16_t>(tensor.bytes, i));
    case ElementType::f64:
      return static_cast<float>(element<double>(tensor.bytes, i));
    case ElementType::f32:
      return element<float>(tensor.bytes, i);
    case ElementType::f8e8m0:
      return bits_at(tensor, i) == 255 ? std::numeric_limits<float>::quiet_NaN()
                                       : std::ldexp(1.0F, static_cast<int>(bits_at(tensor, i)) - 127);
    default:
      return from_bits(small_float(tensor.type), bits_at(tensor, i));
  }
}

}  // namespace

Order natural_order(std::size_t rank) {
  Order order(rank);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

bool is_natural(const Order& order) {
  return std::ranges::is_sorted(order);
}

Order channels_last(std::size_t rank) {
  Order order = {0};
  for (std::size_t axis = 2; axis < rank; ++axis) order.push_back(axis);
  order.push_back(1);
  return order;
}

std::size_t place_of(const Order& order, std::size_t axis) {
  return static_cast<std::size_t>(std::ranges::find(order, axis) - order.begin());
}

Order inverse(const Order& order) {
  Order result(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) result[order[i]] = i;
  return result;
}

Value value_of(Known known, ElementType type) {
  Value value;
  value.type = type;
  for (const std::int64_t extent : known.extents) value.shape.push_back(Dim::number(extent));
  value.known = std::make_shared<const Known>(std::move(known));
  return value;
}

Value value_of(Stored stored, ElementType type) {
  Value value;
  value.type = type;
  for (const std::int64_t extent : stored.extents) value.shape.push_back(Dim::number(extent));
  value.stored = std::make_shared<const Stored>(std::move(stored));
  return value;
}

Value value_of(const TensorRecord& tensor, std::string name) {
  const std::size_t count = static_cast<std::size_t>(element_count(tensor.shape));
  if (is_integer(tensor.type)) {
    Known known{tensor.shape, {}};
    known.elements.reserve(count);
    for (std::size_t i = 0; i < count; ++i) known.elements.push_back(Dim::number(integer_at(tensor, i)));
    return value_of(std::move(known), tensor.type);
  }
  if (!is_float(tensor.type))
    throw Unsupported(fmt::format("tensor '{}' holds {}, which graphrun does not read", tensor.name,
                                  type_name(tensor.type)));
  Stored stored{std::move(name), tensor.shape, {}};
  stored.values.reserve(count);
  for (std::size_t i = 0; i < count; ++i) stored.values.push_back(number_at(tensor, i));
  return value_of(std::move(stored), tensor.type);
}

std::optional<std::vector<double>> numbers_of(const Value& value) {
  if (value.stored) return std::vector<double>(value.stored->values.begin(), value.stored->values.end());
  const std::optional<std::vector<std::int64_t>> integers = integers_of(value);
  if (!integers) return std::nullopt;
  return std::vector<double>(integers->begin(), integers->end());
}

std::optional<std::vector<std::int64_t>> integers_of(const Value& value) {
  if (!value.known) return std::nullopt;
  std::vector<std::int64_t> integers;
  for (const Dim& element : value.known->elements) {
    if (!element.is_number()) return std::nullopt;
    integers.push_back(element.offset);
  }
  return integers;
}

std::int64_t integer_of(double value) {
  if (!(std::abs(value) < 0x1p53)) throw Unsupported(fmt::format("{} as an integer", value));
  return static_cast<std::int64_t>(value);
}

}  // namespace graphrun::onnx
