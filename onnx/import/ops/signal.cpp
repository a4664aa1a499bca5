// Signals: Fourier transforms as products with matrices that are known, and the windows before them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

constexpr std::int64_t most_elements = 1 << 24;

/// From `in` places to `out` frequencies (or back) of a period: cosines and sines, [in, out].
struct Waves {
  NodeId cosines;
  NodeId sines;
};

Waves waves_of(Importer& importer, std::int64_t in, std::int64_t out, std::int64_t period) {
  if (checked_multiply(in, out) > most_elements) throw Unsupported("a transform of too many places");
  std::vector<double> cosines;
  std::vector<double> sines;
  for (std::int64_t place = 0; place < in; ++place)
    for (std::int64_t wave = 0; wave < out; ++wave) {
      const bool counts = place < period;  // what is longer is cut
      const double turn = static_cast<double>(place * wave % period) / static_cast<double>(period);
      cosines.push_back(counts ? std::cos(2 * std::numbers::pi * turn) : 0);
      sines.push_back(counts ? std::sin(2 * std::numbers::pi * turn) : 0);
    }
  return {importer.constant(std::move(cosines), {in, out}), importer.constant(std::move(sines), {in, out})};
}

/// Real numbers, and imaginary ones where the last axis has them, with the transform's axis last.
std::vector<NodeId> parts_of(Importer& importer, NodeId x, std::size_t axis) {
  const Shape shape = importer.type(x).shape;
  Order last;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i)
    if (i != axis) last.push_back(i);
  last.push_back(axis);
  std::vector<NodeId> parts;
  for (std::int64_t part = 0; part < shape.back().offset; ++part) {
    const NodeId one = importer.sliced(x, shape.size() - 1, part, part + 1);
    parts.push_back(importer.transpose(importer.reshape(one, Shape(shape.begin(), shape.end() - 1)), last));
  }
  return parts;
}

Results fourier_transform(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  if (x.rank() < 2 || !(x.shape.back().is_number(1) || x.shape.back().is_number(2)))
    throw Unsupported("a transform of numbers that are neither real nor complex");
  const bool has_axis_input = call.opset() >= 20;
  const std::int64_t written =
      has_axis_input ? (call.has(2) ? call.integers(2).at(0) : -2) : call.integer("axis", 1);
  const std::size_t axis = call.axis(written, x.rank());
  if (axis + 1 == x.rank() || !x.shape[axis].is_number())
    throw Unsupported("a transform along no known axis");
  const bool is_inverse = call.integer("inverse", 0) != 0;
  const bool is_onesided = call.integer("onesided", 0) != 0;
  if (is_inverse && is_onesided) throw Unsupported("the inverse of half a transform");
  const std::int64_t period = call.has(1) ? call.integers(1).at(0) : x.shape[axis].offset;
  if (period < 1 || period > most_elements)
    throw Unsupported(fmt::format("a transform of {} places", period));
  const Waves waves = waves_of(importer, x.shape[axis].offset, is_onesided ? period / 2 + 1 : period, period);
  const std::vector<NodeId> parts = parts_of(importer, importer.node(x), axis);
  const auto product = [&](std::size_t part, NodeId by) -> Term {
    const NodeId in = parts[part];
    if (importer.type(in).shape.size() > 1) return {&importer, importer.product(in, by)};
    const NodeId row = importer.reshape(in, {Dim::number(1), importer.type(in).shape[0]});
    const NodeId y = importer.product(row, by);
    return {&importer, importer.reshape(y, {importer.type(y).shape[1]})};
  };
  const double sign = is_inverse ? 1 : -1;
  Term real = product(0, waves.cosines);
  Term imaginary = product(0, waves.sines) * sign;
  if (parts.size() == 2) {
    real = real - product(1, waves.sines) * sign;
    imaginary = imaginary + product(1, waves.cosines);
  }
  Order last;
  for (std::size_t i = 0; i + 1 < x.rank(); ++i)
    if (i != axis) last.push_back(i);
  last.push_back(axis);
  std::vector<NodeId> both;
  for (Term part : {real, imaginary}) {
    if (is_inverse) part = part / static_cast<double>(period);
    const NodeId back = importer.transpose(part.id, inverse(last));
    Shape shape = importer.type(back).shape;
    shape.push_back(Dim::number(1));
    both.push_back(importer.reshape(back, shape));
  }
  return {importer.value(importer.joined(std::move(both), x.rank() - 1), x.type)};
}

/// a - b cos(turn) + c cos(2 turn).
template <int a, int b, int c, int whole>
Results window(Importer&, const Call& call) {
  const std::int64_t size = call.integers(0).at(0);
  if (size < 1 || size > most_elements) throw Unsupported(fmt::format("a window of {} places", size));
  const std::int64_t period = call.integer("periodic", 1) != 0 ? size : size - 1;
  std::vector<float> values;
  for (std::int64_t i = 0; i < size; ++i) {
    const double turn = 2 * std::numbers::pi * static_cast<double>(i) /
                        static_cast<double>(std::max<std::int64_t>(period, 1));
    values.push_back(static_cast<float>((a - b * std::cos(turn) + c * std::cos(2 * turn)) / whole));
  }
  const auto type =
      static_cast<ElementType>(call.integer("output_datatype", static_cast<std::int64_t>(ElementType::f32)));
  if (!is_float(type)) throw Unsupported("a window of whole numbers");
  return {value_of(Stored{"", {size}, std::move(values)}, type)};
}

constexpr ImportedOp table[] = {{"BlackmanWindow", window<42, 50, 8, 100>},
                                {"DFT", fourier_transform},
                                {"HammingWindow", window<25, 21, 0, 46>},
                                {"HannWindow", window<1, 1, 0, 2>}};

}  // namespace

std::span<const ImportedOp> signal_imports() {
  return table;
}

}  // namespace graphrun::onnx
