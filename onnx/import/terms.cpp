// Formulas of nodes, and what the families of ops share.
#include <fmt/format.h>

#include <algorithm>

#include "onnx/import/importer.hpp"

namespace graphrun::onnx {

Term apply(std::string_view op, Term a) {
  return a.with(a.importer->add(op, {a.id}));
}
Term apply(std::string_view op, Term a, Term b) {
  return a.with(a.importer->add(op, {a.id, b.id}));
}
Term apply(std::string_view op, Term a, double b) {
  return apply(op, a, a.with(a.importer->number(b)));
}
Term choose(Term condition, Term a, Term b) {
  return a.with(a.importer->add("where", {condition.id, a.id, b.id}));
}
Term operator+(Term a, Term b) {
  return apply("add", a, b);
}
Term operator-(Term a, Term b) {
  return apply("sub", a, b);
}
Term operator*(Term a, Term b) {
  return apply("mul", a, b);
}
Term operator/(Term a, Term b) {
  return apply("div", a, b);
}
Term operator+(Term a, double b) {
  return apply("add", a, b);
}
Term operator-(Term a, double b) {
  return apply("sub", a, b);
}
Term operator*(Term a, double b) {
  return apply("mul", a, b);
}
Term operator/(Term a, double b) {
  return apply("div", a, b);
}
Term operator-(double a, Term b) {
  return b.with(b.importer->number(a)) - b;
}
Term operator/(double a, Term b) {
  return b.with(b.importer->number(a)) / b;
}
Term operator-(Term a) {
  return apply("neg", a);
}

Term rounded(Term x) {
  const auto floor = [](Term y) { return y.with(y.importer->floor(y.id)); };
  const Term below = floor(x);
  const Term rest = x - below;
  const Term odd = below - floor(below / 2.0) * 2.0;
  return below + apply("greater", rest, 0.5) + apply("equal", rest, 0.5) * odd;
}

std::optional<Value> in_image_order(const Importer& importer, const Value& weight, std::size_t axis,
                                    const layers::ImageExtents& image) {
  const std::int64_t pixels = image.height * image.width * image.channels;
  if (!weight.stored || axis >= weight.rank() || !weight.shape[axis].is_number(pixels)) return std::nullopt;
  if (!weight.stored->name.empty() && !importer.is_used_once(*weight.stored)) return std::nullopt;
  Stored turned = *weight.stored;
  turned.values = layers::reordered(turned.values, turned.extents, axis,
                                    layers::inverse_of(layers::channels_first_order(image)));
  return value_of(std::move(turned), weight.type);
}

namespace {

/// Rows of flattened images stay as they are beside numbers, vectors of weights, and rows of the same images.
std::optional<Operands> flat_operands(Importer& importer, const std::vector<Value>& values) {
  const auto first = std::ranges::find_if(values, [](const Value& value) { return value.flat.has_value(); });
  if (first == values.end()) return std::nullopt;
  std::vector<Value> beside = values;
  for (Value& value : beside) {
    const bool is_number =
        value.is_constant() && (value.rank() == 0 || (value.rank() == 1 && value.shape[0].is_number(1)));
    if (value.flat == first->flat || is_number) continue;
    std::optional<Value> turned =
        value.rank() == 1 ? in_image_order(importer, value, 0, *first->flat) : std::nullopt;
    if (!turned) return std::nullopt;
    value = std::move(*turned);
  }
  Operands result{{}, natural_order(2), first->flat};
  for (const Value& value : beside)
    result.nodes.push_back({&importer, value.flat ? *value.node : importer.operand(value, 2, result.order)});
  return result;
}

}  // namespace

Operands operands_of(Importer& importer, const std::vector<Value>& values) {
  if (std::optional<Operands> flat = flat_operands(importer, values)) return *flat;
  Operands result;
  std::size_t rank = 0;
  for (const Value& value : values) rank = std::max(rank, value.rank());
  result.order = natural_order(rank);
  for (const Value& value : values) {
    if (value.rank() != rank || !value.node || value.flat) continue;
    result.order = value.order;
    break;
  }
  for (const Value& value : values)
    result.nodes.push_back({&importer, importer.operand(value, rank, result.order)});
  return result;
}

Value result_of(const Operands& operands, Term node, ElementType type) {
  Value result = node.importer->value(node.id, type, operands.order);
  result.flat = operands.flat;
  return result;
}

Shape flattened_shape(const Shape& shape, std::size_t axis) {
  Shape result(2, Dim::number(1));
  for (std::size_t i = 0; i < shape.size(); ++i) {
    Dim& side = result[i < axis ? 0 : 1];
    if (side.is_number())
      side = {checked_multiply(side.offset, shape[i].factor), checked_multiply(side.offset, shape[i].offset)};
    else if (shape[i].is_number())
      side = {checked_multiply(side.factor, shape[i].offset), checked_multiply(side.offset, shape[i].offset)};
    else
      throw Unsupported("axes that both have the batch are joined");
  }
  return result;
}

/// Polynomials in the batch are divided as numbers are, the highest power first.
Dim open_extent(const Shape& from, const Shape& to, std::size_t open) {
  Shape rest = to;
  rest[open] = Dim::number(1);
  std::vector<std::int64_t> left = element_polynomial(from);
  const std::vector<std::int64_t> divisor = element_polynomial(rest);
  const auto refuse = [&]() -> Dim {
    throw Unsupported(fmt::format("{} does not become {}", to_string(from), to_string(to)));
  };
  if (divisor.back() == 0 || left.size() < divisor.size() || left.size() > divisor.size() + 1)
    return refuse();
  Dim result;
  for (std::size_t power = left.size() - divisor.size() + 1; power-- > 0;) {
    const std::int64_t factor = left[power + divisor.size() - 1] / divisor.back();
    (power == 1 ? result.factor : result.offset) = factor;
    for (std::size_t i = 0; i < divisor.size(); ++i) left[power + i] -= checked_multiply(factor, divisor[i]);
  }
  if (std::ranges::any_of(left, [](std::int64_t x) { return x != 0; })) return refuse();
  return result;
}

namespace {

/// Does the order only move axes of one element? Then the elements lie as in natural order.
bool lies_naturally(const Value& x) {
  std::size_t last = 0;
  for (const std::size_t axis : x.order) {
    if (x.shape[axis].is_number(1)) continue;
    if (axis < last) return false;
    last = axis;
  }
  return true;
}

std::optional<layers::ImageExtents> image_of(const Shape& shape) {
  if (shape.size() != 4) return std::nullopt;
  if (!shape[1].is_number() || !shape[2].is_number() || !shape[3].is_number()) return std::nullopt;
  return layers::ImageExtents{shape[2].offset, shape[3].offset, shape[1].offset};
}

Shape channels_last_shape(const Shape& shape) {
  return {shape[0], shape[2], shape[3], shape[1]};
}

bool flattens(const Shape& images, const Shape& rows) {
  const std::optional<layers::ImageExtents> image = image_of(images);
  return image && rows.size() == 2 && images[0] == rows[0] &&
         rows[1].is_number(image->height * image->width * image->channels);
}

}  // namespace

Value reshaped(Importer& importer, const Value& x, const Shape& shape) {
  Value result = x;
  result.shape = shape;
  if (!x.node) return importer.value(importer.reshape(importer.node(x), shape), x.type);
  if (x.flat && flattens(shape, x.shape) && image_of(shape) == *x.flat) {
    result.flat.reset();
    result.order = channels_last(4);
    result.node = importer.reshape(*x.node, channels_last_shape(shape));
    return result;
  }
  if (!x.flat && x.order == channels_last(4) && !lies_naturally(x) && flattens(x.shape, shape)) {
    result.flat = image_of(x.shape);
    result.order = natural_order(2);
    result.node = importer.reshape(*x.node, shape);
    return result;
  }
  if (!x.flat && flattens(shape, x.shape) && importer.turn_columns(x, *image_of(shape))) {
    result.order = channels_last(4);
    result.node = importer.reshape(*x.node, channels_last_shape(shape));
    return result;
  }
  const NodeId node = !x.flat && lies_naturally(x) ? *x.node : importer.node(x);
  return importer.value(importer.reshape(node, shape), x.type);
}

Value reduced(Importer& importer, const Value& x, std::vector<std::size_t> axes, bool keepdims,
              const std::function<NodeId(NodeId, std::vector<std::int64_t>, bool)>& reduce) {
  Order order;
  const NodeId node = importer.any_order(x, order);
  std::vector<std::int64_t> places;
  for (const std::size_t axis : axes) places.push_back(static_cast<std::int64_t>(place_of(order, axis)));
  std::ranges::sort(places);
  const NodeId result = reduce(node, places, keepdims);
  if (keepdims) return importer.value(result, x.type, order);
  Order left;
  for (const std::size_t axis : order) {
    if (std::ranges::find(axes, axis) != axes.end()) continue;
    left.push_back(axis - static_cast<std::size_t>(
                              std::ranges::count_if(axes, [&](std::size_t a) { return a < axis; })));
  }
  return importer.value(result, x.type, left);
}

}  // namespace graphrun::onnx
