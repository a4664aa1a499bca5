// Matrix products.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "onnx/import/importer.hpp"

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

// ---- Einstein's sums: of one or two operands ----

struct Subscripts {
  std::vector<std::string> inputs;
  std::string output;
};
Subscripts subscripts_of(std::string equation) {
  std::erase(equation, ' ');
  if (equation.find('.') != std::string::npos) throw Unsupported("an equation with ...");
  Subscripts result;
  const std::size_t arrow = equation.find("->");
  std::string left = equation.substr(0, arrow);
  std::size_t at = 0;
  for (std::size_t comma = left.find(','); comma != std::string::npos; comma = left.find(',', at)) {
    result.inputs.push_back(left.substr(at, comma - at));
    at = comma + 1;
  }
  result.inputs.push_back(left.substr(at));
  if (arrow != std::string::npos) {
    result.output = equation.substr(arrow + 2);
  } else {
    std::erase(left, ',');
    for (const char letter : left)
      if (std::ranges::count(left, letter) == 1) result.output += letter;
    std::ranges::sort(result.output);
  }
  return result;
}

/// Each operand is stretched over all letters, they are multiplied, and what the result has not is summed.
Results einsum(Importer& importer, const Call& call) {
  const Subscripts subscripts = subscripts_of(call.text("equation", ""));
  std::string letters = subscripts.output;
  for (const std::string& input : subscripts.inputs)
    for (const char letter : input)
      if (letters.find(letter) == std::string::npos) letters += letter;
  if (subscripts.inputs.size() != call.size()) throw Unsupported("an equation of another number of operands");
  std::optional<Term> product;
  for (std::size_t i = 0; i < call.size(); ++i) {
    const std::string& own = subscripts.inputs[i];
    if (own.size() != call.input(i).rank()) throw Unsupported("an equation of other axes");
    Order order;
    Shape shape;
    for (const char letter : letters) {
      const std::size_t axis = own.find(letter);
      if (axis != own.rfind(letter)) throw Unsupported("a diagonal in an equation");
      shape.push_back(axis == std::string::npos ? Dim::number(1) : call.input(i).shape[axis]);
      if (axis != std::string::npos) order.push_back(axis);
    }
    const Term x{&importer, importer.reshape(importer.node(call.input(i), order), shape)};
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
