/// \file
/// What a value is: an element type and a shape. A dimension is `a·batch + b`: the batch stays a symbol until
/// a graph is lowered, so that one graph serves every batch size. It never unifies with a number; only a
/// literal 1 broadcasts. All size arithmetic is checked: an overflow throws Error{model}.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace graphrun {

enum class DType : std::uint8_t { f32, f64, i32, u8, none };  // none: a node with an effect and no value

std::string_view to_string(DType dtype);
std::optional<DType> dtype_from(std::string_view name);
std::size_t bytes_of(DType dtype);
/// Can an element of this type stand for the number? An integer only for whole ones in its range, f32 for all
/// that are not beyond its largest, infinity and NaN included.
bool holds(DType dtype, double number);

/// `factor · batch + offset`.
struct Dim {
  std::int64_t factor = 0;
  std::int64_t offset = 0;

  static constexpr Dim number(std::int64_t value) { return {0, value}; }
  static constexpr Dim batch() { return {1, 0}; }
  constexpr bool is_number() const { return factor == 0; }
  constexpr bool is_number(std::int64_t value) const { return factor == 0 && offset == value; }
  constexpr bool is_batch() const { return factor == 1 && offset == 0; }
  friend constexpr bool operator==(const Dim&, const Dim&) = default;
};

using Shape = std::vector<Dim>;             // one Dim an axis; empty is a scalar
using Extents = std::vector<std::int64_t>;  // a shape with the batch bound

struct Type {
  DType dtype = DType::f32;
  Shape shape;
  friend bool operator==(const Type&, const Type&) = default;
};

std::string to_string(Dim dim);             // "784", "batch", "2*batch+1"
std::string to_string(const Shape& shape);  // "[batch, 784]"
std::string to_string(const Type& type);    // "f32[batch, 784]"
std::string to_string(const Extents& extents);

std::int64_t checked_add(std::int64_t a, std::int64_t b);
std::int64_t checked_multiply(std::int64_t a, std::int64_t b);

std::int64_t bind(Dim dim, std::int64_t batch);
Extents bind(const Shape& shape, std::int64_t batch);
std::int64_t element_count(std::span<const std::int64_t> extents);

/// The number of elements as a polynomial in the batch: coefficient i belongs to batch^i. Two shapes hold
/// the same elements at every batch size exactly when these are equal; trailing zeros are cut.
std::vector<std::int64_t> element_polynomial(const Shape& shape);

/// NumPy's rule with symbols: axes align at the right, a literal 1 stretches. Nothing when they do not fit.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);

/// `axis` counted from the end when negative; nothing when out of range.
std::optional<std::size_t> normalised_axis(std::int64_t axis, std::size_t rank);

}  // namespace graphrun
