// What moves elements, or only renames their axes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

Results identity(Importer&, const Call& call) {
  return {call.input(0)};
}

Results transpose(Importer&, const Call& call) {
  const Value& x = call.input(0);
  const Order axes = call.permutation(x.rank());
  Value result = x;
  result.shape.clear();
  for (const std::size_t axis : axes) result.shape.push_back(x.shape[axis]);
  // Axis i of the node is axis order[i] of x, which is the axis of the result that came from there.
  const Order from = inverse(axes);
  for (std::size_t& axis : result.order) axis = from[axis];
  return {result};
}

Results unflat_transpose(Importer& importer, const Call& call) {
  Value x = call.input(0);
  if (!x.flat && x.node) return transpose(importer, call);
  x = importer.value(importer.node(x), x.type);
  return transpose(importer, Call(call.record(), {x}, call.opset()));
}

Results reshape(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  Shape shape;
  if (call.opset() < 5) {
    for (const std::int64_t extent : call.list("shape")) shape.push_back(Dim::number(extent));
  } else {
    if (!call.input(1).known) throw Unsupported("its shape depends on what the model is given");
    shape = call.input(1).known->elements;
  }
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i].is_number(0) && call.integer("allowzero", 0) == 0) {
      if (i >= x.rank()) throw Unsupported("it copies an axis that is not there");
      shape[i] = x.shape[i];
    }
    if (shape[i].is_number(-1)) open = i;
  }
  // A file that was made with one batch size says so in shapes too.
  const bool has_batch = std::ranges::any_of(x.shape, [](Dim dim) { return !dim.is_number(); });
  if (has_batch && !open && importer.written_batch && !shape.empty() &&
      element_polynomial(shape) != element_polynomial(x.shape)) {
    for (Dim& dim : shape) {
      if (!dim.is_number() || dim.offset % *importer.written_batch != 0) continue;
      dim = {dim.offset / *importer.written_batch, 0};
      break;
    }
  }
  if (open) shape[*open] = open_extent(x.shape, shape, *open);
  return {reshaped(importer, x, shape)};
}

Results flatten(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  std::int64_t axis = call.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(x.rank());
  if (axis < -rank || axis > rank)
    throw Unsupported(fmt::format("axis {} of a tensor of {} axes", axis, rank));
  if (axis < 0) axis += rank;
  return {reshaped(importer, x, flattened_shape(x.shape, static_cast<std::size_t>(axis)))};
}

Results squeeze(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  std::vector<bool> dropped(x.rank(), false);
  if (const auto axes = call.list_or_input("axes", 1)) {
    for (const std::int64_t axis : *axes) dropped[call.axis(axis, x.rank())] = true;
  } else {
    for (std::size_t i = 0; i < x.rank(); ++i) dropped[i] = x.shape[i].is_number(1);
  }
  Shape shape;
  for (std::size_t i = 0; i < x.rank(); ++i)
    if (!dropped[i]) shape.push_back(x.shape[i]);
  if (!x.node || x.flat || is_natural(x.order)) return {reshaped(importer, x, shape)};
  // What is left stays in its order.
  Shape lying;
  Order order;
  for (const std::size_t axis : x.order) {
    if (dropped[axis]) continue;
    const auto before =
        std::count(dropped.begin(), dropped.begin() + static_cast<std::ptrdiff_t>(axis), true);
    order.push_back(axis - static_cast<std::size_t>(before));
    lying.push_back(x.shape[axis]);
  }
  return {importer.value(importer.reshape(*x.node, lying), x.type, order)};
}

Results unsqueeze(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const auto axes = call.list_or_input("axes", 1);
  if (!axes) throw Unsupported("it has no axes");
  const std::size_t rank = x.rank() + axes->size();
  std::vector<bool> is_new(rank, false);
  for (const std::int64_t axis : *axes) is_new[call.axis(axis, rank)] = true;
  Shape shape;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) {
    if (!is_new[i] && next == x.rank()) throw Unsupported("it names an axis twice");
    shape.push_back(is_new[i] ? Dim::number(1) : x.shape[next++]);
  }
  return {reshaped(importer, x, shape)};
}

Results concat(Importer& importer, const Call& call) {
  const Value& first = call.input(0);
  const std::size_t axis = call.axis(call.integer("axis", 1), first.rank());
  std::vector<Value> parts;
  for (const Value& part : call.inputs())
    if (std::ranges::none_of(part.shape, [](Dim dim) { return dim.is_number(0); })) parts.push_back(part);
  if (parts.empty()) throw Unsupported("a tensor without elements");
  Order order = natural_order(first.rank());
  for (const Value& part : parts) {
    if (!part.node || part.flat) continue;
    order = part.order;
    break;
  }
  std::vector<NodeId> nodes;
  for (const Value& part : parts) nodes.push_back(importer.node(part, order));
  return {importer.value(importer.joined(std::move(nodes), place_of(order, axis)), first.type, order)};
}

/// Parts of an axis, of which none is empty or left out.
void require_whole(const std::vector<std::int64_t>& parts, std::int64_t extent, std::size_t outputs) {
  std::int64_t left = extent;
  for (const std::int64_t part : parts) {
    if (part <= 0) throw Unsupported(fmt::format("a part of {} elements", part));
    if (part > left) throw Unsupported(fmt::format("a part of {} elements, of {}", part, left));
    left -= part;
  }
  if (left > 0 || parts.size() != outputs)
    throw Unsupported(fmt::format("{} outputs of an axis of {}, of which {} parts leave {} elements", outputs,
                                  extent, parts.size(), left));
}

Results split(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::size_t axis = call.axis(call.integer("axis", 0), x.rank());
  if (!x.shape[axis].is_number()) throw Unsupported("it splits the batch");
  const std::int64_t extent = x.shape[axis].offset;
  std::vector<std::int64_t> parts = call.list_or_input("split", 1).value_or(std::vector<std::int64_t>{});
  if (parts.empty()) {
    const auto count = call.integer("num_outputs", static_cast<std::int64_t>(call.outputs()));
    if (count < 1 || count > 100'000) throw Unsupported(fmt::format("a split into {}", count));
    if (call.opset() < 18 && extent % count != 0)
      throw Unsupported(fmt::format("an axis of {}, which {} equal parts do not divide", extent, count));
    const std::int64_t each = (extent + count - 1) / count;
    for (std::int64_t at = 0; at < extent; at += each) parts.push_back(std::min(each, extent - at));
  }
  require_whole(parts, extent, call.outputs());
  Order order;
  const NodeId node = importer.any_order(x, order);
  Results results;
  std::int64_t at = 0;
  for (const std::int64_t part : parts) {
    results.push_back(
        importer.value(importer.sliced(node, place_of(order, axis), at, at + part), x.type, order));
    at += part;
  }
  return results;
}

/// What a slice takes of an axis, clamped as NumPy does it.
NodeId slice_of(Importer& importer, NodeId x, std::size_t axis, std::int64_t start, std::int64_t stop,
                std::int64_t step) {
  const std::int64_t extent = importer.type(x).shape[axis].offset;
  const auto clamped = [extent](std::int64_t i, std::int64_t low, std::int64_t high) {
    if (i < 0) i = i < -extent ? -1 : i + extent;
    return std::clamp(i, low, high);
  };
  if (step > 0) {
    const std::int64_t first = std::max<std::int64_t>(0, clamped(start, 0, extent));
    const std::int64_t end = std::max<std::int64_t>(0, clamped(stop, 0, extent));
    if (first >= end) throw Unsupported("a tensor without elements");
    return importer.sliced(x, axis, first, end, std::min(step, extent));
  }
  if (extent > Importer::most_indices) throw Unsupported(fmt::format("{} elements backwards", extent));
  const std::int64_t end = clamped(stop, -1, extent - 1);
  std::vector<std::int64_t> indices;
  for (std::int64_t i = clamped(start, -1, extent - 1); i > end; i += std::max(step, -extent - 1))
    indices.push_back(i);
  if (indices.empty()) throw Unsupported("a tensor without elements");
  return importer.taken(x, axis, indices);
}

/// Ends from here on mean all that there is.
constexpr std::int64_t no_end = 1'000'000'000;

Results slice(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const bool old = call.opset() < 10;
  const std::vector<std::int64_t> starts = old ? call.list("starts") : call.integers(1);
  const std::vector<std::int64_t> stops = old ? call.list("ends") : call.integers(2);
  std::vector<std::int64_t> axes = old           ? call.list("axes")
                                   : call.has(3) ? call.integers(3)
                                                 : std::vector<std::int64_t>{};
  std::vector<std::int64_t> steps = !old && call.has(4) ? call.integers(4) : std::vector<std::int64_t>{};
  if (axes.empty())
    for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (steps.empty()) steps.resize(starts.size(), 1);
  if (stops.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    throw Unsupported("starts, ends, axes and steps are of different lengths");
  Order order;
  NodeId node = importer.any_order(x, order);
  std::vector<bool> is_cut(x.rank(), false);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t axis = call.axis(axes[i], x.rank());
    if (is_cut[axis]) throw Unsupported("it names an axis twice");
    is_cut[axis] = true;
    const Dim extent = x.shape[axis];
    if (steps[i] == 0) throw Unsupported("a step of 0");
    if (!extent.is_number()) {
      if (starts[i] == 0 && stops[i] >= no_end && steps[i] == 1) continue;
      throw Unsupported("it cuts the batch");
    }
    node = slice_of(importer, node, place_of(order, axis), starts[i], stops[i], steps[i]);
  }
  return {importer.value(node, x.type, order)};
}

Results expand(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  if (!call.input(1).known) throw Unsupported("its shape depends on what the model is given");
  const std::optional<Shape> shape = graphrun::broadcast(x.shape, call.input(1).known->elements);
  if (!shape)
    throw Unsupported(fmt::format("{} does not stretch to {}", to_string(x.shape),
                                  to_string(Shape(call.input(1).known->elements))));
  Order order;
  NodeId node = 0;
  if (x.rank() == shape->size()) {
    node = importer.any_order(x, order);
  } else {
    order = natural_order(shape->size());
    node = importer.node(x);
  }
  Shape turned;
  for (const std::size_t axis : order) turned.push_back((*shape)[axis]);
  return {importer.value(importer.broadcast(node, turned), x.type, order)};
}

Results tile(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::vector<std::int64_t> repeats = call.integers(1);
  if (repeats.size() != x.rank()) throw Unsupported("repeats has another number of axes than its input");
  Order order;
  NodeId node = importer.any_order(x, order);
  for (std::size_t axis = 0; axis < x.rank(); ++axis) {
    if (repeats[axis] < 1 || repeats[axis] > 10'000)
      throw Unsupported(fmt::format("{} copies", repeats[axis]));
    node = importer.joined(std::vector<NodeId>(static_cast<std::size_t>(repeats[axis]), node),
                           place_of(order, axis));
  }
  return {importer.value(node, x.type, order)};
}

// ---- Margins ----

/// Where elements of a padded axis come from.
std::vector<std::int64_t> margin_indices(const std::string& mode, std::int64_t before, std::int64_t after,
                                         std::int64_t extent) {
  if (before + extent + after > Importer::most_indices)
    throw Unsupported(fmt::format("margins of {} and {}", before, after));
  std::vector<std::int64_t> indices;
  const std::int64_t period = std::max<std::int64_t>(1, 2 * (extent - 1));
  for (std::int64_t i = -before; i < extent + after; ++i) {
    if (mode == "edge") {
      indices.push_back(std::clamp<std::int64_t>(i, 0, extent - 1));
    } else if (mode == "wrap") {
      indices.push_back(((i % extent) + extent) % extent);
    } else {
      const std::int64_t place = ((i % period) + period) % period;
      indices.push_back(place < extent ? place : period - place);
    }
  }
  return indices;
}

NodeId with_margin(Importer& importer, NodeId x, std::size_t axis, std::int64_t before, std::int64_t after,
                   NodeId value) {
  std::vector<NodeId> parts;
  const auto add = [&](std::int64_t count) {
    if (count == 0) return;
    Shape shape = importer.type(x).shape;
    shape[axis] = Dim::number(count);
    parts.push_back(importer.broadcast(value, shape));
  };
  add(before);
  parts.push_back(x);
  add(after);
  return importer.joined(std::move(parts), axis);
}

Results pad(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::string mode = call.text("mode", "constant");
  if (mode != "constant" && mode != "edge" && mode != "wrap" && mode != "reflect")
    throw Unsupported(fmt::format("margins that are {}", mode));
  std::vector<std::int64_t> pads = call.opset() < 11 ? call.list("pads") : call.integers(1);
  std::vector<std::int64_t> axes = call.has(3) ? call.integers(3) : std::vector<std::int64_t>{};
  if (axes.empty())
    for (std::size_t i = 0; i < x.rank(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (pads.size() != 2 * axes.size()) throw Unsupported("pads are not two for each axis");
  Order order;
  NodeId node = importer.any_order(x, order);
  NodeId value = 0;
  if (mode == "constant") {
    value = call.opset() < 11 ? importer.number(call.number("value", 0))
            : call.has(2)     ? importer.node(call.input(2))
                              : importer.number(0);
    if (!importer.type(value).shape.empty()) value = importer.reshape(value, {});
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = call.axis(axes[i], x.rank());
    std::int64_t before = pads[i];
    std::int64_t after = pads[i + axes.size()];
    if (before == 0 && after == 0) continue;
    const std::size_t place = place_of(order, axis);
    if (!x.shape[axis].is_number()) throw Unsupported("it adds to the batch");
    const std::int64_t extent = x.shape[axis].offset;
    constexpr std::int64_t most = 1 << 24;
    const bool is_far = std::min(before, after) < -most || std::max(before, after) > most;
    const bool is_folded_over = mode == "reflect" && std::max(before, after) >= extent;
    if (is_far || is_folded_over || before + after + extent < 1)
      throw Unsupported(fmt::format("margins of {} and {}", before, after));
    node = importer.sliced(node, place, std::max<std::int64_t>(0, -before),
                           extent - std::max<std::int64_t>(0, -after));
    before = std::max<std::int64_t>(0, before);
    after = std::max<std::int64_t>(0, after);
    node = mode == "constant"
               ? with_margin(importer, node, place, before, after, value)
               : importer.taken(node, place,
                                margin_indices(mode, before, after, importer.type(node).shape[place].offset));
  }
  return {importer.value(node, x.type, order)};
}

Results centered(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::vector<std::int64_t> wanted = call.integers(1);
  std::vector<std::int64_t> axes = call.list("axes");
  if (axes.empty())
    for (std::size_t i = 0; i < x.rank(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (wanted.size() != axes.size()) throw Unsupported("its shape is not one size for each axis");
  Order order;
  NodeId node = importer.any_order(x, order);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = call.axis(axes[i], x.rank());
    const std::size_t place = place_of(order, axis);
    if (!x.shape[axis].is_number() || wanted[i] < 1) throw Unsupported("it cuts the batch");
    const std::int64_t more = wanted[i] - x.shape[axis].offset;
    if (more < 0) node = importer.sliced(node, place, -more / 2, -more / 2 + wanted[i]);
    if (more > 0) node = with_margin(importer, node, place, more / 2, more - more / 2, importer.number(0));
  }
  return {importer.value(node, x.type, order)};
}

// ---- Constants ----

Results constant_of_shape(Importer& importer, const Call& call) {
  if (!call.input(0).known) throw Unsupported("its shape depends on what the model is given");
  const TensorRecord* const tensor = call.tensor("value");
  const Value element =
      tensor != nullptr ? value_of(*tensor, "") : value_of(Stored{"", {1}, {0}}, ElementType::f32);
  const std::optional<std::vector<double>> number = numbers_of(element);
  const NodeId node =
      importer.broadcast(importer.number(number->at(0)), Shape(call.input(0).known->elements));
  return {importer.value(node, element.type)};
}

/// As PyTorch counts the rows when it writes into a part of each.
bool counts_rows(const Call& call) {
  const auto is = [&](std::size_t i, Dim wanted) {
    const Known* const known = call.input(i).known.get();
    return known != nullptr && known->elements.size() == 1 && known->elements[0] == wanted;
  };
  return is(0, Dim::number(0)) && is(1, Dim::batch()) && is(2, Dim::number(1));
}

Results range(Importer& importer, const Call& call) {
  if (counts_rows(call)) {
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    if (!importer.row_numbers)
      importer.row_numbers = importer.broadcast(importer.number(nothing), {Dim::batch()});
    return {importer.value(*importer.row_numbers, call.input(0).type)};
  }
  std::vector<double> ends;
  for (const std::size_t i : {0U, 1U, 2U}) {
    const std::optional<std::vector<double>> number = call.numbers(i);
    if (!number || number->size() != 1) throw Unsupported("it depends on what the model is given");
    ends.push_back(number->front());
  }
  const double count = std::ceil((ends[1] - ends[0]) / ends[2]);
  if (!(count >= 1 && count <= 1e6)) throw Unsupported("a range of no elements, or of more than a million");
  std::vector<double> values;
  for (int i = 0; i < static_cast<int>(count); ++i) values.push_back(ends[0] + i * ends[2]);
  const auto length = static_cast<std::int64_t>(values.size());
  return {importer.value(importer.constant(std::move(values), {length}), call.input(0).type)};
}

Results eye_like(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  if (x.rank() != 2 || !x.shape[0].is_number() || !x.shape[1].is_number() ||
      checked_multiply(x.shape[0].offset, x.shape[1].offset) > 1'000'000)
    throw Unsupported("a matrix whose size is not known");
  std::vector<double> values;
  for (std::int64_t i = 0; i < x.shape[0].offset; ++i)
    for (std::int64_t j = 0; j < x.shape[1].offset; ++j)
      values.push_back(j - i == call.integer("k", 0) ? 1 : 0);
  const auto type = static_cast<ElementType>(call.integer("dtype", static_cast<std::int64_t>(x.type)));
  return {importer.value(importer.constant(std::move(values), {x.shape[0].offset, x.shape[1].offset}), type)};
}

Results triangle(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  if (x.rank() < 2) throw Unsupported("no matrix");
  const Dim rows = x.shape[x.rank() - 2];
  const Dim columns = x.shape[x.rank() - 1];
  if (!rows.is_number() || !columns.is_number() || checked_multiply(rows.offset, columns.offset) > 1'000'000)
    throw Unsupported("a matrix whose size is not known");
  constexpr std::int64_t far = 1 << 24;
  const std::int64_t k = call.has(1) ? std::clamp(call.integers(1).at(0), -far, far) : 0;
  const bool upper = call.integer("upper", 1) != 0;
  std::vector<double> kept;
  for (std::int64_t i = 0; i < rows.offset; ++i)
    for (std::int64_t j = 0; j < columns.offset; ++j)
      kept.push_back((upper ? j >= i + k : j <= i + k) ? 1 : 0);
  const Term mask{&importer, importer.constant(std::move(kept), {rows.offset, columns.offset})};
  const Term y = choose(mask, mask.with(importer.node(x)), mask.with(importer.number(0)));
  return {importer.value(y.id, x.type)};
}

constexpr ImportedOp table[] = {
    {"Identity", identity},
    {"Transpose", unflat_transpose},
    {"Reshape", reshape},
    {"Flatten", flatten},
    {"Squeeze", squeeze},
    {"Unsqueeze", unsqueeze},
    {"Concat", concat},
    {"Split", split},
    {"Slice", slice},
    {"Expand", expand},
    {"Tile", tile},
    {"Pad", pad},
    {"CenterCropPad", centered},
    {"ConstantOfShape", constant_of_shape},
    {"Range", range},
    {"EyeLike", eye_like},
    {"Trilu", triangle},
};

}  // namespace

std::span<const ImportedOp> shape_imports() {
  return table;
}

}  // namespace graphrun::onnx
