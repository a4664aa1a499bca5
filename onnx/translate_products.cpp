#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "onnx/translation.hpp"

namespace graphrun::onnx {

namespace {

bool is_transposed(const Node& matmul, const char* which) {
  return matmul.attributes.flag(which);
}

/// The matrix, its rows in the order of a flat operand and its columns in that of a flat result.
Value weight(Emitter& emitter, NodeId matmul) {
  const Node& node = emitter.node(matmul);
  const NodeId w = node.inputs[1];
  const Layout rows = emitter.layout(node.inputs[0]);
  const Layout columns = emitter.planned(matmul);
  if (rows == plain && columns == plain) return emitter.value(w);
  const std::size_t row_axis = is_transposed(node, "transpose_b") ? 1 : 0;
  const std::string key = fmt::format("axis {}: {} {}, {} {}", row_axis, rows.image.channels,
                                      rows.image.width, columns.image.channels, columns.image.width);
  return emitter.stored(w, key, [&] {
    const Extents extents = graphrun::bind(emitter.node(w).type.shape, 1);
    std::vector<float> values = emitter.numbers(w);
    if (rows != plain)
      values = layers::reordered(values, extents, row_axis, layers::channels_first_order(rows.image));
    if (columns != plain)
      values = layers::reordered(values, extents, 1 - row_axis, layers::channels_first_order(columns.image));
    return Emitter::Stored{extents, std::move(values)};
  });
}

/// The first operand as it lies: a flat one meets the matrix's rows in its own order.
Value left(Emitter& emitter, NodeId matmul) {
  const NodeId x = emitter.node(matmul).inputs[0];
  const bool is_flat = emitter.layout(x).kind == Layout::Kind::flat;
  return emitter.value(x, is_flat ? emitter.layout(x) : plain);
}

std::size_t rank_of(const Emitter& emitter, NodeId id) {
  return emitter.node(id).type.shape.size();
}

/// An operand of more than two axes, turned where the flag says so: MatMul has no flags.
Value matrices(Emitter& emitter, NodeId id, bool is_turned) {
  const Value value = emitter.value(id);
  if (!is_turned) return value;
  std::vector<std::int64_t> order(rank_of(emitter, id));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[order.size() - 2], order.back());
  return emitter.add("Transpose", {value}, {{"perm", order}});
}

Value product(Emitter& emitter, NodeId matmul, std::optional<Value> bias) {
  const Node& node = emitter.node(matmul);
  if (rank_of(emitter, matmul) > 2)
    return emitter.add("MatMul", {matrices(emitter, node.inputs[0], is_transposed(node, "transpose_a")),
                                  matrices(emitter, node.inputs[1], is_transposed(node, "transpose_b"))});
  const bool a = is_transposed(node, "transpose_a");
  const bool b = is_transposed(node, "transpose_b");
  std::vector<Value> inputs{left(emitter, matmul), weight(emitter, matmul)};
  if (!a && !b && !bias) return emitter.add("MatMul", std::move(inputs));
  if (bias) inputs.push_back(*bias);
  std::vector<AttributeRecord> attributes;
  if (a) attributes.push_back({"transA", std::int64_t{1}});
  if (b) attributes.push_back({"transB", std::int64_t{1}});
  return emitter.add("Gemm", std::move(inputs), std::move(attributes));
}

void matmul(Emitter& emitter, NodeId id) {
  emitter.define(id, product(emitter, id, std::nullopt), emitter.planned(id));
}

/// [h, w, in, out] is [out, in, h, w] there; in and out change places where the op does.
Value kernel(Emitter& emitter, NodeId w) {
  if (!layers::is_stored(emitter.node(w)))
    return emitter.add("Transpose", {emitter.value(w)}, {{"perm", std::vector<std::int64_t>{3, 2, 0, 1}}});
  return emitter.stored(w, "kernel", [&] {
    const Extents e = graphrun::bind(emitter.node(w).type.shape, 1);
    return Emitter::Stored{{e[3], e[2], e[0], e[1]}, layers::transposed(emitter.numbers(w), e, {3, 2, 0, 1})};
  });
}

/// What ONNX adds to the least size of a result along an axis.
std::int64_t output_padding(const WindowAxis& axis, Dim x, Dim y) {
  return y.offset - ((x.offset - 1) * axis.stride - axis.before - axis.after + axis.reach());
}

Value convolved(Emitter& emitter, NodeId id, std::optional<Value> bias) {
  const Node& node = emitter.node(id);
  const Shape& x = emitter.node(node.inputs[0]).type.shape;
  const Shape& w = emitter.node(node.inputs[1]).type.shape;
  const bool enlarges = node.op->name == "transposed_convolution";
  const Shape& y = node.type.shape;
  const Window window = window_of({w[0].offset, w[1].offset}, node.attributes);
  std::vector<AttributeRecord> attributes = window_records(window);
  if (const std::int64_t groups = node.attributes.integer("groups"); groups != 1)
    attributes.push_back({"group", groups});
  const std::vector<std::int64_t> more = {output_padding(window.vertical, x[1], y[1]),
                                          output_padding(window.horizontal, x[2], y[2])};
  if (enlarges && more != std::vector<std::int64_t>{0, 0}) attributes.push_back({"output_padding", more});
  std::vector<Value> inputs{emitter.value(node.inputs[0], channels_first), kernel(emitter, node.inputs[1])};
  if (bias) inputs.push_back(*bias);
  return emitter.add(enlarges ? "ConvTranspose" : "Conv", std::move(inputs), std::move(attributes));
}

void convolution(Emitter& emitter, NodeId id) {
  emitter.define(id, convolved(emitter, id, std::nullopt), channels_first);
}

/// One number for each column of a product, or one for all.
bool is_bias_of(const Emitter& emitter, NodeId bias, NodeId product) {
  const Shape& shape = emitter.node(bias).type.shape;
  const Dim columns = emitter.node(product).type.shape.back();
  if (emitter.node(product).op->name != "matmul") return shape == Shape{columns};
  return shape.empty() || shape == Shape{columns} || shape == Shape{Dim::number(1), columns};
}

bool define_product(Emitter& emitter, NodeId id, NodeId product_id, NodeId bias) {
  const std::string& op = emitter.node(product_id).op->name;
  const bool is_matmul = op == "matmul";
  if (!is_matmul && op != "convolution" && op != "transposed_convolution") return false;
  if (is_matmul && rank_of(emitter, product_id) > 2) return false;  // Gemm is for two axes
  if (emitter.uses(product_id) != 1 || !is_bias_of(emitter, bias, product_id)) return false;
  const Layout columns = emitter.planned(id);
  if (columns != emitter.planned(product_id)) return false;
  if (is_matmul)
    emitter.define(id, product(emitter, product_id, emitter.value(bias, columns)), columns);
  else
    emitter.define(id, convolved(emitter, product_id, emitter.value(bias)), channels_first);
  return true;
}

constexpr TranslatedOp translations[] = {
    {"convolution", convolution}, {"matmul", matmul}, {"transposed_convolution", convolution}};

}  // namespace

bool define_affine(Emitter& emitter, NodeId id) {
  const std::vector<NodeId> inputs = emitter.node(id).inputs;
  return define_product(emitter, id, inputs[0], inputs[1]) ||
         define_product(emitter, id, inputs[1], inputs[0]);
}

std::span<const TranslatedOp> product_translations() {
  return translations;
}

}  // namespace graphrun::onnx
