// Recurrences: LSTM and GRU of ONNX where these make all that is asked for, else one of them for each step.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "onnx/translation.hpp"

namespace graphrun::onnx {

namespace {

/// Where ONNX has other words and another order for the same.
struct Cell {
  const char* op;
  std::vector<std::int64_t> gates;  ///< ONNX's by ours
  std::size_t states;
};

Cell cell_of(const Node& steps) {
  if (steps.op->name == "lstm_steps") return {"LSTM", {0, 3, 1, 2}, 2};  // input, output, forget, value
  return {"GRU", {1, 0, 2}, 1};                                          // keep, reset, value
}

struct Sizes {
  Dim rows;
  std::int64_t steps;
  std::int64_t units;
};

Sizes sizes_of(const Emitter& emitter, NodeId id) {
  const std::vector<NodeId>& inputs = emitter.node(id).inputs;
  const Shape& p = emitter.node(inputs[0]).type.shape;
  return {p[0], p[1].offset, emitter.node(inputs[1]).type.shape[0].offset};
}

/// The places of ONNX's gates among ours.
std::vector<std::int64_t> gate_order(const Cell& cell, std::int64_t units) {
  std::vector<std::int64_t> order;
  for (const std::int64_t gate : cell.gates)
    for (std::int64_t unit = 0; unit < units; ++unit) order.push_back(gate * units + unit);
  return order;
}

/// What a weight is stored as: LSTM and GRU begin with another gate of ours.
std::string key_of(const std::vector<std::int64_t>& order) {
  return fmt::format("{} gates from {}", order.size(), order.front());
}

/// A matrix [n, gates] as [1, gates, n].
Value gate_weights(Emitter& emitter, NodeId w, const std::vector<std::int64_t>& order) {
  const Extents extents = graphrun::bind(emitter.node(w).type.shape, 1);
  if (layers::is_stored(emitter.node(w)))
    return emitter.stored(w, key_of(order), [&] {
      const std::vector<float> ordered = layers::reordered(emitter.numbers(w), extents, 1, order);
      return Emitter::Stored{{1, extents[1], extents[0]}, layers::transposed(ordered, extents, {1, 0})};
    });
  const Value ordered =
      emitter.add("Gather", {emitter.value(w), emitter.integers(order)}, {{"axis", std::int64_t{1}}});
  const Value turned = emitter.add("Transpose", {ordered}, {{"perm", std::vector<std::int64_t>{1, 0}}});
  return emitter.add("Unsqueeze", {turned, emitter.integers({0})});
}

/// What the gates are given: x [n, steps, inputs] times a matrix, and a bias.
struct Given {
  NodeId x;
  Value w;
  std::optional<NodeId> bias;
};

/// Of a node that only the recurrence asks for: the layer that it is, if it is one.
std::optional<Given> layer_of(Emitter& emitter, NodeId p, const std::vector<std::int64_t>& order) {
  std::optional<NodeId> bias;
  NodeId product = p;
  if (const auto* const sum = layers::inputs_of(emitter.graph(), p, "add"); sum != nullptr) {
    if (!layers::is_stored(emitter.node((*sum)[1])) || emitter.node((*sum)[1]).type.shape.size() != 1)
      return std::nullopt;
    product = (*sum)[0];
    bias = (*sum)[1];
  }
  const Node& made = emitter.node(product);
  if (made.op->name != "matmul" || made.attributes.flag("transpose_a") || made.attributes.flag("transpose_b"))
    return std::nullopt;
  const Node& weight = emitter.node(made.inputs[1]);
  if (!layers::is_stored(weight) || weight.type.shape.size() != 2) return std::nullopt;
  return Given{made.inputs[0], gate_weights(emitter, made.inputs[1], order), bias};
}

/// Any other value is multiplied by one in its place.
Given as_it_is(Emitter& emitter, NodeId p, const std::vector<std::int64_t>& order) {
  const std::size_t gates = order.size();
  std::vector<float> ones(gates * gates, 0);
  for (std::size_t row = 0; row < gates; ++row) ones[row * gates + static_cast<std::size_t>(order[row])] = 1;
  const auto side = static_cast<std::int64_t>(gates);
  const Value matrix = emitter.add("Reshape", {emitter.floats(ones), emitter.integers({1, side, side})});
  return {p, matrix, std::nullopt};
}

/// [1, 2 gates]: what is added to the input's part, then to the state's.
Value biases(Emitter& emitter, std::optional<NodeId> given, NodeId recurrent,
             const std::vector<std::int64_t>& order) {
  const auto gates = static_cast<std::int64_t>(order.size());
  if (layers::is_stored(emitter.node(recurrent)))
    return emitter.stored(given.value_or(recurrent), fmt::format("{}, {}", key_of(order), recurrent), [&] {
      std::vector<float> both(2 * order.size(), 0);
      if (given)
        std::ranges::copy(layers::reordered(emitter.numbers(*given), {gates}, 0, order), both.begin());
      std::ranges::copy(layers::reordered(emitter.numbers(recurrent), {gates}, 0, order),
                        both.begin() + gates);
      return Emitter::Stored{{1, 2 * gates}, std::move(both)};
    });
  const auto ordered = [&](Value value) {
    return emitter.add("Gather", {value, emitter.integers(order)}, {{"axis", std::int64_t{0}}});
  };
  const Value first =
      given ? ordered(emitter.value(*given)) : emitter.floats(std::vector<float>(order.size(), 0));
  const Value all =
      emitter.add("Concat", {first, ordered(emitter.value(recurrent))}, {{"axis", std::int64_t{0}}});
  return emitter.add("Unsqueeze", {all, emitter.integers({0})});
}

bool is_all(const Emitter& emitter, NodeId id, float number) {
  const Node& node = emitter.node(id);
  if (!node.op->traits.constant) return false;
  return std::ranges::all_of(node.attributes.numbers("values"),
                             [&](double x) { return x == static_cast<double>(number); });
}

Value part(Emitter& emitter, Value x, std::int64_t axis, std::int64_t start, std::int64_t stop) {
  return emitter.add("Slice",
                     {x, emitter.integers({start}), emitter.integers({stop}), emitter.integers({axis})});
}

Value turned(Emitter& emitter, Value x) {
  return emitter.add("Transpose", {x}, {{"perm", std::vector<std::int64_t>{1, 0, 2}}});
}

/// The states before the first step, each [1, n, units]; none: zeros.
std::vector<Value> start_of(Emitter& emitter, NodeId start, const Cell& cell, const Sizes& sizes) {
  if (is_all(emitter, start, 0)) return {};
  Value all = emitter.value(start);
  const Dim width = Dim::number(static_cast<std::int64_t>(cell.states) * sizes.units);
  if (emitter.node(start).type.shape[0] != sizes.rows)
    all = emitter.add("Expand", {all, emitter.shape({sizes.rows, width})});
  all = emitter.add("Unsqueeze", {all, emitter.integers({0})});
  if (cell.states == 1) return {all};
  return {part(emitter, all, 2, 0, sizes.units), part(emitter, all, 2, sizes.units, 2 * sizes.units)};
}

/// A recurrence as ONNX's op, of all steps or of one.
class Recurrence {
 public:
  Recurrence(Emitter& emitter, NodeId id)
      : emitter_(emitter), node_(emitter.node(id)), cell_(cell_of(node_)), sizes_(sizes_of(emitter, id)) {
    const std::vector<std::int64_t> order = gate_order(cell_, sizes_.units);
    const NodeId p = node_.inputs[0];
    std::optional<Given> given = emitter.uses(p) == 1 ? layer_of(emitter, p, order) : std::nullopt;
    if (!given) given = as_it_is(emitter, p, order);
    x_ = turned(emitter, emitter.value(given->x));
    weights_ = {given->w, gate_weights(emitter, node_.inputs[1], order),
                biases(emitter, given->bias, node_.inputs[2], order)};
  }

  bool has_mask() const { return !is_all(emitter_, node_.inputs[3], 1); }
  bool reverses() const { return node_.attributes.flag("reverse"); }

  /// [n, steps, units], of h alone.
  Value whole() {
    const Value y = run(x_, start_of(emitter_, node_.inputs[4], cell_, sizes_), reverses())[0];
    return turned(emitter_, emitter_.add("Squeeze", {y, emitter_.integers({1})}));
  }

  /// [n, steps, states units]: what ONNX's op does not show, and where masks keep states.
  Value step_by_step() {
    std::vector<Value> states = start_of(emitter_, node_.inputs[4], cell_, sizes_);
    if (states.empty()) states.assign(cell_.states, zeros());
    std::vector<Value> all(static_cast<std::size_t>(sizes_.steps));
    for (std::int64_t step = 0; step < sizes_.steps; ++step) {
      const std::int64_t time = reverses() ? sizes_.steps - 1 - step : step;
      const std::vector<Value> made = run(part(emitter_, x_, 0, time, time + 1), states, false);
      std::vector<Value> after(made.begin() + 1, made.end());
      if (has_mask()) after = mixed(states, after, share(time));
      states = after;
      all[static_cast<std::size_t>(time)] =
          cell_.states == 1 ? states[0] : emitter_.add("Concat", states, {{"axis", std::int64_t{2}}});
    }
    const Value joined =
        all.size() == 1 ? all[0] : emitter_.add("Concat", std::move(all), {{"axis", std::int64_t{0}}});
    return turned(emitter_, joined);
  }

 private:
  std::vector<Value> run(Value x, const std::vector<Value>& states, bool reverse) {
    std::vector<Value> inputs = {x, weights_[0], weights_[1], weights_[2]};
    if (!states.empty()) inputs.push_back(no_value);  // all series are of one length
    inputs.insert(inputs.end(), states.begin(), states.end());
    std::vector<AttributeRecord> attributes = {{"hidden_size", sizes_.units}};
    if (reverse) attributes.push_back({"direction", std::string("reverse")});
    if (cell_.states == 1) attributes.push_back({"linear_before_reset", std::int64_t{1}});
    return emitter_.add_outputs(cell_.op, std::move(inputs), std::move(attributes), 1 + cell_.states);
  }

  Value zeros() {
    const Shape shape = {Dim::number(1), sizes_.rows, Dim::number(sizes_.units)};
    return emitter_.add("Expand", {emitter_.number(0), emitter_.shape(shape)});
  }

  /// How much of a new state counts, [1, n or 1, 1].
  Value share(std::int64_t time) {
    const Value column = part(emitter_, emitter_.value(node_.inputs[3]), 1, time, time + 1);
    return emitter_.add("Unsqueeze", {column, emitter_.integers({0})});
  }

  std::vector<Value> mixed(const std::vector<Value>& before, const std::vector<Value>& after, Value share) {
    const Value rest = emitter_.add("Sub", {emitter_.number(1), share});
    std::vector<Value> states;
    for (std::size_t i = 0; i < after.size(); ++i)
      states.push_back(emitter_.add(
          "Add", {emitter_.add("Mul", {share, after[i]}), emitter_.add("Mul", {rest, before[i]})}));
    return states;
  }

  Emitter& emitter_;
  const Node& node_;
  Cell cell_;
  Sizes sizes_;
  Value x_ = no_value;  ///< [steps, n, inputs]
  std::array<Value, 3> weights_{};
};

/// Is it the part h of an LSTM's states?
bool takes_h(const Emitter& emitter, const Node& user, NodeId states) {
  const Attributes& attributes = user.attributes;
  return user.op->name == "slice" && normalised_axis(attributes.integer("axis"), 3) == 2 &&
         attributes.integer("start") == 0 && attributes.integer("step") == 1 &&
         attributes.integer("stop") == sizes_of(emitter, states).units;
}

bool asks_for_h_alone(const Emitter& emitter, NodeId states) {
  const Graph& graph = emitter.graph();
  return std::ranges::none_of(graph.outputs(), [&](const NamedOutput& o) { return o.node == states; }) &&
         std::ranges::all_of(graph.nodes(), [&](const Node& user) {
           return std::ranges::find(user.inputs, states) == user.inputs.end() ||
                  takes_h(emitter, user, states);
         });
}

bool is_one_op(const Emitter& emitter, NodeId id) {
  const Node& node = emitter.node(id);
  return is_all(emitter, node.inputs[3], 1) &&
         (node.op->name == "gru_steps" || asks_for_h_alone(emitter, id));
}

void steps(Emitter& emitter, NodeId id) {
  Recurrence recurrence(emitter, id);
  emitter.define(id, is_one_op(emitter, id) ? recurrence.whole() : recurrence.step_by_step());
}

constexpr TranslatedOp translations[] = {{"gru_steps", steps}, {"lstm_steps", steps}};

}  // namespace

bool is_hidden_state(const Emitter& emitter, NodeId id) {
  const Node& node = emitter.node(id);
  const NodeId states = node.inputs.at(0);
  const std::string& op = emitter.node(states).op->name;
  if (op != "lstm_steps" && op != "gru_steps") return false;
  return takes_h(emitter, node, states) && (op == "gru_steps" || is_one_op(emitter, states));
}

std::span<const TranslatedOp> sequence_translations() {
  return translations;
}

}  // namespace graphrun::onnx
