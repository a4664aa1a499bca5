#include <fmt/format.h>

#include "ops/declaration.hpp"
#include "ops/linear/matrix_products.hpp"
#include "ops/op.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

/// A product is [m, k] x [k, n]; a flag says that an operand is stored the other way round.
struct Flags {
  explicit Flags(const Attributes& attributes)
      : a(attributes.flag("transpose_a")), b(attributes.flag("transpose_b")) {}
  bool a;
  bool b;
};

void require_matrices(const Type& type, const std::string& name) {
  require_f32(type, name);
  if (type.shape.size() >= 2) return;
  throw OpError(fmt::format("it multiplies matrices, but {} is {}", name, to_string(type.shape)),
                "Give it a second axis: reshape(x, shape=[-1, 1]).", name);
}

/// Rows and columns of the matrices of an operand, as they are stored.
template <class Sizes>
typename Sizes::value_type rows_of(const Sizes& sizes) {
  return sizes[sizes.size() - 2];
}
template <class Sizes>
typename Sizes::value_type columns_of(const Sizes& sizes) {
  return sizes.back();
}
template <class Sizes>
Sizes leading(const Sizes& sizes) {
  return Sizes(sizes.begin(), sizes.end() - 2);
}

/// A change of the flags that makes the inner sizes equal.
std::string flag_that_fits(const Shape& a, const Shape& b, Flags flags) {
  const Dim inner_a = flags.a ? rows_of(a) : columns_of(a);
  const Dim inner_b = flags.b ? columns_of(b) : rows_of(b);
  if (inner_a == (flags.b ? rows_of(b) : columns_of(b))) return fmt::format("transpose_b: {}", !flags.b);
  if (inner_b == (flags.a ? columns_of(a) : rows_of(a))) return fmt::format("transpose_a: {}", !flags.a);
  return {};
}

/// What may be meant when the inner sizes differ.
std::string what_fits(const Shape& a, const Shape& b, Flags flags) {
  const std::string flag = flag_that_fits(a, b, flags);
  if (!flag.empty()) return fmt::format("Did you mean {}?", flag);
  Dim sample = Dim::number(1);
  for (std::size_t axis = 1; axis < a.size() && a[axis].is_number(); ++axis)
    sample = Dim::number(checked_multiply(sample.offset, a[axis].offset));
  if (a.size() > 2 && !flags.a && sample == (flags.b ? columns_of(b) : rows_of(b)))
    return "Make it a row for each sample: reshape(x, shape=[batch, -1]).";
  return "The columns of x must be as many as the rows of w.";
}

Type infer(const InferContext& context) {
  require_matrices(context.inputs[0], "x");
  require_matrices(context.inputs[1], "w");
  const Flags flags(context.attributes);
  const Shape& a = context.inputs[0].shape;
  const Shape& b = context.inputs[1].shape;
  if ((flags.a ? rows_of(a) : columns_of(a)) != (flags.b ? columns_of(b) : rows_of(b))) {
    throw OpError(fmt::format("inner sizes differ: x is {}{}, w is {}{}", to_string(a),
                              flags.a ? " (transposed)" : "", to_string(b), flags.b ? " (transposed)" : ""),
                  what_fits(a, b, flags));
  }
  std::optional<Shape> shape = broadcast(leading(a), leading(b));
  if (!shape) {
    throw OpError(fmt::format("leading axes do not fit: x is {}, w is {}", to_string(a), to_string(b)),
                  "Before the last two axes, sizes are equal or one of them is 1.");
  }
  shape->push_back(flags.a ? columns_of(a) : rows_of(a));
  shape->push_back(flags.b ? rows_of(b) : columns_of(b));
  return {DType::f32, *shape};
}

/// `rows` and `columns`: where those of the operand's matrices go.
AxisMap operand_axes(const Shape& operand, const Shape& output, std::int64_t rows, std::int64_t columns) {
  const std::size_t missing = output.size() - operand.size();
  AxisMap map;
  for (std::size_t axis = 0; axis + 2 < operand.size(); ++axis) {
    const bool stretched = operand[axis] != output[axis + missing];
    map.push_back(stretched ? contracted : static_cast<std::int64_t>(axis + missing));
  }
  map.insert(map.end(), {rows, columns});
  return map;
}

std::vector<AxisMap> axes(const AxesContext& context) {
  const Flags flags(context.attributes);
  const Shape& y = context.output.shape;
  const auto columns = static_cast<std::int64_t>(y.size()) - 1;
  const std::int64_t rows = columns - 1;
  return {operand_axes(context.inputs[0].shape, y, flags.a ? contracted : rows, flags.a ? rows : contracted),
          operand_axes(context.inputs[1].shape, y, flags.b ? columns : contracted,
                       flags.b ? contracted : columns)};
}

/// Product by product, row by row, k ascending.
void reference(const ReferenceContext& context) {
  const Flags flags(context.node.attributes);
  const HostTensor& a = *context.inputs[0];
  const HostTensor& b = *context.inputs[1];
  HostTensor& y = context.output;
  const auto m = static_cast<std::size_t>(rows_of(y.extents));
  const auto n = static_cast<std::size_t>(columns_of(y.extents));
  const auto k = static_cast<std::size_t>(flags.a ? rows_of(a.extents) : columns_of(a.extents));
  for (const MatrixPlaces& places : matrix_places(a.extents, b.extents, y.extents)) {
    for (std::size_t row = 0; row < m; ++row) {
      for (std::size_t inner = 0; inner < k; ++inner) {
        const double left = a.values[places.a + (flags.a ? inner * m + row : row * k + inner)];
        for (std::size_t column = 0; column < n; ++column) {
          y.values[places.y + row * n + column] +=
              left * b.values[places.b + (flags.b ? column * k + inner : inner * n + column)];
        }
      }
    }
  }
}

Term product(Term a, bool transpose_a, Term b, bool transpose_b) {
  return call("matmul", {a, b}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}});
}

/// All rows of all its matrices as one; nothing when their number is no size that a shape can say.
std::optional<Term> as_rows(const Term& x) {
  const Shape& shape = x.type().shape;
  if (shape.size() == 2) return x;
  Dim rows = Dim::number(1);
  for (std::size_t axis = 0; axis + 1 < shape.size(); ++axis) {
    const Dim next = shape[axis];
    if (!rows.is_number() && !next.is_number()) return std::nullopt;
    const std::int64_t times = rows.is_number() ? rows.offset : next.offset;
    const Dim many = rows.is_number() ? next : rows;
    rows = {checked_multiply(many.factor, times), checked_multiply(many.offset, times)};
  }
  return call("reshape", {x}, {{"shape", Shape{rows, shape.back()}}});
}

/// Of one matrix b for all rows of a, where a is not transposed: a product of as many rows as there are.
std::optional<Term> gradient_of_matrix(const Term& a, const Term& g, bool transpose_b) {
  const std::optional<Term> rows = as_rows(a);
  const std::optional<Term> cotangents = as_rows(g);
  if (!rows || !cotangents) return std::nullopt;
  return transpose_b ? product(*cotangents, true, *rows, false)   // [n, m] x [m, k] = [n, k], as b is stored
                     : product(*rows, true, *cotangents, false);  // [k, m] x [m, n] = [k, n]
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
        const bool is_one = b.type().shape.size() == 2 && !flags.a;
        if (const auto whole = is_one ? gradient_of_matrix(a, t.g, flags.b) : std::nullopt) return *whole;
        return flags.b ? product(t.g, true, a, flags.a)     // [n, m] x [m, k] = [n, k], as b is stored
                       : product(a, !flags.a, t.g, false);  // [k, m] x [m, n] = [k, n]
      });
}

/// The matrices below a transposition of the last two axes.
std::optional<NodeId> transposed(const Builder& builder, NodeId id) {
  const Node& node = builder.node(id);
  if (node.op->name != "transpose") return std::nullopt;
  const std::size_t rank = node.type.shape.size();
  const std::vector<std::int64_t>& order = node.attributes.integers("axes");
  if (rank < 2 || (order.empty() && rank > 2)) return std::nullopt;
  for (std::size_t axis = 0; axis < order.size(); ++axis) {
    const std::size_t from = axis + 2 < rank ? axis : 2 * rank - 3 - axis;
    if (normalised_axis(order[axis], rank) != from) return std::nullopt;
  }
  return node.inputs[0];
}

/// A transposed operand becomes a flag: a view, and no copy. Not where rows of several matrices meet one:
/// there all rows are one product, which transposed ones are not.
std::optional<NodeId> transposed_by_flag(RuleContext& context) {
  const Node& node = context.node;
  const bool are_rows = context.builder.type(node.inputs[0]).shape.size() > 2 &&
                        context.builder.type(node.inputs[1]).shape.size() == 2;
  const std::optional<NodeId> a = are_rows ? std::nullopt : transposed(context.builder, node.inputs[0]);
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
  const auto inner =
      static_cast<double>(flags.a ? rows_of(context.inputs[0]) : columns_of(context.inputs[0]));
  return {2 * y * inner, 4 * (a + b + y)};
}

}  // namespace

Op matmul() {
  OpDef op;
  op.name = "matmul";
  op.doc = "Matrix product over the last two axes, broadcast over those before; `x @ w` in formulas.";
  op.formula = "y = x w";
  op.shapes = "[..., m, k], [..., k, n] -> [..., m, n]";
  op.inputs = {{"x", "[..., m, k], or [..., k, m] with transpose_a"},
               {"w", "[..., k, n], or [..., n, k] with transpose_b"}};
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
  op.traits.adds_rows = true;
  return {std::move(op), {.matmul = true, .make = make_matrix_products}};
}

}  // namespace graphrun::ops
