// What is looked up by indices.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <span>

#include "graph/interpreter.hpp"
#include "graph/needed.hpp"
#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

Results gather(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const Value& index = call.input(1);
  const std::size_t axis = call.axis(call.integer("axis", 0), x.rank());
  const auto places = integers_of(index);
  // What is known and lies evenly is a slice, in whatever order the rest is.
  if (places && x.node && !x.flat && x.shape[axis].is_number() && index.rank() <= 1) {
    std::vector<std::int64_t> wrapped;
    for (const std::int64_t i : *places) {
      if (i < -x.shape[axis].offset)
        throw Unsupported(fmt::format("index {} of an axis of {}", i, x.shape[axis].offset));
      wrapped.push_back(i < 0 ? i + x.shape[axis].offset : i);
    }
    Value part = importer.value(importer.taken(*x.node, place_of(x.order, axis), wrapped), x.type, x.order);
    if (index.rank() == 1) return {part};
    Shape shape = part.shape;
    shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
    return {reshaped(importer, part, shape)};
  }
  Order front = {axis};
  for (std::size_t i = 0; i < x.rank(); ++i)
    if (i != axis) front.push_back(i);
  const NodeId table = importer.node(x, front);
  const NodeId rows = importer.index(index, natural_order(index.rank()), x.shape[axis]);
  const NodeId y = importer.add("gather", {table, rows});
  // The node has the axes of the index first, ONNX has them where the axis was.
  Order order;
  for (std::size_t i = 0; i < index.rank(); ++i) order.push_back(axis + i);
  for (std::size_t i = 0; i < x.rank(); ++i)
    if (i != axis) order.push_back(i < axis ? i : i - 1 + index.rank());
  return {importer.value(y, x.type, order)};
}

std::int64_t fixed(const Dim& dim) {
  if (!dim.is_number()) throw Unsupported("elements that are looked up across the batch");
  return dim.offset;
}

Term wrapped(Term index, std::int64_t extent) {
  return choose(apply("less", index, 0.0), index + static_cast<double>(extent), index);
}

void require_rank(const Value& value, const Value& x) {
  if (value.rank() != x.rank()) throw Unsupported("indices of another number of axes");
}

/// How far each element of a tensor is from the first of a tensor of these strides, one axis left out.
Term own_places(Importer& importer, const Shape& shape, const std::vector<std::int64_t>& strides,
                std::size_t left_out) {
  Extents extents;
  for (const Dim& dim : shape) extents.push_back(fixed(dim));
  if (element_count(extents) > 1 << 20) throw Unsupported("indices of more than a million elements");
  std::vector<double> places;
  std::vector<std::int64_t> at(extents.size(), 0);
  for (std::int64_t i = 0; i < element_count(extents); ++i) {
    std::int64_t place = 0;
    for (std::size_t axis = 0; axis < at.size(); ++axis)
      if (axis != left_out) place += at[axis] * strides[axis];
    places.push_back(static_cast<double>(place));
    for (std::size_t axis = at.size(); axis-- > 0;) {
      if (++at[axis] < extents[axis]) break;
      at[axis] = 0;
    }
  }
  return {&importer, importer.constant(std::move(places), extents)};
}

std::vector<std::int64_t> strides_of(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;)
    strides[axis - 1] = checked_multiply(strides[axis], fixed(shape[axis]));
  return strides;
}

Results gather_elements(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const Value& index = call.input(1);
  require_rank(index, x);
  const std::size_t axis = call.axis(call.integer("axis", 0), x.rank());
  NodeId from = importer.node(x);
  for (std::size_t i = 0; i < x.rank(); ++i)  // the index may be smaller
    if (i != axis && index.shape[i] != x.shape[i]) from = importer.sliced(from, i, 0, fixed(index.shape[i]));
  const NodeId places = importer.index(index, natural_order(x.rank()), x.shape[axis]);
  const NodeId y =
      importer.add("gather_elements", {from, places}, {{"axis", static_cast<std::int64_t>(axis)}});
  return {importer.value(y, x.type)};
}

/// 1 where the index is the place; what is out of range has none.
Results one_hot(Importer& importer, const Call& call) {
  const Value& index = call.input(0);
  const std::vector<double> depth = call.numbers(1).value_or(std::vector<double>{});
  if (depth.size() != 1 || depth[0] < 1 || depth[0] > 1 << 20) throw Unsupported("a depth that is not known");
  const auto count = static_cast<std::int64_t>(depth[0]);
  std::vector<double> classes;
  for (std::int64_t i = 0; i < count; ++i) classes.push_back(static_cast<double>(i));
  Shape column = index.shape;
  column.push_back(Dim::number(1));
  const Term rows = wrapped({&importer, importer.reshape(importer.node(index), column)}, count);
  const Term hot = apply("equal", rows, rows.with(importer.constant(std::move(classes), {count})));
  const Value& values = call.input(2);
  Term y = hot;
  if (const auto two = numbers_of(values); !two || two->at(0) != 0 || two->at(1) != 1) {
    const NodeId pair = importer.node(values);
    const Term off = hot.with(importer.reshape(importer.sliced(pair, 0, 0, 1), {}));
    const Term on = hot.with(importer.reshape(importer.sliced(pair, 0, 1, 2), {}));
    y = choose(hot, on, off);
  }
  const std::size_t rank = index.rank() + 1;
  const std::size_t axis = call.axis(call.integer("axis", -1), rank);
  Order order;
  for (std::size_t i = 0; i < rank; ++i)
    if (i != axis) order.push_back(i);
  order.push_back(axis);
  return {importer.value(y.id, values.type, order)};
}

/// The number that an index is everywhere, stretched to whatever shape.
std::optional<std::int64_t> uniform_index(Importer& importer, const Value& index) {
  if (const auto known = integers_of(index); known && known->size() == 1) return known->front();
  if (!index.node) return std::nullopt;
  const Node* node = &importer.builder().node(*index.node);
  while (node->op->name == "broadcast_to" || node->op->name == "reshape")
    node = &importer.builder().node(node->inputs[0]);
  if (!node->op->traits.constant) return std::nullopt;
  const std::vector<double>& values = node->attributes.numbers("values");
  if (values.size() != 1) return std::nullopt;
  return integer_of(values.front());
}

/// One place along an axis, the same everywhere, is written by a slice: what PyTorch makes of `x[:, 2] = y`.
std::optional<Results> written_slice(Importer& importer, const Call& call, std::size_t axis) {
  const Value& x = call.input(0);
  const Value& updates = call.input(2);
  const std::optional<std::int64_t> index = uniform_index(importer, call.input(1));
  if (!index || !x.shape[axis].is_number() || !updates.shape[axis].is_number(1)) return std::nullopt;
  for (std::size_t i = 0; i < x.rank(); ++i)
    if (i != axis && updates.shape[i] != x.shape[i]) return std::nullopt;
  const std::int64_t extent = x.shape[axis].offset;
  const std::int64_t at = *index < 0 ? *index + extent : *index;
  if (at < 0 || at >= extent) throw Unsupported(fmt::format("index {} of an axis of {}", *index, extent));
  Order order;
  const NodeId node = importer.any_order(x, order);
  const std::size_t place = place_of(order, axis);
  std::vector<NodeId> parts;
  if (at > 0) parts.push_back(importer.sliced(node, place, 0, at));
  parts.push_back(importer.node(updates, order));
  if (at + 1 < extent) parts.push_back(importer.sliced(node, place, at + 1, extent));
  return Results{importer.value(importer.joined(std::move(parts), place), x.type, order)};
}

/// Places in a tensor whose axes from `first` on, `depth` of them, are one.
std::vector<std::int64_t> linear_places(const std::vector<std::int64_t>& index, const Shape& x,
                                        std::size_t first, std::size_t depth) {
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i + depth <= index.size(); i += depth) {
    std::int64_t place = 0;
    for (std::size_t axis = 0; axis < depth; ++axis) {
      const std::int64_t extent = fixed(x[first + axis]);
      const std::int64_t at = index[i + axis] < 0 ? index[i + axis] + extent : index[i + axis];
      if (at < 0 || at >= extent) throw Unsupported(fmt::format("index {} of an axis of {}", at, extent));
      place = checked_add(checked_multiply(place, extent), at);
    }
    places.push_back(place);
  }
  return places;
}

/// Rows that are written are those of a sum over updates, where one says which.
Results scatter_elements(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const Value& updates = call.input(2);
  require_rank(updates, x);
  require_rank(call.input(1), x);
  const std::string reduction = call.text("reduction", "none");
  if (reduction != "none" && reduction != "add")
    throw Unsupported(fmt::format("the reduction {}", reduction));
  const std::size_t axis = call.axis(call.integer("axis", 0), x.rank());
  if (reduction == "none")
    if (const auto written = written_slice(importer, call, axis)) return *written;
  const std::vector<std::int64_t> strides = strides_of(x.shape);
  const std::int64_t count = checked_multiply(strides[0], fixed(x.shape[0]));
  if (count > 1 << 20) throw Unsupported("a tensor of more than a million elements");
  std::int64_t many = 1;
  for (const Dim& dim : updates.shape) many = checked_multiply(many, fixed(dim));
  if (checked_multiply(many, count) > 1 << 24) throw Unsupported("too many updates");
  if (const auto known = integers_of(call.input(1)))
    linear_places(*known, x.shape, axis, 1);  // they are there
  const Term rows = wrapped({&importer, importer.node(call.input(1))}, fixed(x.shape[axis]));
  const Term places =
      rows * static_cast<double>(strides[axis]) + own_places(importer, updates.shape, strides, axis);
  const NodeId flat = importer.reshape(importer.add("cast", {places.id}, {{"dtype", std::string("i32")}}),
                                       {Dim::number(many)});
  const Term hot{&importer, importer.add("one_hot", {flat}, {{"depth", count}})};
  const NodeId values = importer.reshape(importer.node(updates), {Dim::number(1), Dim::number(many)});
  const Term written{&importer, importer.reshape(importer.product(values, hot.id), x.shape)};
  const Term in{&importer, importer.node(x)};
  if (reduction == "add") return {importer.value((in + written).id, x.type)};
  const Term covered =
      hot.with(importer.reshape(importer.add("max", {hot.id}, {{"axis", Axes{false, {0}}}}), x.shape));
  return {importer.value(choose(covered, written, in).id, x.type)};
}

constexpr std::int64_t most_computed = std::int64_t{1} << 22;

/// What follows from constants and the numbers of the rows alone, with these in their place. Nothing for
/// other values, and for too many.
std::optional<HostTensor> for_rows(Importer& importer, NodeId index, std::int64_t rows) {
  const Builder& builder = importer.builder();
  const auto is_counted = [&](NodeId id) { return id == *importer.row_numbers; };
  const std::vector<bool> needed = needed_by(builder, std::span(&index, 1), is_counted);
  if (!needed[*importer.row_numbers]) return std::nullopt;
  Builder copy(builder.registry());
  std::map<NodeId, NodeId> copied;
  std::int64_t elements = 0;
  for (NodeId id = 0; id <= index; ++id) {
    if (!needed[id]) continue;
    const Node& node = builder.node(id);
    elements = checked_add(elements, element_count(graphrun::bind(node.type.shape, rows)));
    if (elements > most_computed) return std::nullopt;
    if (is_counted(id)) {
      copied[id] = copy.add("input", {}, {{"shape", node.type.shape}}, {node.name, {}, {}});
      continue;
    }
    const Traits& traits = node.op->traits;
    if (!traits.constant && !traits.moves && node.op->name != "concat") return std::nullopt;
    std::vector<NodeId> inputs;
    for (const NodeId input : node.inputs) inputs.push_back(copied.at(input));
    copied[id] = copy.add_like(node, std::move(inputs), {});
  }
  copy.output("index", copied.at(index));
  HostTensor numbers{{rows}, {}};
  for (std::int64_t row = 0; row < rows; ++row) numbers.values.push_back(static_cast<double>(row));
  HostVariables none;
  const InterpreterRun run{rows, {{builder.node(*importer.row_numbers).name, std::move(numbers)}}, {}};
  return interpret(std::move(copy).finish(), none, run)[copied.at(index)];
}

/// Indices of which the first says the row that they are in: the others, which are the same for each row.
std::optional<Known> indices_within_rows(Importer& importer, const Value& index) {
  if (!importer.row_numbers || !index.node || index.rank() < 2 || !index.shape[0].is_batch())
    return std::nullopt;
  std::optional<Known> within;
  for (const std::int64_t rows : {2, 3}) {  // of two numbers of rows, where the batch went to is plain
    const std::optional<HostTensor> all = for_rows(importer, importer.node(index), rows);
    if (!all) return std::nullopt;
    Known one{{all->extents.begin() + 1, all->extents.end()}, {}};
    const auto depth = static_cast<std::size_t>(one.extents.back()--);
    const std::size_t each = all->values.size() / static_cast<std::size_t>(rows);
    for (std::size_t i = 0; i < all->values.size(); ++i) {
      const std::size_t row = i / each;
      const bool names_row = i % depth == 0;
      if (all->values[i] != (names_row ? static_cast<double>(row) : all->values[i % each]))
        return std::nullopt;
      if (row == 0 && !names_row) one.elements.push_back(Dim::number(integer_of(all->values[i])));
    }
    if (within && within->elements != one.elements) return std::nullopt;
    within = std::move(one);
  }
  return within;
}

/// Where the tensor's axes from `first` on are one axis: which place of it each index is, [...] of [...,
/// depth].
Term linear_place(Importer& importer, NodeId index, const Shape& x, std::size_t first) {
  Shape shape = importer.type(index).shape;
  const std::size_t last = shape.size() - 1;
  const std::int64_t depth = fixed(shape.back());
  shape.pop_back();
  std::optional<Term> place;
  for (std::int64_t i = 0; i < depth; ++i) {
    const std::int64_t extent = fixed(x[first + static_cast<std::size_t>(i)]);
    const Term row =
        wrapped({&importer, importer.reshape(importer.sliced(index, last, i, i + 1), shape)}, extent);
    place = place ? *place * static_cast<double>(extent) + row : row;
  }
  return *place;
}

/// Of each row of the batch what its own indices say, [batch, ..., depth].
Results gathered_in_rows(Importer& importer, const Value& x, NodeId index) {
  const Shape shape = importer.type(index).shape;
  const auto begin = x.shape.begin() + 1 + static_cast<std::ptrdiff_t>(fixed(shape.back()));
  const auto as_one = [](Shape::const_iterator from, Shape::const_iterator to) {
    return flattened_shape(Shape(from, to), 0)[1];
  };
  const Dim count = as_one(x.shape.begin() + 1, begin);
  const Dim each = as_one(begin, x.shape.end());
  const Dim many = as_one(shape.begin() + 1, shape.end() - 1);
  const NodeId place =
      importer.reshape(linear_place(importer, index, x.shape, 1).id, {shape[0], many, Dim::number(1)});
  const NodeId places = importer.add("cast", {importer.broadcast(place, {shape[0], many, each})},
                                     {{"dtype", std::string("i32")}});
  const NodeId rows = importer.reshape(importer.node(x), {x.shape[0], count, each});
  const NodeId y = importer.add("gather_elements", {rows, places}, {{"axis", std::int64_t{1}}});
  Shape result(shape.begin(), shape.end() - 1);
  result.insert(result.end(), begin, x.shape.end());
  return {importer.value(importer.reshape(y, result), x.type)};
}

/// What stands behind the number of the row, where that is the first of each index.
std::optional<NodeId> behind_row_numbers(Importer& importer, const Value& x, NodeId index) {
  const Node node = importer.builder().node(index);
  const bool has_batch = importer.row_numbers && x.shape[0].is_batch() && node.type.shape[0].is_batch();
  if (!has_batch || node.op->name != "concat" || !importer.type(node.inputs[0]).shape.back().is_number(1) ||
      node.attributes.integer("axis") + 1 != static_cast<std::int64_t>(node.type.shape.size()))
    return std::nullopt;
  const Value numbers = importer.value(node.inputs[0], ElementType::i64);
  const std::optional<Known> nothing_else = indices_within_rows(importer, numbers);
  if (!nothing_else || node.inputs.size() < 2) return std::nullopt;
  return importer.joined({node.inputs.begin() + 1, node.inputs.end()}, node.type.shape.size() - 1);
}

Results gather_nd(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const Value& index = call.input(1);
  const std::int64_t batch_dims = call.integer("batch_dims", 0);
  if (index.rank() == 0) throw Unsupported("an index of no axes");
  const auto depth = static_cast<std::size_t>(fixed(index.shape.back()));
  const auto before = static_cast<std::size_t>(std::clamp<std::int64_t>(batch_dims, 0, 2));
  if (depth == 0 || before + depth > x.rank()) throw Unsupported("indices of more axes than there are");
  const NodeId node = importer.node(index);
  if (before > 1) throw Unsupported("batch_dims above 1");
  if (before == 1 && index.rank() < 2) throw Unsupported("an index of no axes");
  if (const auto known = integers_of(index)) linear_places(*known, x.shape, before, depth);  // they are there
  if (before == 1) return gathered_in_rows(importer, x, node);
  if (const auto within = behind_row_numbers(importer, x, node))
    return gathered_in_rows(importer, x, *within);
  Shape table = {Dim::number(-1)};
  table.insert(table.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(depth), x.shape.end());
  const Term place = linear_place(importer, node, x.shape, 0);
  const NodeId rows = importer.reshape(importer.node(x), table);
  const NodeId y =
      importer.add("gather", {rows, importer.add("cast", {place.id}, {{"dtype", std::string("i32")}})});
  return {importer.value(y, x.type)};
}

/// The value with its axes from `first` on, `depth` of them, as one.
Value joined_axes(Importer& importer, const Value& x, std::size_t first, std::size_t depth) {
  if (depth == 1) return x;
  const auto begin = x.shape.begin() + static_cast<std::ptrdiff_t>(first);
  Shape shape(x.shape.begin(), begin);
  std::int64_t count = 1;
  for (std::size_t axis = first; axis < first + depth; ++axis)
    count = checked_multiply(count, fixed(x.shape[axis]));
  shape.push_back(Dim::number(count));
  shape.insert(shape.end(), begin + static_cast<std::ptrdiff_t>(depth), x.shape.end());
  return reshaped(importer, x, shape);
}

/// Rows of two tensors, the second one's numbered on from the first's: runs of them are slices.
NodeId picked(Importer& importer, NodeId first, NodeId second, std::size_t axis,
              const std::vector<std::int64_t>& sources) {
  constexpr std::size_t most_slices = 64;
  const std::int64_t count = importer.type(first).shape[axis].offset;
  std::vector<NodeId> parts;
  for (std::size_t begin = 0; begin < sources.size() && parts.size() <= most_slices;) {
    std::size_t end = begin + 1;
    while (end < sources.size() && sources[end] == sources[end - 1] + 1 && sources[end] != count) ++end;
    const bool is_second = sources[begin] >= count;
    const std::int64_t from = sources[begin] - (is_second ? count : 0);
    parts.push_back(importer.sliced(is_second ? second : first, axis, from,
                                    from + static_cast<std::int64_t>(end - begin)));
    begin = end;
  }
  if (parts.size() <= most_slices) return importer.joined(std::move(parts), axis);
  return importer.taken(importer.joined({first, second}, axis), axis, sources);
}

/// Where indices are known, each row comes from the tensor or from the updates, the last of which counts.
/// Indices that say the row of the batch that they are in are those of each row by itself.
Results scatter_nd(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const Value& index = call.input(1);
  if (index.rank() == 0) throw Unsupported("an index of no axes");
  const bool has_batch = x.rank() > 0 && x.shape[0].is_batch();
  const std::optional<Known> within = has_batch ? indices_within_rows(importer, index) : std::nullopt;
  const std::size_t first = within ? 1 : 0;
  const auto depth = static_cast<std::size_t>(fixed(index.shape.back())) - first;
  if (within && depth == 0 && call.input(2).shape == x.shape) return {call.input(2)};  // whole rows
  if (depth == 0 || first + depth > x.rank()) throw Unsupported("indices of more axes than there are");
  const auto known = integers_of(within ? value_of(*within, ElementType::i64) : index);
  if (!known) throw Unsupported("indices that depend on what the model is given");
  const std::vector<std::int64_t> places = linear_places(*known, x.shape, first, depth);
  const Value rows = joined_axes(importer, x, first, depth);
  if (index.rank() == 1 + first) throw Unsupported("one row that is no list");
  if (call.input(2).rank() + 1 < index.rank()) throw Unsupported("updates of fewer axes than their indices");
  const Value updates = joined_axes(importer, call.input(2), first, index.rank() - 1 - first);
  if (!updates.shape[first].is_number(std::ssize(places)))
    throw Unsupported(fmt::format("{} indices, and updates of the shape {}", places.size(),
                                  to_string(call.input(2).shape)));
  Order order;
  const NodeId from = importer.any_order(rows, order);
  const std::size_t place = place_of(order, first);
  const std::int64_t count = fixed(rows.shape[first]);
  if (count > Importer::most_indices) throw Unsupported(fmt::format("{} rows", count));
  std::vector<std::int64_t> sources(static_cast<std::size_t>(count));
  std::iota(sources.begin(), sources.end(), 0);
  for (std::size_t i = 0; i < places.size(); ++i)
    sources[static_cast<std::size_t>(places[i])] = count + static_cast<std::int64_t>(i);
  const std::string reduction = call.text("reduction", "none");
  if (reduction != "none") throw Unsupported(fmt::format("the reduction {}", reduction));
  const NodeId picked_rows = picked(importer, from, importer.node(updates, order), place, sources);
  const Value written = importer.value(picked_rows, x.type, order);
  return {depth == 1 ? written : reshaped(importer, written, x.shape)};
}

/// Each series of the batch backwards, up to its length.
Results reverse_sequence(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const Value& lengths = call.input(1);
  const std::size_t batch = call.axis(call.integer("batch_axis", 1), x.rank());
  const std::size_t time = call.axis(call.integer("time_axis", 0), x.rank());
  if (batch == time || lengths.rank() != 1 || lengths.shape[0] != x.shape[batch])
    throw Unsupported("lengths that are not one for each series");
  const std::int64_t steps = fixed(x.shape[time]);
  if (steps > Importer::most_indices) throw Unsupported(fmt::format("series of {} steps", steps));
  if (const std::optional<std::int64_t> length = uniform_index(importer, lengths)) {
    if (*length < 0 || *length > steps) throw Unsupported(fmt::format("{} steps of {}", *length, steps));
    std::vector<std::int64_t> places(static_cast<std::size_t>(steps));
    std::iota(places.begin(), places.end(), 0);
    std::reverse(places.begin(), places.begin() + *length);
    Order order;
    const NodeId node = importer.any_order(x, order);
    return {importer.value(importer.taken(node, place_of(order, time), places), x.type, order)};
  }
  Order order = {batch, time};
  for (std::size_t axis = 0; axis < x.rank(); ++axis)
    if (axis != batch && axis != time) order.push_back(axis);
  const NodeId series = importer.node(x, order);
  const Shape shape = importer.type(series).shape;
  const Shape flat = {shape[0], shape[1], flattened_shape(shape, 2)[1]};
  std::vector<double> times(static_cast<std::size_t>(steps));
  std::iota(times.begin(), times.end(), 0);
  const Term t{&importer, importer.constant(std::move(times), {1, steps})};
  const Term length = t.with(importer.reshape(importer.node(lengths), {shape[0], Dim::number(1)}));
  const Term place = choose(apply("less", t, length), length - t - 1.0, t);
  const NodeId places =
      importer.broadcast(importer.reshape(place.id, {shape[0], shape[1], Dim::number(1)}), flat);
  const NodeId y = importer.add(
      "gather_elements",
      {importer.reshape(series, flat), importer.add("cast", {places}, {{"dtype", std::string("i32")}})},
      {{"axis", std::int64_t{1}}});
  return {importer.value(importer.reshape(y, shape), x.type, order)};
}

/// ai.onnx.ml: what a list of indices picks of the last axis; of a list, as one row.
Results picked_features(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  if (x.rank() == 0 || x.rank() > 2) throw Unsupported("features of other axes");
  const Shape count = {flattened_shape(call.input(1).shape, 0)[1]};
  Value places = call.input(1);
  if (places.known)
    places = value_of(Known{{std::ssize(places.known->elements)}, places.known->elements}, places.type);
  else
    places = reshaped(importer, places, count);
  const NodeRecord record{"", "Gather", "", {}, {}, {{"axis", std::int64_t{-1}}}};
  Results picked = gather(importer, Call(record, {x, places}, call.opset()));
  if (x.rank() == 1) picked[0] = reshaped(importer, picked[0], {Dim::number(1), count[0]});
  return picked;
}

constexpr ImportedOp table[] = {
    {"Gather", gather},
    {"GatherElements", gather_elements},
    {"GatherND", gather_nd},
    {"OneHot", one_hot},
    {"ScatterElements", scatter_elements},
    {"Scatter", scatter_elements},
    {"ScatterND", scatter_nd},
    {"ReverseSequence", reverse_sequence},
    {"ArrayFeatureExtractor", picked_features},
};

}  // namespace

std::span<const ImportedOp> index_imports() {
  return table;
}

}  // namespace graphrun::onnx
