#include <fmt/format.h>

#include "ops/declaration.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

/// The product is [m, k] x [k, n]; a flag says that an operand is stored the other way round.
struct Flags {
  explicit Flags(const Attributes& attributes)
      : a(attributes.flag("transpose_a")), b(attributes.flag("transpose_b")) {}
  bool a;
  bool b;
};

void require_matrix(const Type& type, const std::string& name) {
  require_f32(type, name);
  if (type.shape.size() == 2) return;
  throw OpError(
      fmt::format("it multiplies two-dimensional operands, but {} is {}", name, to_string(type.shape)),
      type.shape.size() > 2 ? "Make it a row for each sample: reshape(x, shape=[batch, -1])."
                            : "Give it a second axis: reshape(x, shape=[-1, 1]).",
      name);
}

/// A change of the flags that makes the inner sizes equal.
std::string flag_that_fits(const Shape& a, const Shape& b, Flags flags) {
  const Dim inner_a = a[flags.a ? 0 : 1];
  const Dim inner_b = b[flags.b ? 1 : 0];
  if (inner_a == b[flags.b ? 0 : 1]) return fmt::format("transpose_b: {}", !flags.b);
  if (inner_b == a[flags.a ? 1 : 0]) return fmt::format("transpose_a: {}", !flags.a);
  return {};
}

Type infer(const InferContext& context) {
  require_matrix(context.inputs[0], "x");
  require_matrix(context.inputs[1], "w");
  const Flags flags(context.attributes);
  const Shape& a = context.inputs[0].shape;
  const Shape& b = context.inputs[1].shape;
  if (a[flags.a ? 0 : 1] != b[flags.b ? 1 : 0]) {
    const std::string fit = flag_that_fits(a, b, flags);
    throw OpError(fmt::format("inner sizes differ: x is {}{}, w is {}{}", to_string(a),
                              flags.a ? " (transposed)" : "", to_string(b), flags.b ? " (transposed)" : ""),
                  fit.empty() ? fmt::format("The columns of x must be as many as the rows of w.")
                              : fmt::format("Did you mean {}?", fit));
  }
  return {DType::f32, {a[flags.a ? 1 : 0], b[flags.b ? 0 : 1]}};
}

std::vector<AxisMap> axes(const AxesContext& context) {
  const Flags flags(context.attributes);
  return {flags.a ? AxisMap{contracted, 0} : AxisMap{0, contracted},
          flags.b ? AxisMap{1, contracted} : AxisMap{contracted, 1}};
}

/// Row by row, k ascending.
void reference(const ReferenceContext& context) {
  const Flags flags(context.node.attributes);
  const HostTensor& a = *context.inputs[0];
  const HostTensor& b = *context.inputs[1];
  HostTensor& y = context.output;
  const auto m = static_cast<std::size_t>(y.extents[0]);
  const auto n = static_cast<std::size_t>(y.extents[1]);
  const auto k = static_cast<std::size_t>(a.extents[flags.a ? 0 : 1]);
  for (std::size_t row = 0; row < m; ++row) {
    for (std::size_t inner = 0; inner < k; ++inner) {
      const double left = a.values[flags.a ? inner * m + row : row * k + inner];
      for (std::size_t column = 0; column < n; ++column) {
        y.values[row * n + column] += left * b.values[flags.b ? column * k + inner : inner * n + column];
      }
    }
  }
}

Term product(Term a, bool transpose_a, Term b, bool transpose_b) {
  return call("matmul", {a, b}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}});
}

Gradients vjp(VjpContext& context) {
  const Flags flags(context.node().attributes);
  const VjpTerms t(context);
  const Term a = t.x(0);
  const Term b = t.x(1);
  return wanted_gradients(
      context,
      [&] {
        return flags.a ? product(b, flags.b, t.g, true)     // [k, n] x [n, m] = [k, m], as a is stored
                       : product(t.g, false, b, !flags.b);  // [m, n] x [n, k] = [m, k]
      },
      [&] {
        return flags.b ? product(t.g, true, a, flags.a)     // [n, m] x [m, k] = [n, k], as b is stored
                       : product(a, !flags.a, t.g, false);  // [k, m] x [m, n] = [k, n]
      });
}

/// The matrix below a transposition of two axes.
std::optional<NodeId> transposed(const Builder& builder, NodeId id) {
  const Node& node = builder.node(id);
  if (node.op->name != "transpose" || node.type.shape.size() != 2) return std::nullopt;
  const std::vector<std::int64_t>& order = node.attributes.integers("axes");
  const bool swaps = order.empty() || order[0] == 1 || order[0] == -1;
  return swaps ? std::optional(node.inputs[0]) : std::nullopt;
}

/// A transposed operand becomes a flag: a view, and no copy.
std::optional<NodeId> transposed_by_flag(RuleContext& context) {
  const Node& node = context.node;
  const std::optional<NodeId> a = transposed(context.builder, node.inputs[0]);
  const std::optional<NodeId> b = transposed(context.builder, node.inputs[1]);
  if (!a && !b) return std::nullopt;
  const Flags flags(node.attributes);
  return context.builder.add(
      "matmul", {a.value_or(node.inputs[0]), b.value_or(node.inputs[1])},
      {{"transpose_a", flags.a != a.has_value()}, {"transpose_b", flags.b != b.has_value()}},
      {node.name, node.origin, node.controls});
}

Cost cost(const CostContext& context) {
  const auto a = static_cast<double>(element_count(context.inputs[0]));
  const auto b = static_cast<double>(element_count(context.inputs[1]));
  const auto y = static_cast<double>(element_count(context.output));
  const Flags flags(context.attributes);
  const auto inner = static_cast<double>(context.inputs[0][flags.a ? 0 : 1]);
  return {2 * y * inner, 4 * (a + b + y)};
}

}  // namespace

Op matmul() {
  OpDef op;
  op.name = "matmul";
  op.doc = "Matrix product; `x @ w` in formulas.";
  op.formula = "y = x w";
  op.shapes = "[m, k], [k, n] -> [m, n]";
  op.inputs = {{"x", "[m, k], or [k, m] with transpose_a"}, {"w", "[k, n], or [n, k] with transpose_b"}};
  op.attributes = {flag("transpose_a", false, "the first operand is used transposed"),
                   flag("transpose_b", false, "the second operand is used transposed")};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  op.rules = {
      {"product_of_transposed", Phase::exact, transposed_by_flag, {"transpose_a", "transpose_b"}, true}};
  op.cost = cost;
  op.traits.products = true;
  return {std::move(op), {.matmul = true}};
}

}  // namespace graphrun::ops
