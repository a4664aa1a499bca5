// What brings values to a common size: by averages, or along axes. Stored averages become batch_norm.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

// ---- Softmax ----

Results along_axis(Importer& importer, const Call& call, const char* op) {
  const Value& x = call.input(0);
  const std::size_t axis = call.axis(call.integer("axis", call.opset() < 13 ? 1 : -1), x.rank());
  if (call.opset() < 13 && axis + 1 != x.rank()) {  // over all axes from this one on
    const NodeId rows = importer.reshape(importer.node(x), flattened_shape(x.shape, axis));
    const NodeId y = importer.add(op, {rows}, {{"axis", std::int64_t{1}}});
    return {importer.value(importer.reshape(y, x.shape), x.type)};
  }
  Order order;
  const NodeId node = importer.any_order(x, order);
  const auto place = static_cast<std::int64_t>(place_of(order, axis));
  const bool is_last = place + 1 == static_cast<std::int64_t>(x.rank());
  return {importer.value(importer.add(op, {node}, {{"axis", is_last ? -1 : place}}), x.type, order)};
}
Results softmax(Importer& importer, const Call& call) {
  return along_axis(importer, call, "softmax");
}
Results log_softmax(Importer& importer, const Call& call) {
  return along_axis(importer, call, "log_softmax");
}

// ---- By averages ----

/// A vector with an element for each channel, as a variable; scalars of one channel too.
Term per_channel(Importer& importer, const Value& vector) {
  return {&importer, importer.node(vector)};
}

/// One number would stretch over all channels.
void require_per_channel(const Value& vector, const Value& x) {
  const bool is_one = vector.rank() == 0 && x.shape[1].is_number(1);
  if (!is_one && vector.shape != Shape{x.shape[1]})
    throw Unsupported(
        fmt::format("{} numbers for {} channels", to_string(vector.shape), to_string(x.shape[1])));
}

/// By the averages of the rows at hand; the others are moved towards these, and come out beside them.
Results normalised_by_batch(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const Order order = channels_last(x.rank());
  std::vector<std::int64_t> axes(x.rank() - 1);
  std::iota(axes.begin(), axes.end(), 0);
  const Term in{&importer, importer.node(x, order)};
  const Term mean = in.with(importer.mean(in.id, axes, false));
  const Term variance = in.with(importer.mean(apply("square", in - mean).id, axes, false));
  const Term gain = in.with(importer.node(call.input(1)));
  const Term shift = in.with(importer.node(call.input(2)));
  const Term y = (in - mean) * (gain / apply("sqrt", variance + call.number("epsilon", 1e-5F))) + shift;
  const double kept = call.number("momentum", 0.9F);
  const auto moved = [&](std::size_t i, Term now) {
    const Term before = in.with(importer.node(call.input(i)));
    return importer.value((before * kept + now * (1 - kept)).id, x.type);
  };
  return {importer.value(y.id, x.type, order), moved(3, mean), moved(4, variance)};
}

/// As the block batch_norm is in evaluation, so that it is found again.
Results batch_normalization(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  if (x.rank() < 2) throw Unsupported("batch normalisation of a list");
  for (const std::size_t i : {1U, 2U, 3U, 4U}) require_per_channel(call.input(i), x);
  if (call.integer("training_mode", 0) != 0) return normalised_by_batch(importer, call);
  std::vector<Value> vectors(call.inputs().begin() + 1, call.inputs().begin() + 5);
  bool stays_flat = x.flat.has_value();
  for (Value& vector : vectors) {
    const std::optional<Value> turned =
        stays_flat ? in_image_order(importer, vector, 0, *x.flat) : std::nullopt;
    stays_flat = stays_flat && turned;
    if (turned) vector = *turned;
  }
  if (!stays_flat) vectors.assign(call.inputs().begin() + 1, call.inputs().begin() + 5);
  const Operands place{
      {}, stays_flat ? natural_order(2) : channels_last(x.rank()), stays_flat ? x.flat : std::nullopt};
  const Term in{&importer, stays_flat ? *x.node : importer.node(x, place.order)};
  const Term gain = in.with(importer.node(vectors[0]));
  const Term shift = in.with(importer.node(vectors[1]));
  const Term mean = in.with(importer.node(vectors[2]));
  const Term variance = in.with(importer.node(vectors[3]));
  const double epsilon = call.number("epsilon", 1e-5F);
  const Term y = (in - mean) * (gain / apply("sqrt", variance + epsilon)) + shift;
  return {result_of(place, y, x.type)};
}

/// (x − mean) / sqrt(variance + epsilon) over axes of a node.
struct Normalised {
  Term y;
  Term mean;
  Term deviation;
};
Normalised normalised(Term x, const std::vector<std::int64_t>& axes, double epsilon) {
  Importer& importer = *x.importer;
  const Term mean = x.with(importer.mean(x.id, axes, true));
  const Term centred = x - mean;
  const Term variance = x.with(importer.mean(apply("square", centred).id, axes, true));
  const Term deviation = apply("sqrt", variance + epsilon);
  return {centred / deviation, mean, deviation};
}

std::vector<std::int64_t> axes_from(std::size_t first, std::size_t rank) {
  std::vector<std::int64_t> axes(rank - first);
  std::iota(axes.begin(), axes.end(), static_cast<std::int64_t>(first));
  return axes;
}

Results layer_normalization(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::size_t axis = call.axis(call.integer("axis", -1), x.rank());
  const Normalised found =
      normalised({&importer, importer.node(x)}, axes_from(axis, x.rank()), call.number("epsilon", 1e-5F));
  const Order order = natural_order(x.rank());
  Term y = found.y * found.y.with(importer.operand(call.input(1), x.rank(), order));
  if (call.has(2)) y = y + y.with(importer.operand(call.input(2), x.rank(), order));
  return {importer.value(y.id, x.type), importer.value(found.mean.id, x.type),
          importer.value((1.0 / found.deviation).id, x.type)};
}

Results rms_normalization(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::size_t axis = call.axis(call.integer("axis", -1), x.rank());
  const Term in{&importer, importer.node(x)};
  const Term square = in.with(importer.mean(apply("square", in).id, axes_from(axis, x.rank()), true));
  const Term unit = in / apply("sqrt", square + call.number("epsilon", 1e-5F));
  const Term scale = unit.with(importer.operand(call.input(1), x.rank(), natural_order(x.rank())));
  return {importer.value((unit * scale).id, x.type)};
}

/// One number for each channel, beside images of natural order.
Term beside_channels(Importer& importer, const Value& vector, std::size_t rank) {
  Shape shape = {vector.shape.at(0)};
  shape.resize(rank - 1, Dim::number(1));
  return {&importer, importer.reshape(importer.node(vector), shape)};
}

Results instance_normalization(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  if (x.rank() < 3) throw Unsupported("instance normalisation of no images");
  for (const std::size_t i : {1U, 2U}) require_per_channel(call.input(i), x);
  const Order order = channels_last(x.rank());
  std::vector<std::int64_t> pixels(x.rank() - 2);
  std::iota(pixels.begin(), pixels.end(), 1);
  const Normalised found =
      normalised({&importer, importer.node(x, order)}, pixels, call.number("epsilon", 1e-5F));
  const Term y = found.y * per_channel(importer, call.input(1)) + per_channel(importer, call.input(2));
  return {importer.value(y.id, x.type, order)};
}

Results group_normalization(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::int64_t groups = call.integer("num_groups", 1);
  if (x.rank() < 2 || groups < 1) throw Unsupported("group normalisation of no images");
  if (!x.shape[1].is_number() || x.shape[1].offset % groups != 0)
    throw Unsupported(
        fmt::format("{} channels, which {} groups do not divide", to_string(x.shape[1]), groups));
  const NodeId rows = importer.reshape(importer.node(x), {x.shape[0], Dim::number(groups), Dim::number(-1)});
  Term y = normalised({&importer, rows}, {2}, call.number("epsilon", 1e-5F)).y;
  const Value& scale = call.input(1);
  const Value& shift = call.input(2);
  const bool is_for_groups = call.opset() < 21;  // then for channels
  if (is_for_groups) y = y * beside_channels(importer, scale, 3) + beside_channels(importer, shift, 3);
  y = y.with(importer.reshape(y.id, x.shape));
  if (!is_for_groups)
    y = y * beside_channels(importer, scale, x.rank()) + beside_channels(importer, shift, x.rank());
  return {importer.value(y.id, x.type)};
}

Results mean_variance(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  std::vector<std::int64_t> axes;
  for (const std::int64_t axis : call.list("axes"))
    axes.push_back(static_cast<std::int64_t>(call.axis(axis, x.rank())));
  if (axes.empty()) axes = {0, 2, 3};
  const Term in{&importer, importer.node(x)};
  const Term mean = in.with(importer.mean(in.id, axes, true));
  const Term square = in.with(importer.mean(apply("square", in).id, axes, true));
  const Term y = (in - mean) / (apply("sqrt", square - mean * mean) + 1e-9);
  return {importer.value(y.id, x.type)};
}

/// By the length along an axis; of length 0, nothing is divided.
Results unit_length(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const auto axis = static_cast<std::int64_t>(call.axis(call.integer("axis", -1), x.rank()));
  const Term in{&importer, importer.node(x)};
  const bool by_sum = call.integer("p", 2) == 1;
  const Term sizes = apply(by_sum ? "abs" : "square", in);
  Term length = in.with(importer.sum(sizes.id, {axis}, true));
  if (!by_sum) length = apply("sqrt", length);
  const Term y = in / (length + apply("equal", length, 0.0));
  return {importer.value(y.id, x.type)};
}

/// Over neighbouring channels: a product with a band of ones.
Results local_response(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::int64_t size = call.integer("size", 1);
  if (x.rank() < 3 || !x.shape[1].is_number() || x.shape[1].offset > 4096 || size < 1)
    throw Unsupported("no images, or no neighbours");
  const std::int64_t channels = x.shape[1].offset;
  std::vector<double> band;
  for (std::int64_t from = 0; from < channels; ++from)
    for (std::int64_t to = 0; to < channels; ++to)
      band.push_back(from >= to - (size - 1) / 2 && from <= to + size / 2 ? 1 : 0);
  const Order order = channels_last(x.rank());
  const Term in{&importer, importer.node(x, order)};
  const Term sums = in.with(
      importer.product(apply("square", in).id, importer.constant(std::move(band), {channels, channels})));
  const Term base = sums * (call.number("alpha", 1e-4F) / static_cast<double>(size)) + call.number("bias", 1);
  return {importer.value((in / apply("pow", base, call.number("beta", 0.75))).id, x.type, order)};
}

/// ai.onnx.ml: (x − offset) · scale.
Results scaler(Importer& importer, const Call& call) {
  const auto numbers = [&](const char* name) {
    const std::vector<float> written = call.floats(name);
    const auto count = static_cast<std::int64_t>(written.size());
    return Term{&importer, importer.constant({written.begin(), written.end()}, {count})};
  };
  const Term in{&importer, importer.node(call.input(0))};
  return {importer.value(((in - numbers("offset")) * numbers("scale")).id, ElementType::f32)};
}

constexpr ImportedOp table[] = {
    {"Softmax", softmax},
    {"LogSoftmax", log_softmax},
    {"BatchNormalization", batch_normalization},
    {"LayerNormalization", layer_normalization},
    {"RMSNormalization", rms_normalization},
    {"InstanceNormalization", instance_normalization},
    {"GroupNormalization", group_normalization},
    {"MeanVarianceNormalization", mean_variance},
    {"LpNormalization", unit_length},
    {"LRN", local_response},
    {"Scaler", scaler},
};

}  // namespace

std::span<const ImportedOp> normalization_imports() {
  return table;
}

}  // namespace graphrun::onnx
