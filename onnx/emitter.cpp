#include "onnx/emitter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "graph/op.hpp"
#include "layers/patterns.hpp"

namespace graphrun::onnx {

namespace {

template <class Number>
std::string bytes_of(const std::vector<Number>& values) {
  std::string bytes(values.size() * sizeof(Number), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <class Number>
std::string as_bytes(const std::vector<double>& values) {
  std::vector<Number> numbers;
  numbers.reserve(values.size());
  for (const double value : values) numbers.push_back(static_cast<Number>(value));
  return bytes_of(numbers);
}

std::string bytes_as(ElementType type, const std::vector<double>& values) {
  switch (type) {
    case ElementType::f32:
      return as_bytes<float>(values);
    case ElementType::f64:
      return as_bytes<double>(values);
    case ElementType::i32:
      return as_bytes<std::int32_t>(values);
    case ElementType::i64:
      return as_bytes<std::int64_t>(values);
    case ElementType::u8:
    case ElementType::boolean:
      return as_bytes<std::uint8_t>(values);
    default:
      return {};
  }
}

/// Do [n, h, w, c] and [n, c, h, w] have their elements in one order?
bool is_one_order(const Shape& image) {
  return image[3].is_number(1) || (image[1].is_number(1) && image[2].is_number(1));
}

Shape channels_moved_first(const Shape& image) {
  return {image[0], image[3], image[1], image[2]};
}

std::int64_t ir_type(ElementType type) {
  return static_cast<std::int64_t>(type);
}

}  // namespace

ElementType element_type(DType dtype) {
  switch (dtype) {
    case DType::i32:
      return ElementType::i32;
    case DType::u8:
      return ElementType::u8;
    case DType::f64:
      return ElementType::f64;
    case DType::f32:
    case DType::none:
      break;
  }
  return ElementType::f32;
}

std::vector<Dimension> dimensions(const Shape& shape) {
  std::vector<Dimension> result;
  for (const Dim& dim : shape)
    result.push_back(dim.is_number() ? Dimension{dim.offset} : Dimension{0, to_string(dim)});
  return result;
}

Emitter::Emitter(const Graph& graph, const Surroundings& surroundings, std::int64_t opset)
    : graph_(graph),
      surroundings_(surroundings),
      opset_(opset),
      uses_(layers::uses_of(graph)),
      planned_(flat_nodes(graph)),
      own_layout_(graph.size()),
      own_form_(graph.size(), Form::itself) {
  for (NodeId id = 0; id < graph.size(); ++id)
    if (graph.node(id).op->traits.input) define_input(id);
}

// ---- ONNX's own values ----

Value Emitter::new_value(ValueRecord record) {
  records_.push_back(std::move(record));
  return static_cast<Value>(records_.size() - 1);
}

std::vector<Value> Emitter::add_outputs(std::string op, std::vector<Value> inputs,
                                        std::vector<AttributeRecord> attributes, std::size_t outputs) {
  Emitted emitted{std::move(op), std::move(inputs), {}, std::move(attributes), current_};
  for (std::size_t i = 0; i < outputs; ++i) {
    ValueRecord record;
    record.name = fmt::format("{}/{}", node(current_).name, emitted.op);
    record.made_by = emitted_.size();
    emitted.outputs.push_back(new_value(std::move(record)));
  }
  emitted_.push_back(std::move(emitted));
  return emitted_.back().outputs;
}

Value Emitter::add_output(std::string op, std::vector<Value> inputs, std::vector<AttributeRecord> attributes,
                          std::size_t outputs, std::size_t used) {
  return add_outputs(std::move(op), std::move(inputs), std::move(attributes), outputs)[used];
}

Value Emitter::add(std::string op, std::vector<Value> inputs, std::vector<AttributeRecord> attributes) {
  return add_output(std::move(op), std::move(inputs), std::move(attributes), 1, 0);
}

Value Emitter::tensor(TensorRecord tensor) {
  ValueRecord record;
  record.name = tensor.name;
  record.stored_at = tensors_.size();
  tensors_.push_back(std::move(tensor));
  return new_value(std::move(record));
}

Value Emitter::integers(const std::vector<std::int64_t>& values) {
  const std::string key = fmt::format("i64 {}", fmt::join(values, ","));
  const auto found = constants_.find(key);
  if (found != constants_.end()) return found->second;
  const Value value = tensor({fmt::format("numbers/{}", fmt::join(values, ",")),
                              ElementType::i64,
                              {static_cast<std::int64_t>(values.size())},
                              bytes_of(values)});
  if (values.size() > 16) records_[value].name = "numbers/order";
  return constants_[key] = value;
}

Value Emitter::number(double number, ElementType type, const Extents& shape) {
  const std::string key = fmt::format("{} {} {}", ir_type(type), to_string(shape), number);
  const auto found = constants_.find(key);
  if (found != constants_.end()) return found->second;
  return constants_[key] = tensor({fmt::format("number/{}", number), type, shape, bytes_as(type, {number})});
}

Value Emitter::floats(const std::vector<float>& values) {
  const std::string key = fmt::format("floats {}", fmt::join(values, ","));
  const auto found = constants_.find(key);
  if (found != constants_.end()) return found->second;
  return constants_[key] = tensor({fmt::format("numbers/{}", fmt::join(values, ",")),
                                   ElementType::f32,
                                   {static_cast<std::int64_t>(values.size())},
                                   bytes_of(values)});
}

// ---- Values of the graph's nodes ----

void Emitter::define_input(NodeId id) {
  current_ = id;
  const Node& input = node(id);
  if (const auto settled = surroundings_.settled.find(input.name); settled != surroundings_.settled.end())
    return define(id, number(settled->second));
  const auto pixels = surroundings_.pixels.find(input.name);
  const bool as_pixels = pixels != surroundings_.pixels.end();
  ValueRecord record;
  record.name = input.name;
  record.is_input = true;
  record.is_named = true;
  const Value value = new_value(std::move(record));
  input_values_.push_back(value);
  inputs_.push_back({input.name, as_pixels ? ElementType::u8 : element_type(input.type.dtype),
                     dimensions(input.type.shape)});
  if (!as_pixels) return define(id, value);
  const Value cast = add("Cast", {value}, {{"to", ir_type(ElementType::f32)}});
  values_[{id}] = add("Div", {cast, number(pixels->second)});
}

Value Emitter::define_constant(NodeId id) {
  const Node& constant = node(id);
  const std::vector<double>& values = constant.attributes.numbers("values");
  const Shape& shape = constant.type.shape;
  const ElementType type = element_type(constant.type.dtype);
  const bool is_fixed = std::ranges::all_of(shape, [](const Dim& dim) { return dim.is_number(); });
  if (!is_fixed) return add("Expand", {number(values.front(), type), this->shape(shape)});
  const Extents extents = graphrun::bind(shape, 1);
  if (extents.empty()) return number(values.front(), type);
  const auto count = static_cast<std::size_t>(element_count(extents));
  return tensor({constant.name, type, extents,
                 bytes_as(type, values.size() == 1 ? std::vector<double>(count, values.front()) : values)});
}

void Emitter::define(NodeId id, Value value, const Layout& layout, Form form) {
  values_[{id, layout, form}] = value;
  own_layout_[id] = layout;
  own_form_[id] = form;
  ValueRecord& record = records_[value];
  if (record.is_named || form != Form::itself || !record.made_by) return;
  record.name = node(id).name;
  record.is_named = true;
}

bool Emitter::is_defined_as(NodeId id, Form form) const {
  return own_form_[id] == form;
}

Value Emitter::value(NodeId id, const Layout& layout, Form form) {
  const Key key{id, layout, form};
  if (const auto found = values_.find(key); found != values_.end()) return found->second;
  const NodeId before = std::exchange(current_, id);
  const Form own = own_form_[id];
  const Value value = form == own ? converted(id, layout) : in_form(this->value(id, layout, own), own, form);
  values_[key] = value;
  // However it was made, what is asked for most is called as the node is.
  if (form == Form::itself && !records_[value].is_named && layout == plain && records_[value].made_by &&
      own != Form::itself) {
    records_[value].name = node(id).name;
    records_[value].is_named = true;
  }
  current_ = before;
  return value;
}

Value Emitter::in_form(Value value, Form from, Form to) {
  if (from != Form::itself && to != Form::itself)
    return in_form(in_form(value, from, Form::itself), Form::itself, to);
  if (to == Form::boolean) return add("Cast", {value}, {{"to", ir_type(ElementType::boolean)}});
  if (to == Form::index) return add("Cast", {value}, {{"to", ir_type(ElementType::i64)}});
  const ElementType type = from == Form::boolean ? ElementType::f32 : ElementType::i32;
  return add("Cast", {value}, {{"to", ir_type(type)}});
}

/// In another layout than its own.
Value Emitter::converted(NodeId id, const Layout& layout) {
  const Node& asked = node(id);
  if (layers::is_stored(asked)) return stored_as(id, layout);
  const Form form = own_form_[id];
  const Layout own = own_layout_[id];
  const Value itself = values_.at({id, own, form});
  const Shape& shape = asked.type.shape;
  if (own.kind == Layout::Kind::flat) {
    const Value unflat =
        add("Gather", {itself, integers(layers::inverse_of(layers::channels_first_order(own.image)))},
            {{"axis", std::int64_t{-1}}});
    values_[{id, plain, form}] = unflat;
    return layout == plain ? unflat : to_channels_first(unflat, shape);
  }
  if (own.kind == Layout::Kind::channels_first) return to_plain(itself, shape);
  if (layout.kind == Layout::Kind::channels_first) return to_channels_first(itself, shape);
  if (shape.empty() || shape.back().is_number(1)) return itself;
  return add("Gather", {itself, integers(layers::channels_first_order(layout.image))},
             {{"axis", std::int64_t{-1}}});
}

Value Emitter::to_plain(Value value, const Shape& shape) {
  if (is_one_order(shape)) return reshaped(value, channels_moved_first(shape), shape);
  return add("Transpose", {value}, {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}});
}

/// A value of fewer axes is one that broadcasts with images: axes of one element come first.
Value Emitter::to_channels_first(Value value, const Shape& shape) {
  if (shape.empty()) return value;
  Shape image(4 - shape.size(), Dim::number(1));
  image.insert(image.end(), shape.begin(), shape.end());
  if (is_one_order(image)) return reshaped(value, shape, channels_moved_first(image));
  if (shape.size() < 4) value = reshaped(value, shape, image);
  return add("Transpose", {value}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
}

std::vector<float> Emitter::numbers(NodeId id) const {
  const Node& stored = node(id);
  if (stored.op->traits.variable) {
    const std::span<const float> values = surroundings_.variable(stored.name);
    return {values.begin(), values.end()};
  }
  const std::vector<double>& values = stored.attributes.numbers("values");
  const auto count = static_cast<std::size_t>(element_count(graphrun::bind(stored.type.shape, 1)));
  std::vector<float> result(count, static_cast<float>(values.front()));
  if (values.size() > 1)
    std::ranges::transform(values, result.begin(), [](double x) { return static_cast<float>(x); });
  return result;
}

Value Emitter::stored(NodeId id, const std::string& key, const std::function<Stored()>& made) {
  const auto found = stored_.find({id, key});
  if (found != stored_.end()) return found->second;
  const Stored content = made();
  const Value value = tensor({node(id).name, ElementType::f32, content.extents, bytes_of(content.values)});
  records_[value].is_named = true;
  return stored_[{id, key}] = value;
}

Value Emitter::stored_as(NodeId id, const Layout& layout) {
  const Node& asked = node(id);
  if (asked.op->traits.constant && (layout == plain || asked.type.shape.empty())) return define_constant(id);
  const Extents extents = graphrun::bind(asked.type.shape, 1);
  if (layout == plain || extents.empty())
    return stored(id, "plain", [&] { return Stored{extents, numbers(id)}; });
  if (layout.kind == Layout::Kind::flat) {
    if (extents.back() == 1) return value(id);
    return stored(id, fmt::format("flat {} {}", layout.image.channels, layout.image.width), [&] {
      return Stored{extents, layers::reordered(numbers(id), extents, extents.size() - 1,
                                               layers::channels_first_order(layout.image))};
    });
  }
  return stored(id, "channels_first", [&] {
    Extents image(4 - extents.size(), 1);
    image.insert(image.end(), extents.begin(), extents.end());
    return Stored{{image[0], image[3], image[1], image[2]},
                  layers::transposed(numbers(id), image, {0, 3, 1, 2})};
  });
}

// ---- Shapes ----

/// i64[1]: from the first input that has an axis with it.
Value Emitter::batch() {
  if (batch_) return *batch_;
  std::size_t input = 0;
  for (NodeId id = 0; id < graph_.size(); ++id) {
    if (!node(id).op->traits.input || surroundings_.settled.contains(node(id).name)) continue;
    const Value value = input_values_[input++];
    const Shape& shape = node(id).type.shape;
    const auto found = std::ranges::find_if(shape, [](const Dim& dim) { return !dim.is_number(); });
    if (found == shape.end()) continue;
    Value count = add("Gather", {add("Shape", {value}), integers({found - shape.begin()})});
    if (found->offset != 0) count = add("Sub", {count, integers({found->offset})});
    if (found->factor != 1) count = add("Div", {count, integers({found->factor})});
    return *(batch_ = count);
  }
  throw OpError("its shape has the batch in it, which no input of the exported part has",
                "Export a part that begins at an input with the batch.");
}

Value Emitter::extent(const Dim& dim) {
  if (dim.is_number()) return integers({dim.offset});
  Value value = batch();
  if (dim.factor != 1) value = add("Mul", {value, integers({dim.factor})});
  if (dim.offset != 0) value = add("Add", {value, integers({dim.offset})});
  return value;
}

Value Emitter::shape(const Shape& shape) {
  if (std::ranges::all_of(shape, [](const Dim& dim) { return dim.is_number(); }))
    return integers(graphrun::bind(shape, 1));
  std::vector<Value> extents;
  for (const Dim& dim : shape) extents.push_back(extent(dim));
  return extents.size() == 1 ? extents.front() : add("Concat", extents, {{"axis", std::int64_t{0}}});
}

/// An extent that stays is 0, and one other may be -1: no batch needs to be computed then.
Value Emitter::reshaped(Value value, const Shape& from, const Shape& to) {
  if (from == to) return value;
  std::vector<std::int64_t> extents;
  std::size_t open = 0;
  for (std::size_t axis = 0; axis < to.size(); ++axis) {
    const bool stays = axis < from.size() && from[axis] == to[axis] && !to[axis].is_number();
    open += !stays && !to[axis].is_number() ? 1 : 0;
    extents.push_back(stays ? 0 : (to[axis].is_number() ? to[axis].offset : -1));
  }
  return add("Reshape", {value, open > 1 ? shape(to) : integers(extents)});
}

// ---- The end ----

std::string Emitter::unique(const std::string& wanted, std::map<std::string, int>& uses) {
  const int count = ++uses[wanted];
  return count == 1 ? wanted : unique(fmt::format("{}:{}", wanted, count), uses);
}

/// Each output has a value of its own, made by a node: not an input, a weight, or another output's.
void Emitter::claim_outputs(GraphRecord& record) {
  std::vector<bool> claimed(records_.size());
  for (const NamedOutput& output : graph_.outputs()) {
    begin(output.node);
    Value value = this->value(output.node);
    claimed.resize(records_.size());
    if (claimed[value] || !records_[value].made_by) value = add("Identity", {value});
    claimed.resize(records_.size());
    claimed[value] = true;
    output_values_.push_back(value);
    const Type& type = node(output.node).type;
    record.outputs.push_back({output.name, element_type(type.dtype), dimensions(type.shape)});
  }
}

std::vector<bool> Emitter::needed() const {
  std::vector<bool> needed(records_.size());
  for (const Value value : output_values_) needed[value] = true;
  for (std::size_t i = emitted_.size(); i-- > 0;) {
    const bool used = std::ranges::any_of(emitted_[i].outputs, [&](Value value) { return needed[value]; });
    if (!used) continue;
    for (const Value output : emitted_[i].outputs) needed[output] = true;
    for (const Value input : emitted_[i].inputs)
      if (input != no_value) needed[input] = true;
  }
  return needed;
}

/// Inputs and outputs are what hosts know: they choose first, then the nodes of the graph.
std::vector<std::string> Emitter::value_names(GraphRecord& record, const std::vector<bool>& used) const {
  std::map<std::string, int> uses;
  std::vector<std::string> names(records_.size());
  for (std::size_t i = 0; i < input_values_.size(); ++i)
    names[input_values_[i]] = unique(inputs_[i].name, uses);
  for (std::size_t i = 0; i < output_values_.size(); ++i)
    names[output_values_[i]] = record.outputs[i].name = unique(record.outputs[i].name, uses);
  for (const bool is_named : {true, false})
    for (std::size_t value = 0; value < records_.size(); ++value)
      if (used[value] && names[value].empty() && records_[value].is_named == is_named)
        names[value] = unique(records_[value].name, uses);
  return names;
}

GraphRecord Emitter::finish() {
  GraphRecord record;
  claim_outputs(record);
  const std::vector<bool> used = needed();
  const std::vector<std::string> names = value_names(record, used);
  record.inputs = inputs_;
  for (std::size_t value = 0; value < records_.size(); ++value) {
    if (!used[value] || !records_[value].stored_at) continue;
    TensorRecord& tensor = tensors_[*records_[value].stored_at];
    tensor.name = names[value];
    record.initializers.push_back(std::move(tensor));
  }
  std::map<std::string, int> node_uses;
  for (Emitted& emitted : emitted_) {
    if (!used[emitted.outputs.front()]) continue;
    NodeRecord result{unique(records_[emitted.outputs.front()].name, node_uses),
                      std::move(emitted.op),
                      {},
                      {},
                      {},
                      std::move(emitted.attributes)};
    for (const Value input : emitted.inputs)
      result.inputs.push_back(input == no_value ? std::string() : names[input]);
    for (const Value output : emitted.outputs) result.outputs.push_back(names[output]);
    record.nodes.push_back(std::move(result));
  }
  return record;
}

}  // namespace graphrun::onnx
