#include "graph/type.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "graphrun/error.hpp"

namespace graphrun {
namespace {

struct DTypeName {
  DType dtype;
  std::string_view name;
  std::size_t bytes;
};

constexpr std::array<DTypeName, 5> dtype_names = {{{DType::f32, "f32", 4},
                                                   {DType::f64, "f64", 8},
                                                   {DType::i32, "i32", 4},
                                                   {DType::u8, "u8", 1},
                                                   {DType::none, "none", 0}}};

const DTypeName& entry(DType dtype) {
  return *std::find_if(dtype_names.begin(), dtype_names.end(),
                       [dtype](const DTypeName& candidate) { return candidate.dtype == dtype; });
}

[[noreturn]] void overflow(std::int64_t a, char op, std::int64_t b) {
  throw Error(ErrorCode::model, fmt::format("a size is too large to count: {} {} {}", a, op, b));
}

template <class Range>
std::string bracketed(const Range& range) {
  std::string text = "[";
  for (const auto& item : range) {
    if (text.size() > 1) text += ", ";
    if constexpr (std::is_same_v<std::decay_t<decltype(item)>, Dim>) {
      text += to_string(item);
    } else {
      text += std::to_string(item);
    }
  }
  return text + "]";
}

}  // namespace

std::string_view to_string(DType dtype) {
  return entry(dtype).name;
}

std::optional<DType> dtype_from(std::string_view name) {
  for (const DTypeName& candidate : dtype_names) {
    if (candidate.name == name && candidate.dtype != DType::none) return candidate.dtype;
  }
  return std::nullopt;
}

std::size_t bytes_of(DType dtype) {
  return entry(dtype).bytes;
}

bool holds(DType dtype, double number) {
  const auto whole_in = [number](double low, double high) {
    return number >= low && number <= high && std::trunc(number) == number;
  };
  switch (dtype) {
    case DType::f32:  // up to where rounding would reach infinity
      return !std::isfinite(number) || std::abs(number) < 0x1.ffffffp+127;
    case DType::f64:
      return true;
    case DType::i32:
      return whole_in(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max());
    case DType::u8:
      return whole_in(0, std::numeric_limits<std::uint8_t>::max());
    case DType::none:
      break;
  }
  return false;
}

std::string to_string(Dim dim) {
  if (dim.is_number()) return std::to_string(dim.offset);
  std::string text = dim.factor == 1 ? "batch" : fmt::format("{}*batch", dim.factor);
  if (dim.offset != 0) text += fmt::format("{:+}", dim.offset);
  return text;
}

std::string to_string(const Shape& shape) {
  return bracketed(shape);
}

std::string to_string(const Type& type) {
  return std::string(to_string(type.dtype)) + to_string(type.shape);
}

std::string to_string(const Extents& extents) {
  return bracketed(extents);
}

std::int64_t checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) overflow(a, '+', b);
  return result;
}

std::int64_t checked_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) overflow(a, '*', b);
  return result;
}

std::int64_t bind(Dim dim, std::int64_t batch) {
  return checked_add(checked_multiply(dim.factor, batch), dim.offset);
}

Extents bind(const Shape& shape, std::int64_t batch) {
  Extents extents;
  extents.reserve(shape.size());
  for (const Dim dim : shape) extents.push_back(bind(dim, batch));
  return extents;
}

std::int64_t element_count(std::span<const std::int64_t> extents) {
  std::int64_t count = 1;
  for (const std::int64_t extent : extents) count = checked_multiply(count, extent);
  return count;
}

std::vector<std::int64_t> element_polynomial(const Shape& shape) {
  std::vector<std::int64_t> product = {1};
  for (const Dim dim : shape) {
    if (dim.factor != 0) product.push_back(0);
    for (std::size_t power = product.size(); power-- > 0;) {  // in place: from the highest down
      const std::int64_t lower = power == 0 ? 0 : product[power - 1];
      if (product[power] == 0 && lower == 0) continue;
      product[power] =
          checked_add(checked_multiply(product[power], dim.offset), checked_multiply(lower, dim.factor));
    }
  }
  while (product.size() > 1 && product.back() == 0) product.pop_back();
  return product;
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  const std::size_t shift = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    Dim& dim = result[shift + i];
    if (dim == shorter[i] || shorter[i].is_number(1)) continue;
    if (!dim.is_number(1)) return std::nullopt;
    dim = shorter[i];
  }
  return result;
}

std::optional<std::size_t> normalised_axis(std::int64_t axis, std::size_t rank) {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  const std::int64_t positive = axis < 0 ? axis + signed_rank : axis;
  if (positive < 0 || positive >= signed_rank) return std::nullopt;
  return static_cast<std::size_t>(positive);
}

}  // namespace graphrun
