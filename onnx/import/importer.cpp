#include "onnx/import/importer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "graph/interpreter.hpp"
#include "onnx/import/wire_reader.hpp"

namespace graphrun::onnx {

namespace {

/// What a constant of a model file may hold; more is stored with the weights.
constexpr std::size_t most_written = 64;
/// Of a computation of constants, all its values together.
constexpr std::int64_t most_folded = std::int64_t{1} << 24;
/// Nodes and their operands: one node of a file may become thousands.
constexpr std::size_t most_made = 4'000'000;

Extents without_leading_ones(Extents extents) {
  const auto first = std::ranges::find_if(extents, [](std::int64_t extent) { return extent != 1; });
  extents.erase(extents.begin(), first);
  return extents;
}

Shape shape_of(const Extents& extents) {
  Shape shape;
  for (const std::int64_t extent : extents) shape.push_back(Dim::number(extent));
  return shape;
}

/// Integers are f32 in the model, which has them all up to here.
float as_float(std::int64_t integer) {
  const auto value = static_cast<float>(integer);
  if (static_cast<double>(value) != static_cast<double>(integer))
    throw Unsupported(fmt::format("the integer {}: integers are f32 here, exact up to 16777216", integer));
  return value;
}

}  // namespace

// ---- Nodes ----

NodeId Importer::add(std::string_view op, std::vector<NodeId> inputs, Attributes attributes) {
  made_ += 1 + inputs.size();
  if (made_ > most_made)
    throw MalformedFile(fmt::format("its nodes become more than {} nodes and operands", most_made));
  try {
    return builder_.add(op, std::move(inputs), std::move(attributes));
  } catch (const OpError& error) {
    throw Unsupported(fmt::format("{}: {}", op, error.message()));
  }
}

/// A model file has no words for infinity and for what is no number: they are logarithms of 0 and of -1.
NodeId Importer::number(double value) {
  if (std::isnan(value)) return add("log", {number(-1)});
  if (std::isinf(value)) {
    const NodeId below = add("log", {number(0)});
    return value < 0 ? below : add("neg", {below});
  }
  return add("constant", {}, {{"values", std::vector<double>{value}}});
}

NodeId Importer::constant(std::vector<double> values, const Extents& extents) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double odd : {-infinity, infinity, std::numeric_limits<double>::quiet_NaN()}) {
    const auto is_odd = [odd](double value) {
      return value == odd || (std::isnan(odd) && std::isnan(value));
    };
    if (std::ranges::none_of(values, is_odd)) continue;
    if (values.size() == 1) return broadcast(number(odd), shape_of(extents));
    std::vector<double> places;
    for (double& value : values) {
      places.push_back(is_odd(value) ? 1 : 0);
      if (is_odd(value)) value = 0;
    }
    return add("where",
               {constant(std::move(places), extents), number(odd), constant(std::move(values), extents)});
  }
  if (values.size() <= most_written)
    return add("constant", {}, {{"values", std::move(values)}, {"shape", shape_of(extents)}});
  return variable({"", extents, {values.begin(), values.end()}}, natural_order(extents.size()));
}

NodeId Importer::reshape(NodeId x, const Shape& shape) {
  if (type(x).shape == shape) return x;
  return add("reshape", {x}, {{"shape", shape}});
}

NodeId Importer::transpose(NodeId x, const Order& axes) {
  if (is_natural(axes)) return x;
  const auto known = turned_.find({x, axes});
  if (known != turned_.end()) return known->second;
  const NodeId turned =
      add("transpose", {x}, {{"axes", std::vector<std::int64_t>(axes.begin(), axes.end())}});
  turned_[{x, axes}] = turned;
  return turned;
}

/// Beyond 2^23 every f32 is whole; casts hold no more than 2^31.
NodeId Importer::truncated(NodeId x) {
  const NodeId whole =
      add("cast", {add("cast", {x}, {{"dtype", std::string("i32")}})}, {{"dtype", std::string("f32")}});
  return add("where", {add("less", {add("abs", {x}), number(8388608)}), whole, x});
}

NodeId Importer::floor(NodeId x) {
  const NodeId whole = truncated(x);
  return add("sub", {whole, add("greater", {whole, x})});
}

NodeId Importer::sum(NodeId x, std::vector<std::int64_t> axes, bool keepdims) {
  return add("sum", {x}, {{"axis", Axes{false, std::move(axes)}}, {"keepdims", keepdims}});
}

NodeId Importer::mean(NodeId x, std::vector<std::int64_t> axes, bool keepdims) {
  const NodeId count = add("size", {x}, {{"axis", Axes{false, axes}}});
  return add("div", {sum(x, std::move(axes), keepdims), count});
}

NodeId Importer::sliced(NodeId x, std::size_t axis, std::int64_t start, std::int64_t stop,
                        std::int64_t step) {
  const Dim extent = type(x).shape.at(axis);
  if (start == 0 && step == 1 && extent.is_number(stop)) return x;
  if (extent.is_number() && stop == extent.offset) stop = 0;
  return add("slice", {x},
             {{"axis", static_cast<std::int64_t>(axis)}, {"start", start}, {"stop", stop}, {"step", step}});
}

NodeId Importer::joined(std::vector<NodeId> parts, std::size_t axis) {
  if (parts.size() == 1) return parts[0];
  return add("concat", std::move(parts), {{"axis", static_cast<std::int64_t>(axis)}});
}

NodeId Importer::taken(NodeId x, std::size_t axis, const std::vector<std::int64_t>& indices) {
  if (indices.empty()) throw Unsupported("a tensor without elements");
  const auto count = static_cast<std::int64_t>(indices.size());
  if (count > most_indices) throw Unsupported(fmt::format("{} elements that are picked one by one", count));
  const Dim extent = type(x).shape.at(axis);
  for (const std::int64_t i : indices)
    if (i < 0 || (extent.is_number() && i >= extent.offset))
      throw Unsupported(fmt::format("index {} of an axis of {}", i, to_string(extent)));
  const std::int64_t step = count > 1 ? indices[1] - indices[0] : 1;
  bool is_even = step >= 1;
  for (std::size_t i = 1; i < indices.size(); ++i) is_even = is_even && indices[i] - indices[i - 1] == step;
  if (is_even) return sliced(x, axis, indices.front(), indices.back() + 1, step);
  Order front = {axis};
  for (std::size_t i = 0; i < type(x).shape.size(); ++i)
    if (i != axis) front.push_back(i);
  const std::vector<double> places(indices.begin(), indices.end());
  const NodeId index =
      add("constant", {},
          {{"values", places}, {"shape", Shape{Dim::number(count)}}, {"dtype", std::string("i32")}});
  return transpose(add("gather", {transpose(x, front), index}), inverse(front));
}

NodeId Importer::broadcast(NodeId x, const Shape& shape) {
  if (type(x).shape == shape) return x;
  return add("broadcast_to", {x}, {{"shape", shape}});
}

NodeId Importer::product(NodeId a, NodeId b, bool transpose_a, bool transpose_b) {
  return add("matmul", {a, b}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}});
}

// ---- Weights ----

NodeId Importer::variable(const Stored& stored, const Order& order) {
  const Extents extents = layers::transposed(stored.extents, order);
  NodeDetails details;
  details.name = fmt::format("{}#{}", stored.name, variables_.size());
  const NodeId id = builder_.add(
      "param", {}, {{"shape", shape_of(extents)}, {"trainable", !stored.name.empty()}}, std::move(details));
  variables_[id] = {stored.name, extents, layers::transposed(stored.values, stored.extents, order), order};
  return id;
}

/// The first use of a weight decides how it lies; another use turns that.
NodeId Importer::stored_node(const Value& value, const Order& order) {
  const Stored& stored = *value.stored;
  if (stored.name.empty() || stored.extents.empty()) {
    const std::vector<float> turned = layers::transposed(stored.values, stored.extents, order);
    return constant({turned.begin(), turned.end()}, layers::transposed(stored.extents, order));
  }
  const std::string key = stored.name + "/" + to_string(stored.extents);
  const auto known = variable_nodes_.find(key);
  if (known == variable_nodes_.end()) return variable_nodes_[key] = variable(stored, order);
  const Order& first = variables_.at(known->second).order;
  Order turn;
  for (const std::size_t axis : order) turn.push_back(place_of(first, axis));
  return transpose(known->second, turn);
}

void Importer::reorder(NodeId variable, std::size_t axis, const std::vector<std::int64_t>& order) {
  Variable& changed = variables_.at(variable);
  changed.values = layers::reordered(changed.values, changed.extents, axis, order);
}

NodeId Importer::dimension(const Dim& dim) {
  if (dim.is_number()) return number(static_cast<double>(as_float(dim.offset)));
  if (!batch_input) throw Unsupported("the batch is counted, and no input has it as its first axis");
  const NodeId batch = add("size", {*batch_input}, {{"axis", Axes{false, {0}}}});
  Term size{this, batch};
  if (dim.factor != 1) size = size * static_cast<double>(dim.factor);
  if (dim.offset != 0) size = size + static_cast<double>(dim.offset);
  return size.id;
}

NodeId Importer::known_node(const Value& value, const Order& order) {
  const Known& known = *value.known;
  if (const auto integers = integers_of(value)) {
    Stored stored{"", known.extents, {}};
    for (const std::int64_t integer : *integers) stored.values.push_back(as_float(integer));
    return stored_node(value_of(std::move(stored), value.type), order);
  }
  std::vector<NodeId> elements;
  for (const Dim& element : known.elements) elements.push_back(reshape(dimension(element), {Dim::number(1)}));
  return transpose(reshape(joined(std::move(elements), 0), shape_of(known.extents)), order);
}

// ---- Values as nodes ----

NodeId Importer::unflattened(const Value& value) {
  const layers::ImageExtents& image = *value.flat;
  const Shape images = {value.shape[0], Dim::number(image.height), Dim::number(image.width),
                        Dim::number(image.channels)};
  return reshape(transpose(reshape(*value.node, images), {0, 3, 1, 2}), value.shape);
}

NodeId Importer::node(const Value& value, const Order& order) {
  for (const Dim& dim : value.shape)
    if (dim.is_number(0)) throw Unsupported("a tensor without elements");
  if (order.size() != value.rank()) throw Unsupported("tensors of different numbers of axes");
  if (value.stored) return stored_node(value, order);
  if (value.known) return known_node(value, order);
  if (!value.node) throw Unsupported("an input that is not there");
  if (value.flat) return transpose(unflattened(value), order);
  Order turn;
  for (const std::size_t axis : order) turn.push_back(place_of(value.order, axis));
  return transpose(*value.node, turn);
}

NodeId Importer::any_order(const Value& value, Order& order) {
  order = value.node && !value.flat ? value.order : natural_order(value.rank());
  return node(value, order);
}

NodeId Importer::index(const Value& value, const Order& order, Dim length) {
  if (const auto integers = integers_of(value); integers && length.is_number()) {
    std::vector<float> wrapped;
    for (const std::int64_t i : *integers) {
      if (i < -length.offset || i >= length.offset)
        throw Unsupported(fmt::format("index {} of an axis of {}", i, length.offset));
      wrapped.push_back(static_cast<float>(i < 0 ? i + length.offset : i));
    }
    wrapped = layers::transposed(wrapped, value.known->extents, order);
    const Extents extents = layers::transposed(value.known->extents, order);
    return add("constant", {},
               {{"values", std::vector<double>(wrapped.begin(), wrapped.end())},
                {"shape", shape_of(extents)},
                {"dtype", std::string("i32")}});
  }
  const NodeId x = node(value, order);
  const Node& made = builder_.node(x);
  if (made.op->name == "cast" && type(made.inputs[0]).dtype == DType::i32) return made.inputs[0];
  const Term index{this, x};
  const Term wrapped = choose(apply("less", index, 0.0), index + index.with(dimension(length)), index);
  return add("cast", {wrapped.id}, {{"dtype", std::string("i32")}});
}

NodeId Importer::operand(const Value& value, std::size_t rank, const Order& order) {
  if (value.rank() == 0 || (value.rank() < rank && is_natural(order))) return node(value);
  const std::size_t missing = rank - value.rank();
  const std::optional<std::vector<std::int64_t>> integers = integers_of(value);
  if (value.stored || integers) {
    Stored padded{value.stored ? value.stored->name : "", {}, {}};
    const Extents& own = value.stored ? value.stored->extents : value.known->extents;
    if (value.stored)
      padded.values = value.stored->values;
    else
      for (const std::int64_t integer : *integers) padded.values.push_back(as_float(integer));
    padded.extents.assign(missing, 1);
    padded.extents.insert(padded.extents.end(), own.begin(), own.end());
    Extents turned = without_leading_ones(layers::transposed(padded.extents, order));
    if (turned.size() == rank) return stored_node(value_of(std::move(padded), value.type), order);
    padded.values = layers::transposed(padded.values, padded.extents, order);
    padded.extents = std::move(turned);
    if (padded.extents.empty() && !padded.name.empty()) padded.extents = {1};
    const Order natural = natural_order(padded.extents.size());
    return stored_node(value_of(std::move(padded), value.type), natural);
  }
  if (missing == 0) return node(value, order);
  Shape shape(missing, Dim::number(1));
  shape.insert(shape.end(), value.shape.begin(), value.shape.end());
  return transpose(reshape(node(value), shape), order);
}

Value Importer::value(NodeId node, ElementType element, Order order) const {
  Value result;
  result.type = element;
  result.node = node;
  const Shape& shape = builder_.type(node).shape;
  result.order = order.empty() ? natural_order(shape.size()) : std::move(order);
  result.shape.resize(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) result.shape.at(result.order.at(i)) = shape[i];
  return result;
}

// ---- The graph ----

void Importer::define(const std::string& name, Value value) {
  if (value.node) {
    const auto uses = uses_.find(name);
    node_uses_[*value.node] += uses == uses_.end() ? 0 : uses->second;
  }
  values_[name] = std::move(value);
}

const Value* Importer::find(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

std::size_t Importer::uses(NodeId id) const {
  std::size_t count = 0;
  for (NodeId user = id + 1; user < builder_.size(); ++user)
    count += static_cast<std::size_t>(std::ranges::count(builder_.node(user).inputs, id));
  return count;
}

bool Importer::is_used_once(const Stored& stored) const {
  const auto count = uses_.find(stored.name);
  return count != uses_.end() && count->second == 1;
}

bool Importer::turn_columns(const Value& value, const layers::ImageExtents& image) {
  if (!value.node || value.flat || !is_natural(value.order)) return false;
  const std::vector<std::int64_t> order = layers::inverse_of(layers::channels_first_order(image));
  const auto is_own = [&](NodeId id) {
    const auto variable = variables_.find(id);
    if (variable == variables_.end() || uses(id) != 1) return false;
    const auto count = uses_.find(variable->second.name);
    return count != uses_.end() && count->second == 1;
  };
  std::vector<std::pair<NodeId, std::size_t>> turned;
  // A number for each column, of weights that nothing else has: a bias, or what normalises.
  const std::function<bool(NodeId, int)> vectors = [&](NodeId id, int depth) {
    const Node& node = builder_.node(id);
    if (node.op->traits.constant && node.type.shape.empty()) return true;
    if (node.type.shape.size() != 1 || uses(id) != 1 || node_uses_.contains(id)) return false;
    if (is_own(id)) turned.emplace_back(id, 0);
    if (variables_.contains(id)) return is_own(id);
    constexpr int deepest = 4;
    if (!node.op->traits.elementwise || depth == deepest) return false;
    return std::ranges::all_of(node.inputs, [&](NodeId input) { return vectors(input, depth + 1); });
  };
  NodeId id = *value.node;
  for (std::size_t users = 0;; users = 1) {
    const auto named = node_uses_.find(id);
    if (uses(id) > users || (named != node_uses_.end() && named->second > 1)) return false;
    const Node& node = builder_.node(id);
    if (node.op->traits.elementwise && node.inputs.size() == 1) {
      id = node.inputs[0];
    } else if (node.op->traits.elementwise && node.inputs.size() == 2 && vectors(node.inputs[1], 0)) {
      id = node.inputs[0];
    } else if (node.op->traits.elementwise && node.inputs.size() == 2 && vectors(node.inputs[0], 0)) {
      id = node.inputs[1];
    } else if (node.op->name == "matmul" && is_own(node.inputs[1])) {
      turned.emplace_back(node.inputs[1], node.attributes.flag("transpose_b") ? 0 : 1);
      for (const auto& [variable, axis] : turned) reorder(variable, axis, order);
      return true;
    } else {
      return false;
    }
  }
}

std::optional<Results> Importer::folded(const Call& call, Import import) {
  std::int64_t elements = 0;
  bool is_constant = call.size() > 0;
  for (const Value& input : call.inputs()) {
    if (!input.is_given()) continue;
    const bool learns = input.stored && !input.stored->name.empty() && input.rank() > 0;
    is_constant = is_constant && !learns && (input.stored || integers_of(input));
    if (is_constant) elements += element_count(input.stored ? input.stored->extents : input.known->extents);
  }
  if (!is_constant || elements > most_folded) return std::nullopt;
  Importer inner(registry_, opset_);
  Results results = import(inner, call);
  for (std::size_t i = 0; i < results.size(); ++i)
    if (results[i].node) inner.builder_.output(fmt::format("{}", i), inner.node(results[i]));
  HostVariables variables;
  for (const auto& [id, variable] : inner.variables_)
    variables[inner.builder_.node(id).name] = {variable.extents,
                                               {variable.values.begin(), variable.values.end()}};
  const Graph graph = std::move(inner.builder_).finish();
  for (const Node& node : graph.nodes()) {
    if (node.op->traits.random) return std::nullopt;
    elements = checked_add(elements, element_count(graphrun::bind(node.type.shape, 1)));
    if (elements > most_folded) return std::nullopt;
  }
  const std::vector<HostTensor> computed = interpret(graph, variables, {});
  for (const NamedOutput& output : graph.outputs()) {
    const HostTensor& tensor = computed[output.node];
    Value& result = results[static_cast<std::size_t>(std::stoul(output.name))];
    if (is_integer(result.type)) {
      Known known{tensor.extents, {}};
      for (const double x : tensor.values) known.elements.push_back(Dim::number(integer_of(x)));
      result = value_of(std::move(known), result.type);
    } else {
      result =
          value_of(Stored{"", tensor.extents, {tensor.values.begin(), tensor.values.end()}}, result.type);
    }
  }
  return results;
}

}  // namespace graphrun::onnx
