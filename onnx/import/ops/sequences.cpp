// Recurrent layers: graphrun's own cells where they are these, else step by step.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

constexpr std::int64_t most_unrolled = 512;

/// A cell, and where ONNX has each of its gates.
struct Cell {
  std::string_view op;  ///< of graphrun; empty: it has none
  std::vector<std::int64_t> gates;
  std::size_t states = 1;
};

Cell cell_of(const Call& call) {
  if (call.op() == "LSTM") return {"lstm_steps", {0, 2, 3, 1}, 2};  // input, forget, value, output
  if (call.op() == "GRU") return {"gru_steps", {1, 0, 2}, 1};       // reset, keep, value
  return {"", {0}, 1};
}

// ---- Weights of one direction ----

struct Sizes {
  std::int64_t steps;
  std::int64_t units;
  std::int64_t directions;
};

std::string directed(const std::string& name, std::int64_t direction, std::int64_t directions) {
  if (name.empty() || directions == 1) return name;
  return name + (direction == 0 ? "_forward" : "_backward");
}

/// The name of the state's bias, as the block gru has it, beside the input's.
std::string recurrent_name(const std::string& bias) {
  if (bias.empty()) return bias;
  return bias.ends_with(".b") ? bias.substr(0, bias.size() - 1) + "recurrent" : bias + "_recurrent";
}

/// Of weights [directions, parts · gates · units, …], one direction and part, its gates in graphrun's order.
Value gates_of(Importer& importer, const Value& weights, std::int64_t direction, std::int64_t part,
               const Cell& cell, const Sizes& sizes) {
  const auto gates = static_cast<std::int64_t>(cell.gates.size());
  if (weights.stored) {
    std::vector<std::int64_t> rows;
    for (const std::int64_t gate : cell.gates)
      for (std::int64_t unit = 0; unit < sizes.units; ++unit) rows.push_back(gate * sizes.units + unit);
    Extents extents(weights.stored->extents.begin() + 1, weights.stored->extents.end());
    const std::int64_t each = element_count(extents);
    extents[0] = std::ssize(rows);
    const std::int64_t count = element_count(extents);
    const auto first = weights.stored->values.begin() + direction * each + part * count;
    Stored one{directed(weights.stored->name, direction, sizes.directions), extents, {}};
    one.values = layers::reordered({first, first + count}, extents, 0, rows);
    return value_of(std::move(one), weights.type);
  }
  NodeId node = importer.sliced(importer.node(weights), 0, direction, direction + 1);
  node = importer.reshape(node, Shape(weights.shape.begin() + 1, weights.shape.end()));
  std::vector<NodeId> parts;
  for (const std::int64_t gate : cell.gates) {
    const std::int64_t at = (part * gates + gate) * sizes.units;
    parts.push_back(importer.sliced(node, 0, at, at + sizes.units));
  }
  return importer.value(importer.joined(std::move(parts), 0), weights.type);
}

bool is_zero(const Value& value) {
  const auto numbers = numbers_of(value);
  return numbers && std::ranges::all_of(*numbers, [](double x) { return x == 0; });
}

Stored summed(Stored a, const Stored& b) {
  for (std::size_t i = 0; i < a.values.size(); ++i) a.values[i] += b.values[i];
  return a;
}

/// What the state before gives, and the state before the first step.
struct Weights {
  NodeId given;  ///< [n, steps, gates]
  NodeId u;      ///< [units, gates]
  NodeId b;      ///< [gates]
};

void require_shape(const Value& value, const Extents& expected, const char* what) {
  Shape shape;
  for (const std::int64_t extent : expected) shape.push_back(Dim::number(extent));
  if (value.shape != shape)
    throw Unsupported(
        fmt::format("{} of the shape {}, not {}", what, to_string(value.shape), to_string(shape)));
}

Weights weights_of(Importer& importer, const Call& call, NodeId x, std::int64_t direction, const Cell& cell,
                   const Sizes& sizes) {
  const auto gates = static_cast<std::int64_t>(cell.gates.size());
  const std::int64_t width = checked_multiply(gates, sizes.units);
  const Dim inputs = importer.type(x).shape[2];
  if (!inputs.is_number()) throw Unsupported("series whose width is not known");
  require_shape(call.input(1), {sizes.directions, width, inputs.offset}, "weights");
  require_shape(call.input(2), {sizes.directions, width, sizes.units}, "weights");
  const Value w = gates_of(importer, call.input(1), direction, 0, cell, sizes);
  Term given{&importer, importer.product(x, importer.node(w, {1, 0}))};
  NodeId recurrent = importer.constant({0}, {width});
  if (call.has(3)) {
    require_shape(call.input(3), {sizes.directions, 2 * width}, "biases");
    Value first = gates_of(importer, call.input(3), direction, 0, cell, sizes);
    Value second = gates_of(importer, call.input(3), direction, 1, cell, sizes);
    if (call.op() == "LSTM" && first.stored) {  // whose gates see both in one sum
      first = value_of(summed(*first.stored, *second.stored), first.type);
      second =
          value_of(Stored{"", {width}, std::vector<float>(static_cast<std::size_t>(width), 0)}, first.type);
    }
    if (!is_zero(first)) given = given + given.with(importer.node(first));
    if (second.stored && !is_zero(second)) {
      Stored named = *second.stored;
      named.name = recurrent_name(named.name);
      second = value_of(std::move(named), second.type);
    }
    if (!is_zero(second)) recurrent = importer.node(second);
  }
  const NodeId u = importer.node(gates_of(importer, call.input(2), direction, 0, cell, sizes), {1, 0});
  return {given.id, u, recurrent};
}

// ---- Series ----

/// Zeros, however large: what most files begin with.
bool is_zero_node(Importer& importer, const Value& value) {
  if (value.is_constant()) return is_zero(value);
  NodeId id = *value.node;
  const Builder& builder = importer.builder();
  while (builder.node(id).op->traits.stretches || builder.node(id).op->traits.moves)
    id = builder.node(id).inputs.at(0);
  if (!builder.node(id).op->traits.constant) return false;
  return std::ranges::all_of(builder.node(id).attributes.numbers("values"), [](double x) { return x == 0; });
}

/// One direction of [directions, n, units] as [n or 1, units].
NodeId state_of(Importer& importer, const Value& state, std::int64_t direction, bool batch_first) {
  if (state.rank() != 3) throw Unsupported("a state of other axes");
  const NodeId rows = importer.node(state, batch_first ? natural_order(3) : Order{1, 0, 2});
  const NodeId one = importer.sliced(rows, 1, direction, direction + 1);
  const Shape& shape = importer.type(one).shape;
  return importer.reshape(one, {shape[0], shape[2]});
}

/// [n or 1, states · units].
NodeId start_of(Importer& importer, const Call& call, std::int64_t direction, const Cell& cell,
                const Sizes& sizes, Dim rows) {
  const auto width = static_cast<std::int64_t>(cell.states) * sizes.units;
  bool is_zero = true;
  for (std::size_t i = 5; i < 5 + cell.states; ++i)
    is_zero = is_zero && (!call.has(i) || is_zero_node(importer, call.input(i)));
  if (is_zero) return importer.constant({0}, {1, width});
  std::vector<NodeId> parts;
  for (std::size_t i = 5; i < 5 + cell.states; ++i) {
    const NodeId part = call.has(i)
                            ? state_of(importer, call.input(i), direction, call.integer("layout", 0) != 0)
                            : importer.number(0);
    parts.push_back(importer.broadcast(part, {rows, Dim::number(sizes.units)}));
  }
  return importer.joined(std::move(parts), 1);
}

/// 1 where a series has not ended, [n, steps]; nothing when all are of full length.
std::optional<NodeId> mask_of(Importer& importer, const Call& call, std::int64_t steps) {
  if (!call.has(4)) return std::nullopt;
  const Value& lengths = call.input(4);
  const auto known = numbers_of(lengths);
  if (known && std::ranges::all_of(*known, [&](double n) { return n == static_cast<double>(steps); }))
    return std::nullopt;
  if (lengths.rank() != 1) throw Unsupported("lengths of other axes");
  if (steps > Importer::most_indices) throw Unsupported(fmt::format("a mask of {} steps", steps));
  std::vector<double> times;
  for (std::int64_t i = 0; i < steps; ++i) times.push_back(static_cast<double>(i));
  const Term column{&importer, importer.reshape(importer.node(lengths), {lengths.shape[0], Dim::number(1)})};
  return apply("less", column.with(importer.constant(std::move(times), {1, steps})), column).id;
}

// ---- Step by step ----

Term activated(const std::string& name, Term x) {
  std::string word;
  for (const char c : name) word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view op : {"sigmoid", "tanh", "relu", "softplus"})
    if (word == op) return apply(op, x);
  if (word == "softsign") return x / (apply("abs", x) + 1.0);
  throw Unsupported(fmt::format("the activation {}", name));
}

std::vector<std::string> activations_of(const Call& call, std::int64_t direction, const Cell& cell) {
  const std::size_t count = cell.op.empty() ? 1 : cell.states + 1;
  std::vector<std::string> usual = {"Sigmoid", "Tanh", "Tanh"};
  if (cell.op.empty()) usual = {"Tanh"};
  const std::vector<std::string> said = call.texts("activations");
  const std::size_t first = said.size() > count ? static_cast<std::size_t>(direction) * count : 0;
  for (std::size_t i = 0; i < count && first + i < said.size(); ++i) usual[i] = said[first + i];
  usual.resize(count);
  return usual;
}

/// Is it the cell that graphrun's op has?
bool is_own(const Call& call, const std::vector<std::string>& activations, const Cell& cell) {
  const std::vector<std::string> usual = {"sigmoid", "tanh", "tanh"};
  for (std::size_t i = 0; i < activations.size(); ++i)
    if (!std::ranges::equal(activations[i], usual[i],
                            [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; }))
      return false;
  const bool is_plain = call.number("clip", 0) == 0 && call.integer("input_forget", 0) == 0 &&
                        (!call.has(7) || is_zero(call.input(7)));
  const bool resets_after = call.op() != "GRU" || call.integer("linear_before_reset", 0) != 0;
  return !cell.op.empty() && is_plain && resets_after;
}

class Steps {
 public:
  Steps(Importer& importer, const Call& call, const Weights& weights, std::int64_t direction,
        const Sizes& sizes, std::vector<std::string> activations)
      : importer_(importer),
        call_(call),
        weights_(weights),
        direction_(direction),
        sizes_(sizes),
        activations_(std::move(activations)) {
    if (sizes.steps > most_unrolled)
      throw Unsupported(
          fmt::format("a cell that is made step by step, and more than {} steps", most_unrolled));
  }

  /// [n, steps, states · units].
  NodeId run(NodeId start, std::optional<NodeId> mask, bool reverse) {
    const Dim rows = importer_.type(weights_.given).shape[0];
    const Dim width = importer_.type(start).shape[1];
    NodeId state = importer_.broadcast(start, {rows, width});
    std::vector<NodeId> all(static_cast<std::size_t>(sizes_.steps));
    for (std::int64_t step = 0; step < sizes_.steps; ++step) {
      const std::int64_t time = reverse ? sizes_.steps - 1 - step : step;
      const NodeId row = importer_.sliced(weights_.given, 1, time, time + 1);
      const Shape& shape = importer_.type(row).shape;
      NodeId after = stepped(importer_.reshape(row, {shape[0], shape[2]}), state);
      if (mask) {
        const Term counts{&importer_, importer_.sliced(*mask, 1, time, time + 1)};
        after = choose(counts, counts.with(after), counts.with(state)).id;
      }
      state = after;
      all[static_cast<std::size_t>(time)] = importer_.reshape(state, {rows, Dim::number(1), width});
    }
    return importer_.joined(std::move(all), 1);
  }

 private:
  Term part(NodeId x, std::int64_t at) {
    return {&importer_, importer_.sliced(x, 1, at * sizes_.units, (at + 1) * sizes_.units)};
  }
  Term function(std::size_t i, Term x) {
    if (const double limit = call_.number("clip", 0); limit > 0)
      x = x.with(importer_.add("clip", {x.id}, {{"low", -limit}, {"high", limit}}));
    return activated(activations_[i], x);
  }

  NodeId stepped(NodeId given, NodeId state) {
    const Term h = part(state, 0);
    const Term q = h.with(importer_.product(h.id, weights_.u)) + h.with(weights_.b);
    if (call_.op() == "RNN") return function(0, h.with(given) + q).id;
    return call_.op() == "GRU" ? gru(given, q.id, h).id : lstm(given, q.id, part(state, 1));
  }

  Term gru(NodeId given, NodeId q, Term h) {
    const Term reset = function(0, part(given, 0) + part(q, 0));
    const Term keep = function(0, part(given, 1) + part(q, 1));
    Term recurrent = reset * part(q, 2);
    if (call_.integer("linear_before_reset", 0) == 0) {
      const Term u = part(weights_.u, 2);
      const Term bias = h.with(importer_.sliced(weights_.b, 0, 2 * sizes_.units, 3 * sizes_.units));
      recurrent = h.with(importer_.product((reset * h).id, u.id)) + bias;
    }
    const Term value = function(1, part(given, 2) + recurrent);
    return (1.0 - keep) * value + keep * h;
  }

  NodeId lstm(NodeId given, NodeId q, Term c) {
    const auto gate = [&](std::int64_t i) { return part(given, i) + part(q, i); };
    const Term forget = function(0, gate(1) + peephole(2, c));
    const Term in =
        call_.integer("input_forget", 0) != 0 ? 1.0 - forget : function(0, gate(0) + peephole(0, c));
    const Term after = forget * c + in * function(1, gate(2));
    const Term out = function(0, gate(3) + peephole(1, after));
    return importer_.joined({(out * activated(activations_[2], after)).id, after.id}, 1);
  }

  /// What a gate sees of the cell: ONNX has those of input, output and forget gate.
  Term peephole(std::int64_t gate, Term c) {
    if (!call_.has(7)) return c.with(importer_.number(0));
    const NodeId all = importer_.sliced(importer_.node(call_.input(7)), 0, direction_, direction_ + 1);
    return c * part(all, gate);
  }

  Importer& importer_;
  const Call& call_;
  Weights weights_;
  std::int64_t direction_;
  Sizes sizes_;
  std::vector<std::string> activations_;
};

// ---- The ops ----

Sizes sizes_of(const Call& call, const Value& x, const std::string& direction) {
  if (x.rank() != 3) throw Unsupported("series of other than three axes");
  const Dim steps = x.shape[call.integer("layout", 0) != 0 ? 1 : 0];
  const Value& r = call.input(2);
  if (!steps.is_number()) throw Unsupported("series whose length is not known: give it with --shape");
  if (r.rank() != 3 || !r.shape[2].is_number()) throw Unsupported("weights whose size is not known");
  const std::int64_t units = call.integer("hidden_size", r.shape[2].offset);
  if (units != r.shape[2].offset)
    throw Unsupported(fmt::format("a hidden_size of {}, and weights of {}", units, r.shape[2].offset));
  return {steps.offset, r.shape[2].offset, direction == "bidirectional" ? 2 : 1};
}

/// Each state of each step, [n, steps, states · units], of one direction.
NodeId states_of(Importer& importer, const Call& call, NodeId x, std::int64_t direction, bool reverse,
                 std::optional<NodeId> mask) {
  const Cell cell = cell_of(call);
  const Sizes sizes = sizes_of(call, call.input(0), call.text("direction", "forward"));
  const Weights weights = weights_of(importer, call, x, direction, cell, sizes);
  const NodeId start = start_of(importer, call, direction, cell, sizes, importer.type(x).shape[0]);
  const std::vector<std::string> activations = activations_of(call, direction, cell);
  if (!is_own(call, activations, cell))
    return Steps(importer, call, weights, direction, sizes, activations).run(start, mask, reverse);
  const NodeId all = mask ? *mask : importer.constant({1}, {1, sizes.steps});
  return importer.add(cell.op, {weights.given, weights.u, weights.b, all, start}, {{"reverse", reverse}});
}

Results recurrence(Importer& importer, const Call& call) {
  const Value& input = call.input(0);
  const bool batch_first = call.integer("layout", 0) != 0;
  const std::string direction = call.text("direction", "forward");
  const Sizes sizes = sizes_of(call, input, direction);
  const Cell cell = cell_of(call);
  const NodeId x = importer.node(input, batch_first ? natural_order(3) : Order{1, 0, 2});
  const Dim rows = importer.type(x).shape[0];
  const std::optional<NodeId> mask = mask_of(importer, call, sizes.steps);
  std::vector<NodeId> series;
  std::array<std::vector<NodeId>, 2> ends;
  for (std::int64_t i = 0; i < sizes.directions; ++i) {
    const bool reverse = direction == "reverse" || i == 1;
    const NodeId states = states_of(importer, call, x, i, reverse, mask);
    NodeId h = importer.sliced(states, 2, 0, sizes.units);
    const std::int64_t last = reverse ? 0 : sizes.steps - 1;
    for (std::size_t state = 0; state < cell.states; ++state) {
      const auto at = static_cast<std::int64_t>(state) * sizes.units;
      const NodeId part = state == 0 ? h : importer.sliced(states, 2, at, at + sizes.units);
      ends[state].push_back(importer.sliced(part, 1, last, last + 1));
    }
    if (mask) {  // what is behind a series' end is 0
      const Term counts{&importer, importer.reshape(*mask, {rows, Dim::number(sizes.steps), Dim::number(1)})};
      h = (counts.with(h) * counts).id;
    }
    series.push_back(
        importer.reshape(h, {rows, Dim::number(sizes.steps), Dim::number(1), Dim::number(sizes.units)}));
  }
  // [n, steps, directions, units] and [n, directions, units].
  Results results = {importer.value(importer.joined(std::move(series), 2), input.type,
                                    batch_first ? natural_order(4) : Order{2, 0, 1, 3})};
  for (std::size_t state = 0; state < cell.states; ++state)
    results.push_back(importer.value(importer.joined(std::move(ends[state]), 1), input.type,
                                     batch_first ? natural_order(3) : Order{1, 0, 2}));
  return results;
}

constexpr ImportedOp table[] = {{"GRU", recurrence}, {"LSTM", recurrence}, {"RNN", recurrence}};

}  // namespace

std::span<const ImportedOp> sequence_imports() {
  return table;
}

}  // namespace graphrun::onnx
