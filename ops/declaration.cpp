#include "ops/declaration.hpp"

#include <fmt/format.h>

#include <numeric>

namespace graphrun::ops {

namespace {

template <class T>
std::optional<AttributeValue> value_of(std::optional<T> fallback) {
  return fallback ? std::optional(AttributeValue(std::move(*fallback))) : std::nullopt;
}

}  // namespace

AttributeDeclaration flag(std::string name, bool fallback, std::string doc) {
  return {.name = std::move(name), .kind = AttributeKind::flag, .fallback = fallback, .doc = std::move(doc)};
}

AttributeDeclaration number(std::string name, double fallback, Range range, std::string doc) {
  return {.name = std::move(name),
          .kind = AttributeKind::number,
          .fallback = fallback,
          .doc = std::move(doc),
          .range = range};
}

AttributeDeclaration integer(std::string name, std::optional<std::int64_t> fallback, Range range,
                             std::string doc) {
  return {.name = std::move(name),
          .kind = AttributeKind::integer,
          .fallback = value_of(fallback),
          .doc = std::move(doc),
          .range = range};
}

AttributeDeclaration integer_or_list(std::string name, std::optional<std::int64_t> fallback, Range range,
                                     std::string doc) {
  AttributeDeclaration declaration = integer(std::move(name), fallback, range, std::move(doc));
  declaration.kind = AttributeKind::integer_or_list;
  return declaration;
}

AttributeDeclaration extents(std::string name, std::optional<std::vector<std::int64_t>> fallback,
                             std::string doc) {
  return {.name = std::move(name),
          .kind = AttributeKind::integers,
          .fallback = value_of(std::move(fallback)),
          .doc = std::move(doc),
          .range = at_least(1)};
}

AttributeDeclaration axis(std::int64_t fallback, std::string doc) {
  return integer("axis", fallback, finite(), std::move(doc));
}

AttributeDeclaration word(std::string name, std::vector<std::string> words, std::string fallback,
                          std::string doc) {
  return {.name = std::move(name),
          .kind = AttributeKind::word,
          .fallback = AttributeValue(std::move(fallback)),
          .doc = std::move(doc),
          .words = std::move(words)};
}

AttributeDeclaration shape_attribute(std::optional<Shape> fallback, std::string doc) {
  return {.name = "shape",
          .kind = AttributeKind::shape,
          .fallback = value_of(std::move(fallback)),
          .doc = std::move(doc)};
}

AttributeDeclaration dtype_attribute(std::string doc) {
  return word("dtype", {"f32", "i32", "u8"}, "f32", std::move(doc));
}

DType dtype_of(const Attributes& attributes) {
  const std::string& name = attributes.text("dtype");
  const std::optional<DType> dtype = dtype_from(name);
  if (!dtype || *dtype == DType::f64) {
    throw OpError(fmt::format("'{}' is no element type", name), "Write f32, i32 or u8.", "dtype");
  }
  return *dtype;
}

const Shape& checked_shape(const Attributes& attributes) {
  const Shape& shape = attributes.shape("shape");
  for (const Dim dim : shape) {
    if (dim.factor > 0 || (dim.is_number() && dim.offset > 0)) continue;
    throw OpError(fmt::format("the extents of a shape are at least 1, but it is {}", to_string(shape)), {},
                  "shape");
  }
  try {
    element_polynomial(shape);
  } catch (const Error&) {
    throw OpError(fmt::format("{} has too many elements to count", to_string(shape)), {}, "shape");
  }
  return shape;
}

void require_f32(const Type& type, const std::string& name) {
  if (type.dtype == DType::f32) return;
  throw OpError(fmt::format("it computes with f32, but {} is {}", name, to_string(type)),
                "Convert it first: cast(y, dtype=f32), or one_hot(y, depth=…) for labels.", name);
}

std::size_t resolved_axis(std::int64_t axis, const Shape& shape, const std::string& attribute) {
  const std::optional<std::size_t> resolved = normalised_axis(axis, shape.size());
  if (resolved) return *resolved;
  if (shape.empty()) throw OpError(fmt::format("a scalar has no axis {}", axis), {}, attribute);
  throw OpError(fmt::format("axis {} is out of range: the input is {}", axis, to_string(shape)),
                fmt::format("Axes count from 0 to {0}, or from the end: -1 is {0}.", shape.size() - 1),
                attribute);
}

std::vector<AxisMap> same_axes(const AxesContext& context) {
  std::vector<AxisMap> maps;
  for (const Type& input : context.inputs) {
    AxisMap map(input.shape.size());
    std::iota(map.begin(), map.end(), 0);
    maps.push_back(std::move(map));
  }
  return maps;
}

Type infer_first(const InferContext& context) {
  return context.inputs[0];
}

void reference_first(const ReferenceContext& context) {
  context.output.values = context.inputs[0]->values;
}

}  // namespace graphrun::ops
