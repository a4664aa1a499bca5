// Matrix products.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

struct Factors {
  NodeId left;
  NodeId right;
};
/// x and a weight [inputs, units] (in this order of its own axes).
Factors factors_of(Importer& importer, const Value& x, const Value& weight, const Order& order) {
  if (x.flat && weight.rank() == 2)
    if (const std::optional<Value> turned = in_image_order(importer, weight, order[0], *x.flat))
      return {*x.node, importer.node(*turned, order)};
  return {importer.node(x), importer.node(weight, order)};
}

Results matmul(Importer& importer, const Call& call) {
  const Value& a = call.input(0);
  const Value& b = call.input(1);
  if (a.rank() == 0 || b.rank() == 0) throw Unsupported("a product with a number");
  if (a.rank() == 2 && b.rank() == 2) {
    if (a.node && !a.flat && !is_natural(a.order)) {
      const NodeId y = importer.product(importer.node(a, a.order), importer.node(b), true);
      return {importer.value(y, a.type)};
    }
    const Factors factors = factors_of(importer, a, b, natural_order(2));
    const bool turned = b.node && !b.flat && !is_natural(b.order);
    const NodeId right = turned ? *b.node : factors.right;
    return {importer.value(importer.product(factors.left, right, false, turned), a.type)};
  }
  NodeId left = importer.node(a);
  NodeId right = importer.node(b);
  if (a.rank() == 1) left = importer.reshape(left, {Dim::number(1), a.shape[0]});
  if (b.rank() == 1) right = importer.reshape(right, {b.shape[0], Dim::number(1)});
  NodeId y = importer.product(left, right);
  Shape shape = importer.type(y).shape;
  if (b.rank() == 1) shape.pop_back();
  if (a.rank() == 1) shape.erase(shape.end() - (b.rank() == 1 ? 1 : 2));
  return {importer.value(importer.reshape(y, shape), a.type)};
}

Results gemm(Importer& importer, const Call& call) {
  const Value& a = call.input(0);
  const Value& b = call.input(1);
  if (a.rank() != 2 || b.rank() != 2) throw Unsupported("Gemm of no matrices");
  const bool turn_a = call.integer("transA", 0) != 0;
  const bool turn_b = call.integer("transB", 0) != 0;
  const bool is_layer = turn_b && b.stored && importer.is_used_once(*b.stored);
  const Order order = is_layer ? Order{1, 0} : natural_order(2);
  const Factors factors =
      turn_a ? Factors{importer.node(a), importer.node(b, order)} : factors_of(importer, a, b, order);
  Term y{&importer, importer.product(factors.left, factors.right, turn_a, turn_b && !is_layer)};
  if (const double alpha = call.number("alpha", 1); alpha != 1) y = y * alpha;
  if (const double beta = call.number("beta", 1); call.has(2) && beta != 0) {
    Term c = y.with(importer.operand(call.input(2), 2, natural_order(2)));
    if (beta != 1) c = c * beta;
    y = y + c;
  }
  return {importer.value(y.id, a.type)};
}

// ---- Einstein's sums ----

/// An axis of an operand is a letter; what "..." stands for are letters of its own, the last axis the last.
struct Subscripts {
  std::vector<std::string> inputs;
  std::string output;
};

/// "...ij" as letters for all axes.
std::string spelled_out(std::string letters, std::size_t axes, std::size_t most) {
  const std::size_t dots = letters.find("...");
  if (dots == std::string::npos) return letters;
  if (axes > most) throw Unsupported("an equation of other axes");
  std::string all;
  for (std::size_t i = most - axes; i < most; ++i) all += static_cast<char>(1 + i);
  return letters.replace(dots, 3, all);
}

bool has(const std::string& letters, char letter) {
  return letters.find(letter) != std::string::npos;
}

Subscripts subscripts_of(const Call& call) {
  std::string equation = call.text("equation", "");
  std::erase(equation, ' ');
  const std::size_t arrow = equation.find("->");
  const std::string left = equation.substr(0, arrow);
  Subscripts result;
  for (std::size_t at = 0; at <= left.size();) {
    const std::size_t comma = std::min(left.find(',', at), left.size());
    result.inputs.push_back(left.substr(at, comma - at));
    at = comma + 1;
  }
  if (result.inputs.size() != call.size()) throw Unsupported("an equation of another number of operands");
  std::vector<std::size_t> dots;  // how many axes they are
  for (std::size_t i = 0; i < call.size(); ++i) {
    const bool has_dots = result.inputs[i].find("...") != std::string::npos;
    const std::size_t letters = result.inputs[i].size() - (has_dots ? 3 : 0);
    if (letters > call.input(i).rank()) throw Unsupported("an equation of other axes");
    dots.push_back(has_dots ? call.input(i).rank() - letters : 0);
  }
  const std::size_t most = *std::ranges::max_element(dots);
  std::string all;
  for (std::size_t i = 0; i < call.size(); ++i) {
    result.inputs[i] = spelled_out(result.inputs[i], dots[i], most);
    if (result.inputs[i].size() != call.input(i).rank()) throw Unsupported("an equation of other axes");
    all += result.inputs[i];
  }
  if (arrow != std::string::npos) {
    result.output = spelled_out(equation.substr(arrow + 2), most, most);
    for (const char letter : result.output)
      if (!has(all, letter)) throw Unsupported("an equation whose result has a letter of no operand");
  } else {
    result.output = spelled_out(most > 0 ? "..." : "", most, most);
    std::ranges::sort(all);
    for (const char letter : all)
      if (std::isalpha(static_cast<unsigned char>(letter)) != 0 && std::ranges::count(all, letter) == 1)
        result.output += letter;
  }
  return result;
}

Order axes_of(const std::string& own, const std::string& letters) {
  Order order;
  for (const char letter : letters) order.push_back(own.find(letter));
  return order;
}

Shape shape_of(const Value& x, const std::string& own, const std::string& letters) {
  Shape shape;
  for (const char letter : letters) shape.push_back(x.shape[own.find(letter)]);
  return shape;
}

/// Two operands as a matrix product: the letters that both have and the result has not are summed, those of
/// one alone are rows or columns, and those of all three stay before. Nothing for what is no such product.
std::optional<Value> product_of(Importer& importer, const Call& call, const Subscripts& subscripts) {
  if (call.size() != 2) return std::nullopt;
  const std::string& a = subscripts.inputs[0];
  const std::string& b = subscripts.inputs[1];
  std::string before, rows, columns, summed;
  for (const char letter : a) {
    const bool stays = has(subscripts.output, letter);
    if (!stays && !has(b, letter)) return std::nullopt;
    std::string& group = !stays ? summed : has(b, letter) ? before : rows;
    group += letter;
  }
  for (const char letter : b) {
    if (has(a, letter)) continue;
    if (!has(subscripts.output, letter)) return std::nullopt;
    columns += letter;
  }
  const Value& left = call.input(0);
  const Value& right = call.input(1);
  if (summed.empty() || shape_of(left, a, summed) != shape_of(right, b, summed)) return std::nullopt;
  const auto matrices = [&](const Value& x, const std::string& own, const std::string& high,
                            const std::string& wide) {
    Shape shape = shape_of(x, own, before);
    for (const std::string& side : {high, wide})
      shape.push_back(flattened_shape(shape_of(x, own, side), 0)[1]);
    return importer.reshape(importer.node(x, axes_of(own, before + high + wide)), shape);
  };
  NodeId y = importer.product(matrices(left, a, rows, summed), matrices(right, b, summed, columns));
  Shape shape = importer.type(y).shape;
  shape.resize(before.size());
  for (const Dim& dim : shape_of(left, a, rows)) shape.push_back(dim);
  for (const Dim& dim : shape_of(right, b, columns)) shape.push_back(dim);
  return importer.value(importer.reshape(y, shape), left.type,
                        axes_of(subscripts.output, before + rows + columns));
}

/// Else each operand is stretched over all letters, they are multiplied, and what the result has not is
/// summed.
Results einsum(Importer& importer, const Call& call) {
  const Subscripts subscripts = subscripts_of(call);
  std::vector<std::string> groups = subscripts.inputs;
  groups.push_back(subscripts.output);
  for (const std::string& own : groups)
    for (const char letter : own)
      if (std::ranges::count(own, letter) > 1) throw Unsupported("a diagonal in an equation");
  if (std::optional<Value> product = product_of(importer, call, subscripts)) return {*product};
  std::string letters = subscripts.output;
  for (const std::string& own : subscripts.inputs)
    for (const char letter : own)
      if (!has(letters, letter)) letters += letter;
  std::optional<Term> product;
  for (std::size_t i = 0; i < call.size(); ++i) {
    const std::string& own = subscripts.inputs[i];
    std::string there;
    Shape shape;
    for (const char letter : letters) {
      shape.push_back(has(own, letter) ? call.input(i).shape[own.find(letter)] : Dim::number(1));
      if (has(own, letter)) there += letter;
    }
    const Term x{&importer, importer.reshape(importer.node(call.input(i), axes_of(own, there)), shape)};
    product = product ? *product * x : x;
  }
  std::vector<std::int64_t> summed;
  for (std::size_t i = subscripts.output.size(); i < letters.size(); ++i)
    summed.push_back(static_cast<std::int64_t>(i));
  const NodeId y = summed.empty() ? product->id : importer.sum(product->id, summed, false);
  return {importer.value(y, call.input(0).type)};
}

constexpr ImportedOp table[] = {{"MatMul", matmul}, {"Gemm", gemm}, {"Einsum", einsum}};

}  // namespace

std::span<const ImportedOp> product_imports() {
  return table;
}

}  // namespace graphrun::onnx
