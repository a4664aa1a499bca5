// What is computed element by element.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "onnx/import/element_type.hpp"
#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"
#include "onnx/literal.hpp"

namespace graphrun::onnx {

namespace {

// ---- One operand ----

/// The function of one operand, in whatever order and form it is at hand.
Results mapped(Importer& importer, const Call& call, Term (*function)(Term, const Call&),
               std::optional<ElementType> type = std::nullopt) {
  const Value& x = call.input(0);
  if (x.flat) {
    Value result = x;
    result.node = function({&importer, *x.node}, call).id;
    return {result};
  }
  Order order;
  const NodeId node = importer.any_order(x, order);
  return {importer.value(function({&importer, node}, call).id, type.value_or(x.type), order)};
}

template <Term (*function)(Term, const Call&)>
Results unary(Importer& importer, const Call& call) {
  return mapped(importer, call, function);
}
template <Term (*function)(Term, const Call&)>
Results test(Importer& importer, const Call& call) {
  return mapped(importer, call, function, ElementType::boolean);
}

template <Literal op>
Term itself(Term x, const Call&) {
  return apply(op.view(), x);
}
Term reciprocal(Term x, const Call&) {
  return 1.0 / x;
}
Term floor(Term x, const Call&) {
  return x.with(x.importer->floor(x.id));
}
Term ceiling(Term x, const Call& call) {
  return -floor(-x, call);
}
Term to_whole(Term x, const Call&) {
  return rounded(x);
}
Term is_nan(Term x, const Call&) {
  return apply("not_equal", x, x);
}
Term is_infinite(Term x, const Call& call) {
  const auto largest = static_cast<double>(std::numeric_limits<float>::max());
  const Term above = apply("greater", x, largest);
  const Term below = apply("less", x, -largest);
  if (call.integer("detect_negative", 1) == 0) return above;
  return call.integer("detect_positive", 1) == 0 ? below : above + below;
}
Term tangent(Term x, const Call&) {
  return apply("sin", x) / apply("cos", x);
}
/// The arc is four times that of a smaller tangent, tan(a/2) = t / (1 + sqrt(1 + t^2)), for which five terms
/// of the series are as exact as f32; beyond 1 it is that of 1/x, seen from the other side.
Term arc_tangent(Term x, const Call&) {
  const double quarter = std::numbers::pi / 2;
  const Term is_large = apply("greater", apply("abs", x), 1.0);
  const Term large = choose(is_large, x, x.with(x.importer->number(1)));
  Term t = choose(is_large, 1.0 / large, x);
  for (int halving = 0; halving < 2; ++halving) t = t / (apply("sqrt", t * t + 1.0) + 1.0);
  const Term z = t * t;
  const Term arc = t * ((((z * (1.0 / 9) - 1.0 / 7) * z + 1.0 / 5) * z - 1.0 / 3) * z + 1.0) * 4.0;
  return choose(is_large, apply("sign", x) * quarter - arc, arc);
}
Term arc_sine(Term x, const Call& call) {
  return arc_tangent(x / (apply("sqrt", (1.0 - x) * (x + 1.0)) + 1.0), call) * 2.0;
}
Term arc_cosine(Term x, const Call& call) {
  return arc_tangent(apply("sqrt", (1.0 - x) / (x + 1.0)), call) * 2.0;
}
Term hyperbolic_sine(Term x, const Call&) {
  return (apply("exp", x) - apply("exp", -x)) / 2.0;
}
Term hyperbolic_cosine(Term x, const Call&) {
  return (apply("exp", x) + apply("exp", -x)) / 2.0;
}
Term area_sine(Term x, const Call&) {
  const Term size = apply("abs", x);
  return apply("sign", x) * apply("log", size + apply("sqrt", size * size + 1.0));
}
Term area_cosine(Term x, const Call&) {
  return apply("log", x + apply("sqrt", x * x - 1.0));
}
Term area_tangent(Term x, const Call&) {
  return apply("log", (x + 1.0) / (1.0 - x)) / 2.0;
}
Term softsign(Term x, const Call&) {
  return x / (apply("abs", x) + 1.0);
}
Term elu(Term x, const Call& call) {
  return x.with(x.importer->add("elu", {x.id}, {{"alpha", call.number("alpha", 1)}}));
}
Term celu(Term x, const Call& call) {
  const double alpha = call.number("alpha", 1);
  const Term low = apply("minimum", (apply("exp", x / alpha) - 1.0) * alpha, 0.0);
  return apply("maximum", x, 0.0) + low;
}
Term selu(Term x, const Call& call) {
  const double gamma = call.number("gamma", 1.05070102214813232421875);
  const Term e =
      x.with(x.importer->add("elu", {x.id}, {{"alpha", call.number("alpha", 1.67326319217681884765625)}}));
  return e * gamma;
}
Term leaky_relu(Term x, const Call& call) {
  const double slope = call.number("alpha", 0.01F);
  if (slope < 0) return choose(apply("greater", x, 0.0), x, x * slope);
  return x.with(x.importer->add("leaky_relu", {x.id}, {{"slope", slope}}));
}
Term thresholded_relu(Term x, const Call& call) {
  return x * apply("greater", x, call.number("alpha", 1));
}
Term clipped(Term x, double low, double high) {
  return x.with(x.importer->add("clip", {x.id}, {{"low", low}, {"high", high}}));
}
Term hard_sigmoid(Term x, const Call& call) {
  return clipped(x * call.number("alpha", 0.2F) + call.number("beta", 0.5), 0, 1);
}
Term hard_swish(Term x, const Call&) {
  return x * clipped(x * (1.0 / 6) + 0.5, 0, 1);
}
Term swish(Term x, const Call& call) {
  const double alpha = call.number("alpha", 1);
  return alpha == 1 ? apply("silu", x) : x * apply("sigmoid", x * alpha);
}
Term mish(Term x, const Call&) {
  return x * apply("tanh", apply("softplus", x));
}
Term gelu(Term x, const Call& call) {
  if (call.text("approximate", "none") == "none") return apply("gelu", x);
  const Term inner = (x + x * x * x * 0.044715) * std::sqrt(2 / 3.14159265358979323846);
  return x * 0.5 * (apply("tanh", inner) + 1.0);
}
Term shrink(Term x, const Call& call) {
  const double bias = call.number("bias", 0);
  const double edge = call.number("lambd", 0.5);
  return (x + bias) * apply("less", x, -edge) + (x - bias) * apply("greater", x, edge);
}
Term binarized(Term x, const Call& call) {
  return apply("greater", x, call.number("threshold", 0));
}

// ---- Several operands ----

Results combined(Importer& importer, const std::vector<Value>& values, ElementType type,
                 Term (*function)(Term, Term)) {
  const Operands operands = operands_of(importer, values);
  Term result = operands.nodes[0];
  for (std::size_t i = 1; i < operands.nodes.size(); ++i) result = function(result, operands.nodes[i]);
  return {result_of(operands, result, type)};
}

/// Before opset 7, the second operand was placed at an axis of the first.
std::vector<Value> placed(Importer& importer, const Call& call) {
  std::vector<Value> values = call.inputs();
  if (call.opset() >= 7 || values.size() != 2 || !call.has_attribute("axis")) return values;
  const std::size_t axis = call.axis(call.integer("axis", 0), values[0].rank());
  Shape shape = values[1].shape;
  shape.resize(std::max(shape.size(), values[0].rank() - axis), Dim::number(1));
  values[1] = importer.value(importer.reshape(importer.node(values[1]), shape), values[1].type);
  return values;
}

template <Term (*function)(Term, Term)>
Results arithmetic(Importer& importer, const Call& call) {
  const std::vector<Value> values = placed(importer, call);
  for (std::size_t i = 0; i < values.size(); ++i) call.input(i);
  return combined(importer, values, call.input(0).type, function);
}
template <Term (*function)(Term, Term)>
Results comparison(Importer& importer, const Call& call) {
  call.input(1);
  return combined(importer, placed(importer, call), ElementType::boolean, function);
}

template <Literal op>
Term both(Term a, Term b) {
  return apply(op.view(), a, b);
}
Term whole_quotient(Term a, Term b) {
  return a.with(a.importer->truncated((a / b).id));
}

Results division(Importer& importer, const Call& call) {
  return is_integer(call.input(0).type) ? arithmetic<whole_quotient>(importer, call)
                                        : arithmetic<both<"div">>(importer, call);
}

Results mean(Importer& importer, const Call& call) {
  Results total = arithmetic<both<"add">>(importer, call);
  total[0].node = (Term{&importer, *total[0].node} / static_cast<double>(call.size())).id;
  return total;
}

Results power(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::optional<std::vector<double>> exponent = call.numbers(1);
  if (exponent && exponent->size() == 1 && exponent->front() == 2 && call.input(1).rank() <= x.rank()) {
    Order order;
    const NodeId node = importer.any_order(x, order);
    return {importer.value(importer.add("square", {node}), x.type, order)};
  }
  const Operands operands = operands_of(importer, {x, call.input(1)});
  Term y = apply("pow", operands.nodes[0], operands.nodes[1]);
  if (is_integer(x.type)) y = y.with(importer.truncated((y + 0.5).id));
  return {result_of(operands, y, x.type)};
}

Results modulo(Importer& importer, const Call& call) {
  const Operands operands = operands_of(importer, {call.input(0), call.input(1)});
  const Term a = operands.nodes[0];
  const Term b = operands.nodes[1];
  const bool has_sign_of_divisor = call.integer("fmod", 0) == 0;
  const Term rest = has_sign_of_divisor ? apply("mod", a, b) : a - b * a.with(importer.truncated((a / b).id));
  return {result_of(operands, rest, call.input(0).type)};
}

Results shifted(Importer& importer, const Call& call) {
  const Operands operands = operands_of(importer, {call.input(0), call.input(1)});
  const Term factor = apply("pow", operands.nodes[0].with(importer.number(2)), operands.nodes[1]);
  const bool right = call.text("direction", "") == "RIGHT";
  const Term x = operands.nodes[0];
  const Term y = right ? x.with(importer.floor((x / factor).id)) : x * factor;
  return {result_of(operands, y, call.input(0).type)};
}

Results parametric_relu(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  Value slope = call.input(1);
  if (slope.rank() == 1 && x.rank() > 1 && slope.shape[0] == x.shape[1] && slope.shape[0] != x.shape.back() &&
      slope.stored) {
    Stored column = *slope.stored;  // before opset 9, one for each channel
    column.extents.resize(x.rank() - 1, 1);
    slope = value_of(std::move(column), slope.type);
  }
  const Operands operands = operands_of(importer, {x, slope});
  const Term in = operands.nodes[0];
  const Term y = apply("relu", in) - operands.nodes[1] * apply("relu", -in);
  return {result_of(operands, y, x.type)};
}

Results clip(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto bound = [&](const char* name, std::size_t i, double open) -> std::optional<double> {
    if (call.opset() < 11) return call.number(name, open);
    if (!call.has(i)) return open;
    const std::optional<std::vector<double>> numbers = call.numbers(i);
    return numbers && numbers->size() == 1 ? std::optional(numbers->front()) : std::nullopt;
  };
  const std::optional<double> low = bound("min", 1, -infinity);
  const std::optional<double> high = bound("max", 2, infinity);
  Order order;
  const NodeId node = importer.any_order(x, order);
  if (low && high && *low <= *high)
    return {importer.value(importer.add("clip", {node}, {{"low", *low}, {"high", *high}}), x.type, order)};
  Term y{&importer, node};
  if (call.has(1)) y = apply("maximum", y, y.with(importer.node(call.input(1))));
  if (call.has(2)) y = apply("minimum", y, y.with(importer.node(call.input(2))));
  return {importer.value(y.id, x.type, order)};
}

Results where(Importer& importer, const Call& call) {
  const Operands operands = operands_of(importer, {call.input(0), call.input(1), call.input(2)});
  const Term y = choose(operands.nodes[0], operands.nodes[1], operands.nodes[2]);
  return {result_of(operands, y, call.input(1).type)};
}

/// Values stay f32; what the other type cannot hold is cut off.
Results converted(Importer& importer, const Call& call, ElementType to) {
  const Value& x = call.input(0);
  if (!is_float(to) && !is_integer(to)) throw Unsupported("a cast to a type that graphrun does not have");
  if (is_small_float(to) && to != x.type) {
    Order order;
    const Term in{&importer, importer.any_order(x, order)};
    const bool saturates = call.integer("saturate", 1) != 0;
    return {importer.value(rounded_to(in, to, saturates).id, to, order)};
  }
  const bool wraps = is_integer(to) && bits_of(to) < 8 && to != x.type;
  const bool cuts = wraps || (is_float(x.type) && is_integer(to));
  if (!cuts && to != ElementType::boolean) {
    Value result = x;
    result.type = to;
    return {result};
  }
  Order order;
  const Term in{&importer, importer.any_order(x, order)};
  Term y = to == ElementType::boolean ? apply("not_equal", in, 0.0) : in.with(importer.truncated(in.id));
  if (wraps) {  // what has too many bits loses the highest
    const double span = std::ldexp(1.0, static_cast<int>(bits_of(to)));
    const double least = to == ElementType::i2 || to == ElementType::i4 ? -span / 2 : 0;
    y = y - y.with(importer.floor(((y - least) / span).id)) * span;
  }
  return {importer.value(y.id, to, order)};
}

Results cast(Importer& importer, const Call& call) {
  return converted(importer, call, static_cast<ElementType>(call.integer("to", 0)));
}

Results cast_like(Importer& importer, const Call& call) {
  return converted(importer, call, call.input(1).type);
}

constexpr ImportedOp table[] = {
    {"Abs", unary<itself<"abs">>},
    {"Neg", unary<itself<"neg">>},
    {"Exp", unary<itself<"exp">>},
    {"Log", unary<itself<"log">>},
    {"Sqrt", unary<itself<"sqrt">>},
    {"Tanh", unary<itself<"tanh">>},
    {"Sigmoid", unary<itself<"sigmoid">>},
    {"Relu", unary<itself<"relu">>},
    {"Softplus", unary<itself<"softplus">>},
    {"Erf", unary<itself<"erf">>},
    {"Sign", unary<itself<"sign">>},
    {"Reciprocal", unary<reciprocal>},
    {"Floor", unary<floor>},
    {"Ceil", unary<ceiling>},
    {"Round", unary<to_whole>},
    {"Sin", unary<itself<"sin">>},
    {"Cos", unary<itself<"cos">>},
    {"Tan", unary<tangent>},
    {"Asin", unary<arc_sine>},
    {"Acos", unary<arc_cosine>},
    {"Atan", unary<arc_tangent>},
    {"Sinh", unary<hyperbolic_sine>},
    {"Cosh", unary<hyperbolic_cosine>},
    {"Asinh", unary<area_sine>},
    {"Acosh", unary<area_cosine>},
    {"Atanh", unary<area_tangent>},
    {"Softsign", unary<softsign>},
    {"Elu", unary<elu>},
    {"Celu", unary<celu>},
    {"Selu", unary<selu>},
    {"LeakyRelu", unary<leaky_relu>},
    {"ThresholdedRelu", unary<thresholded_relu>},
    {"HardSigmoid", unary<hard_sigmoid>},
    {"HardSwish", unary<hard_swish>},
    {"Swish", unary<swish>},
    {"Mish", unary<mish>},
    {"Gelu", unary<gelu>},
    {"Shrink", unary<shrink>},
    {"Binarizer", unary<binarized>},
    {"IsNaN", test<is_nan>},
    {"IsInf", test<is_infinite>},
    {"Not", test<itself<"logical_not">>},
    {"Add", arithmetic<both<"add">>},
    {"Sub", arithmetic<both<"sub">>},
    {"Mul", arithmetic<both<"mul">>},
    {"Div", division},
    {"Sum", arithmetic<both<"add">>},
    {"Mean", mean},
    {"Max", arithmetic<both<"maximum">>},
    {"Min", arithmetic<both<"minimum">>},
    {"Pow", power},
    {"Mod", modulo},
    {"BitShift", shifted},
    {"PRelu", parametric_relu},
    {"Equal", comparison<both<"equal">>},
    {"Less", comparison<both<"less">>},
    {"LessOrEqual", comparison<both<"less_equal">>},
    {"Greater", comparison<both<"greater">>},
    {"GreaterOrEqual", comparison<both<"greater_equal">>},
    {"And", comparison<both<"logical_and">>},
    {"Or", comparison<both<"logical_or">>},
    {"Xor", comparison<both<"logical_xor">>},
    {"Clip", clip},
    {"Where", where},
    {"Cast", cast},
    {"CastLike", cast_like},
};

}  // namespace

std::span<const ImportedOp> elementwise_imports() {
  return table;
}

}  // namespace graphrun::onnx
