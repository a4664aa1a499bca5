// Numbers that stand for others: (q − zero point) · scale.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

/// A scale or zero point beside x: one number, one for each place along an axis, or one for each block of it.
Term beside(Importer& importer, const Call& call, const Value& x, const Value& scale) {
  if (scale.rank() == 0) return {&importer, importer.node(scale)};
  if (x.rank() == 0) throw Unsupported("several scales of one number");
  const std::size_t axis = call.axis(call.integer("axis", 1), std::max<std::size_t>(x.rank(), 2)) %
                           std::max<std::size_t>(x.rank(), 1);
  if (scale.rank() == 1) {
    if (scale.shape[0].is_number(1)) return {&importer, importer.reshape(importer.node(scale), {})};
    Shape shape(x.rank() - axis, Dim::number(1));
    shape[0] = scale.shape[0];
    return {&importer, importer.reshape(importer.node(scale), shape)};
  }
  const std::int64_t block = call.integer("block_size", 0);
  if (block < 1 || scale.rank() != x.rank() || !scale.shape[axis].is_number() || !x.shape[axis].is_number() ||
      x.shape[axis].offset > Importer::most_indices)
    throw Unsupported("scales of several axes");
  std::vector<std::int64_t> from;
  for (std::int64_t i = 0; i < x.shape[axis].offset; ++i) from.push_back(i / block);
  return {&importer, importer.taken(importer.node(scale), axis, from)};
}

std::pair<double, double> range_of(ElementType type) {
  switch (type) {
    case ElementType::u2:
      return {0, 3};
    case ElementType::i2:
      return {-2, 1};
    case ElementType::u4:
      return {0, 15};
    case ElementType::i4:
      return {-8, 7};
    case ElementType::u8:
      return {0, 255};
    case ElementType::i8:
      return {-128, 127};
    case ElementType::u16:
      return {0, 65535};
    case ElementType::i16:
      return {-32768, 32767};
    default:
      throw Unsupported("a type of numbers that graphrun does not have");
  }
}

Term held(Term x, ElementType type) {
  const auto [low, high] = range_of(type);
  return x.with(x.importer->add("clip", {x.id}, {{"low", low}, {"high", high}}));
}

Results dequantized(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  Term y{&importer, importer.node(x)};
  if (call.has(2)) y = y - beside(importer, call, x, call.input(2));
  y = y * beside(importer, call, x, call.input(1));
  return {importer.value(y.id, ElementType::f32)};
}

Results quantized(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const auto fallback = call.has(2) ? call.input(2).type
                                    : static_cast<ElementType>(call.integer(
                                          "output_dtype", static_cast<std::int64_t>(ElementType::u8)));
  const Term scaled = Term{&importer, importer.node(x)} / beside(importer, call, x, call.input(1));
  if (is_small_float(fallback))
    return {importer.value(rounded_to(scaled, fallback, call.integer("saturate", 1) != 0).id, fallback)};
  range_of(fallback);
  Term y = rounded(scaled);
  if (call.has(2)) y = y + beside(importer, call, x, call.input(2));
  return {importer.value(held(y, fallback).id, fallback)};
}

Results dynamically_quantized(Importer& importer, const Call& call) {
  const Term x{&importer, importer.node(call.input(0))};
  const auto extreme = [&](Term of) { return apply("maximum", of.with(importer.add("max", {of.id})), 0.0); };
  const Term high = extreme(x);
  const Term low = -extreme(-x);
  const Term scale = (high - low) / 255.0;
  const Term zero = held(rounded(-low / scale), ElementType::u8);
  const Term y = held(rounded(x / scale) + zero, ElementType::u8);
  return {importer.value(y.id, ElementType::u8), importer.value(scale.id, ElementType::f32),
          importer.value(zero.id, ElementType::u8)};
}

Results integer_product(Importer& importer, const Call& call) {
  const auto shifted = [&](std::size_t i) {
    const Value& x = call.input(i);
    Term y{&importer, importer.node(x)};
    if (call.has(i + 2)) {
      const Value& zero = call.input(i + 2);
      const bool per_row = i == 0 && zero.rank() == 1 && !zero.shape[0].is_number(1);
      y = y - y.with(per_row ? importer.reshape(importer.node(zero), {zero.shape[0], Dim::number(1)})
                             : importer.node(zero));
    }
    return y;
  };
  return {importer.value(importer.product(shifted(0).id, shifted(1).id), ElementType::i32)};
}

/// a, its scale and zero point; b, the same; those of y.
Results quantized_product(Importer& importer, const Call& call) {
  const auto real = [&](std::size_t i) {
    const Value& x = call.input(i);
    const auto side = [&](const Value& scale) -> Term {
      if (scale.rank() == 1 && !scale.shape[0].is_number(1) && i == 0)
        return {&importer, importer.reshape(importer.node(scale), {scale.shape[0], Dim::number(1)})};
      return {&importer, importer.node(scale)};
    };
    return (Term{&importer, importer.node(x)} - side(call.input(i + 2))) * side(call.input(i + 1));
  };
  const Term product{&importer, importer.product(real(0).id, real(3).id)};
  const Term scale{&importer, importer.node(call.input(6))};
  const Term zero{&importer, importer.node(call.input(7))};
  const ElementType type = call.input(7).type;
  return {importer.value(held(rounded(product / scale) + zero, type).id, type)};
}

constexpr ImportedOp table[] = {
    {"DequantizeLinear", dequantized},
    {"QuantizeLinear", quantized},
    {"DynamicQuantizeLinear", dynamically_quantized},
    {"MatMulInteger", integer_product},
    {"QLinearMatMul", quantized_product},
};

}  // namespace

std::span<const ImportedOp> quantization_imports() {
  return table;
}

}  // namespace graphrun::onnx
