#include <algorithm>
#include <limits>
#include <numbers>
#include <utility>

#include "onnx/literal.hpp"
#include "onnx/translation.hpp"

namespace graphrun::onnx {

Layout elementwise_layout(const Emitter& emitter, NodeId id) {
  const Node& node = emitter.node(id);
  if (emitter.planned(id) != plain) return emitter.planned(id);
  if (node.type.shape.size() != 4) return plain;
  for (const NodeId input : node.inputs)
    if (emitter.node(input).type.shape.size() == 4 && emitter.layout(input) == channels_first)
      return channels_first;
  return plain;
}

namespace {

std::vector<Value> operands(Emitter& emitter, NodeId id, const Layout& layout) {
  std::vector<Value> values;
  for (const NodeId input : emitter.node(id).inputs) values.push_back(emitter.value(input, layout));
  return values;
}

void same(Emitter& emitter, NodeId id, std::string op, std::vector<AttributeRecord> attributes = {}) {
  const Layout layout = elementwise_layout(emitter, id);
  emitter.define(id, emitter.add(std::move(op), operands(emitter, id, layout), std::move(attributes)),
                 layout);
}

template <Literal op>
void as(Emitter& emitter, NodeId id) {
  same(emitter, id, std::string(op.view()));
}

/// Made of the operands by a function of the values.
template <class Make>
void made(Emitter& emitter, NodeId id, const Make& make) {
  const Layout layout = elementwise_layout(emitter, id);
  const std::vector<Value> values = operands(emitter, id, layout);
  emitter.define(id, make(values), layout);
}

void add(Emitter& emitter, NodeId id) {
  if (define_affine(emitter, id) || define_batch_normalization(emitter, id) ||
      define_layer_normalization(emitter, id))
    return;
  same(emitter, id, "Add");
}

bool is_whole(const Emitter& emitter, NodeId id) {
  return emitter.node(id).type.dtype == DType::i32;
}

/// Runtimes stop where they divide whole numbers by 0, and the least one by -1.
bool divides_safely(const Emitter& emitter, NodeId id) {
  const NodeId divisor = emitter.node(id).inputs[1];
  if (!layers::is_stored(emitter.node(divisor))) return false;
  return std::ranges::none_of(emitter.numbers(divisor), [](float x) { return x == 0 || x == -1; });
}

Value whole(Emitter& emitter, double number) {
  return emitter.number(number, ElementType::i32);
}

/// The divisor, 1 where it is 0 or -1.
Value safe_divisor(Emitter& emitter, Value divisor) {
  const Value is_zero = emitter.add("Equal", {divisor, whole(emitter, 0)});
  const Value is_negated = emitter.add("Equal", {divisor, whole(emitter, -1)});
  return emitter.add("Where", {emitter.add("Or", {is_zero, is_negated}), whole(emitter, 1), divisor});
}

void divide_whole(Emitter& emitter, NodeId id) {
  if (divides_safely(emitter, id)) return same(emitter, id, "Div");
  made(emitter, id, [&](const std::vector<Value>& x) {
    const Value quotient = emitter.add("Div", {x[0], safe_divisor(emitter, x[1])});
    const Value negated = emitter.add("Sub", {whole(emitter, 0), x[0]});
    const Value by_minus_one = emitter.add("Equal", {x[1], whole(emitter, -1)});
    const Value by_zero = emitter.add("Equal", {x[1], whole(emitter, 0)});
    const Value signed_quotient = emitter.add("Where", {by_minus_one, negated, quotient});
    return emitter.add("Where", {by_zero, whole(emitter, 0), signed_quotient});
  });
}

/// ONNX has the divisor's sign for whole numbers alone.
void mod(Emitter& emitter, NodeId id) {
  if (is_whole(emitter, id) && divides_safely(emitter, id)) return same(emitter, id, "Mod");
  made(emitter, id, [&](const std::vector<Value>& x) {
    if (is_whole(emitter, id)) return emitter.add("Mod", {x[0], safe_divisor(emitter, x[1])});
    const auto as = [&](Value value, ElementType type) {
      return emitter.add("Cast", {value}, {{"to", static_cast<std::int64_t>(type)}});
    };
    const Value a = as(x[0], ElementType::f64);
    const Value b = as(x[1], ElementType::f64);
    const Value times = emitter.add("Floor", {emitter.add("Div", {a, b})});
    return as(emitter.add("Sub", {a, emitter.add("Mul", {b, times})}), ElementType::f32);
  });
}

void divide(Emitter& emitter, NodeId id) {
  if (is_whole(emitter, id)) return divide_whole(emitter, id);
  if (const std::optional<layers::Reduction> mean = layers::mean_of(emitter.graph(), id))
    return define_reduction(emitter, id, "ReduceMean", *mean);
  as<"Div">(emitter, id);
}

void itself(Emitter& emitter, NodeId id) {
  made(emitter, id, [](const std::vector<Value>& x) { return x[0]; });
}

void normalise(Emitter& emitter, NodeId id) {
  if (define_batch_normalization(emitter, id)) return;
  made(emitter, id, [&](const std::vector<Value>& x) {
    const Value centred = emitter.add("Sub", {x[0], x[1]});
    return emitter.add("Add", {emitter.add("Mul", {centred, x[2]}), x[3]});
  });
}

void square(Emitter& emitter, NodeId id) {
  made(emitter, id, [&](const std::vector<Value>& x) { return emitter.add("Mul", {x[0], x[0]}); });
}

void silu(Emitter& emitter, NodeId id) {
  made(emitter, id, [&](const std::vector<Value>& x) {
    return emitter.add("Mul", {x[0], emitter.add("Sigmoid", {x[0]})});
  });
}

void gelu(Emitter& emitter, NodeId id) {
  if (emitter.opset() >= 20) return same(emitter, id, "Gelu");
  made(emitter, id, [&](const std::vector<Value>& x) {
    const Value erf = emitter.add("Erf", {emitter.add("Div", {x[0], emitter.number(std::numbers::sqrt2)})});
    const Value half = emitter.add("Mul", {x[0], emitter.number(0.5)});
    return emitter.add("Mul", {half, emitter.add("Add", {erf, emitter.number(1)})});
  });
}

void elu(Emitter& emitter, NodeId id) {
  const double alpha = emitter.node(id).attributes.number("alpha");
  same(emitter, id, "Elu", {{"alpha", static_cast<float>(alpha)}});
}

void leaky_relu(Emitter& emitter, NodeId id) {
  const double slope = emitter.node(id).attributes.number("slope");
  same(emitter, id, "LeakyRelu", {{"alpha", static_cast<float>(slope)}});
}

constexpr double infinity = std::numeric_limits<double>::infinity();

void clip(Emitter& emitter, NodeId id) {
  const double low = emitter.node(id).attributes.number("low");
  const double high = emitter.node(id).attributes.number("high");
  if (low == -infinity && high == infinity) return itself(emitter, id);
  made(emitter, id, [&](const std::vector<Value>& x) {
    std::vector<Value> inputs{x[0], low == -infinity ? no_value : emitter.number(low)};
    if (high != infinity) inputs.push_back(emitter.number(high));
    return emitter.add("Clip", inputs);
  });
}

void log(Emitter& emitter, NodeId id) {
  const double floor = emitter.node(id).attributes.number("floor");
  const double at_zero = emitter.node(id).attributes.number("at_zero");
  made(emitter, id, [&](const std::vector<Value>& x) {
    Value y = emitter.add("Log", {x[0]});
    if (at_zero != -infinity) {
      const Value is_zero = emitter.add("Equal", {x[0], emitter.number(0)});
      y = emitter.add("Where", {is_zero, emitter.number(at_zero), y});
    }
    return floor == -infinity ? y : emitter.add("Max", {y, emitter.number(floor)});
  });
}

// ---- Comparisons are true and false until somebody computes with them ----

template <Literal op>
void compare(Emitter& emitter, NodeId id) {
  const Layout layout = elementwise_layout(emitter, id);
  emitter.define(id, emitter.add(std::string(op.view()), operands(emitter, id, layout)), layout,
                 Form::boolean);
}

/// An operand is true where it is not 0.
template <Literal op>
void logic(Emitter& emitter, NodeId id) {
  const Layout layout = elementwise_layout(emitter, id);
  std::vector<Value> truths;
  for (const NodeId input : emitter.node(id).inputs)
    truths.push_back(emitter.value(input, layout, Form::boolean));
  emitter.define(id, emitter.add(std::string(op.view()), std::move(truths)), layout, Form::boolean);
}

void not_equal(Emitter& emitter, NodeId id) {
  const Layout layout = elementwise_layout(emitter, id);
  const Value equal = emitter.add("Equal", operands(emitter, id, layout));
  emitter.define(id, emitter.add("Not", {equal}), layout, Form::boolean);
}

void step(Emitter& emitter, NodeId id) {
  const Layout layout = elementwise_layout(emitter, id);
  const Value x = emitter.value(emitter.node(id).inputs[0], layout);
  emitter.define(id, emitter.add("Greater", {x, emitter.number(0)}), layout, Form::boolean);
}

void where(Emitter& emitter, NodeId id) {
  const Layout layout = elementwise_layout(emitter, id);
  const std::vector<NodeId>& inputs = emitter.node(id).inputs;
  const Value condition = emitter.value(inputs[0], layout, Form::boolean);
  const std::vector<Value> all{condition, emitter.value(inputs[1], layout), emitter.value(inputs[2], layout)};
  emitter.define(id, emitter.add("Where", all), layout);
}

/// To an integer type towards zero, held in its range; NaN is 0. ONNX leaves these open.
Value to_integer(Emitter& emitter, Value x, DType from, DType to) {
  const bool is_byte = to == DType::u8;
  const double low = is_byte ? 0 : std::numeric_limits<std::int32_t>::min();
  const double high = is_byte ? 255 : std::numeric_limits<std::int32_t>::max();
  ElementType type = element_type(from);
  if (from == DType::f32) {
    x = emitter.add("Where", {emitter.add("IsNaN", {x}), emitter.number(0), x});
    type = ElementType::f64;  // which holds the largest i32
    x = emitter.add("Cast", {x}, {{"to", static_cast<std::int64_t>(type)}});
  }
  return emitter.add("Clip", {x, emitter.number(low, type), emitter.number(high, type)});
}

void cast(Emitter& emitter, NodeId id) {
  const DType from = emitter.node(emitter.node(id).inputs[0]).type.dtype;
  const DType to = emitter.node(id).type.dtype;
  const bool is_narrower = to != DType::f32 && (from == DType::f32 || to == DType::u8);
  made(emitter, id, [&](const std::vector<Value>& x) {
    const Value held = is_narrower ? to_integer(emitter, x[0], from, to) : x[0];
    return emitter.add("Cast", {held}, {{"to", static_cast<std::int64_t>(element_type(to))}});
  });
}

constexpr TranslatedOp translations[] = {
    {"abs", as<"Abs">},
    {"add", add},
    {"cast", cast},
    {"clip", clip},
    {"cos", as<"Cos">},
    {"div", divide},
    {"elu", elu},
    {"equal", compare<"Equal">},
    {"erf", as<"Erf">},
    {"exp", as<"Exp">},
    {"gelu", gelu},
    {"greater", compare<"Greater">},
    {"greater_equal", compare<"GreaterOrEqual">},
    {"leaky_relu", leaky_relu},
    {"less", compare<"Less">},
    {"less_equal", compare<"LessOrEqual">},
    {"linear", itself},
    {"log", log},
    {"logical_and", logic<"And">},
    {"logical_not", logic<"Not">},
    {"logical_or", logic<"Or">},
    {"logical_xor", logic<"Xor">},
    {"maximum", as<"Max">},
    {"minimum", as<"Min">},
    {"mod", mod},
    {"mul", as<"Mul">},
    {"neg", as<"Neg">},
    {"normalise", normalise},
    {"not_equal", not_equal},
    {"pow", as<"Pow">},
    {"relu", as<"Relu">},
    {"sigmoid", as<"Sigmoid">},
    {"sign", as<"Sign">},
    {"silu", silu},
    {"sin", as<"Sin">},
    {"softplus", as<"Softplus">},
    {"sqrt", as<"Sqrt">},
    {"square", square},
    {"step", step},
    {"sub", as<"Sub">},
    {"tanh", as<"Tanh">},
    {"where", where},
};

}  // namespace

std::span<const TranslatedOp> elementwise_translations() {
  return translations;
}

}  // namespace graphrun::onnx
