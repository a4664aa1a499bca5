// Windows over images: convolutions and pools. Their images have channels last here.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

using Pair = std::array<std::int64_t, 2>;

/// How windows lie: of signals [n, c, length] as of images of height 1.
struct Window {
  Pair kernel{1, 1};
  Pair stride{1, 1};
  Pair dilation{1, 1};
  Pair before{0, 0};
  Pair after{0, 0};
};

Pair pair_of(const std::vector<std::int64_t>& written, std::int64_t fallback, bool is_signal,
             const char* what) {
  Pair pair{is_signal ? (fallback == 0 ? 0 : 1) : fallback, fallback};
  if (written.empty()) return pair;
  if (written.size() != (is_signal ? 1U : 2U))
    throw Unsupported(fmt::format("{} of {} numbers", what, written.size()));
  for (const std::int64_t number : written)
    if (number < fallback || number > 1 << 24) throw Unsupported(fmt::format("{} {}", what, number));
  if (!is_signal) return {written[0], written[1]};
  return {fallback == 0 ? 0 : 1, written[0]};
}

/// Images [n, c, h, w], or signals [n, c, length] made into images.
struct Images {
  NodeId node;  ///< [n, h, w, c]
  Shape shape;
  bool is_signal;
};

Images images_of(Importer& importer, const Value& x) {
  const bool is_signal = x.rank() == 3;
  if (x.rank() != 4 && !is_signal)
    throw Unsupported(fmt::format("windows over {} axes: images have two", x.rank() - 2));
  NodeId node = importer.node(x, channels_last(x.rank()));
  if (is_signal) {
    const Shape& shape = importer.type(node).shape;
    node = importer.reshape(node, {shape[0], Dim::number(1), shape[1], shape[2]});
  }
  return {node, importer.type(node).shape, is_signal};
}

Value images_value(Importer& importer, NodeId node, const Images& like, ElementType type) {
  if (!like.is_signal) return importer.value(node, type, channels_last(4));
  const Shape& shape = importer.type(node).shape;
  return importer.value(importer.reshape(node, {shape[0], shape[2], shape[3]}), type, channels_last(3));
}

std::int64_t extent_of(const Images& images, std::size_t side) {
  const Dim extent = images.shape[1 + side];
  if (!extent.is_number()) throw Unsupported("the size of the images is not known: give it with --shape");
  if (extent.offset > std::int64_t{1} << 31)
    throw Unsupported(fmt::format("images of {} pixels", extent.offset));
  return extent.offset;
}

std::int64_t reach(const Window& window, std::size_t side) {
  return (window.kernel[side] - 1) * window.dilation[side] + 1;
}

Window window_of(const Call& call, const Images& images, Pair kernel) {
  Window window;
  window.kernel = kernel;
  window.stride = pair_of(call.list("strides"), 1, images.is_signal, "strides");
  window.dilation = pair_of(call.list("dilations"), 1, images.is_signal, "dilations");
  const std::string automatic = call.text("auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    for (const std::size_t side : {0U, 1U}) {
      const std::int64_t extent = extent_of(images, side);
      const std::int64_t count = (extent + window.stride[side] - 1) / window.stride[side];
      const std::int64_t more =
          std::max<std::int64_t>(0, (count - 1) * window.stride[side] + reach(window, side) - extent);
      window.before[side] = automatic == "SAME_UPPER" ? more / 2 : more - more / 2;
      window.after[side] = more - window.before[side];
    }
  } else if (automatic != "VALID") {
    const std::vector<std::int64_t> pads = call.list("pads");
    const std::size_t sides = pads.size() / 2;
    if (pads.size() % 2 != 0) throw Unsupported("pads are not two for each axis");
    window.before = pair_of({pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(sides)}, 0,
                            images.is_signal, "pads");
    window.after =
        pair_of({pads.begin() + static_cast<std::ptrdiff_t>(sides), pads.end()}, 0, images.is_signal, "pads");
  }
  return window;
}

/// One number where both sides are alike.
AttributeValue sides(Pair pair) {
  if (pair[0] == pair[1]) return pair[0];
  return std::vector<std::int64_t>{pair[0], pair[1]};
}
AttributeValue pads(const Window& window) {
  if (window.before == window.after) return sides(window.before);
  return std::vector<std::int64_t>{window.before[0], window.after[0], window.before[1], window.after[1]};
}

/// A margin of this number, for windows that see it.
NodeId with_margin(Importer& importer, NodeId x, const Window& window, double number) {
  for (const std::size_t side : {0U, 1U}) {
    std::vector<NodeId> parts;
    const auto add = [&](std::int64_t count) {
      if (count == 0) return;
      Shape shape = importer.type(x).shape;
      shape[1 + side] = Dim::number(count);
      parts.push_back(importer.broadcast(importer.number(number), shape));
    };
    add(window.before[side]);
    parts.push_back(x);
    add(window.after[side]);
    x = importer.joined(std::move(parts), 1 + side);
  }
  return x;
}

/// Where windows may lie wholly in the margin, which graphrun's own refuse, the margin becomes pixels.
template <class Windows>
NodeId windowed(Importer& importer, NodeId images, const Window& window, double margin,
                const Windows& windows) {
  try {
    return windows(images, window);
  } catch (const Unsupported&) {
    Window inside = window;
    inside.before = {0, 0};
    inside.after = {0, 0};
    if (window.before == Pair{0, 0} && window.after == Pair{0, 0}) throw;
    return windows(with_margin(importer, images, window, margin), inside);
  }
}

// ---- Convolutions ----

/// Weights [o, i, h, w] in the order of axes that is asked for; of signals, [o, i, w].
NodeId kernel_node(Importer& importer, const Value& weight, const Order& order, bool is_signal) {
  if (!is_signal) return importer.node(weight, order);
  Value wide = weight;
  if (weight.stored) {
    Stored stored = *weight.stored;
    stored.extents.insert(stored.extents.begin() + 2, 1);
    wide = value_of(std::move(stored), weight.type);
  } else {
    Shape shape = weight.shape;
    shape.insert(shape.begin() + 2, Dim::number(1));
    wide = importer.value(importer.reshape(importer.node(weight), shape), weight.type);
  }
  return importer.node(wide, order);
}

Pair kernel_of(const Value& weight, bool is_signal) {
  const std::size_t rank = is_signal ? 3 : 4;
  const auto is_fine = [](Dim dim) { return dim.is_number() && dim.offset <= 1 << 24; };
  if (weight.rank() != rank || !is_fine(weight.shape[2]) || !is_fine(weight.shape[rank - 1]))
    throw Unsupported("weights whose size is not known");
  return {is_signal ? 1 : weight.shape[2].offset, weight.shape[rank - 1].offset};
}

NodeId with_bias(Importer& importer, const Call& call, NodeId y) {
  if (!call.has(2)) return y;
  const Dim channels = importer.type(y).shape.back();
  if (call.input(2).shape != Shape{channels})
    throw Unsupported(
        fmt::format("a bias of {} for {} channels", to_string(call.input(2).shape), to_string(channels)));
  return importer.add("add", {y, importer.node(call.input(2))});
}

void set_window(Attributes& attributes, const Window& window) {
  attributes.set("stride", sides(window.stride));
  attributes.set("pad", pads(window));
  if (window.dilation != Pair{1, 1}) attributes.set("dilation", sides(window.dilation));
}

Results convolution(Importer& importer, const Call& call) {
  const Images images = images_of(importer, call.input(0));
  const Value& weight = call.input(1);
  const Window window = window_of(call, images, kernel_of(weight, images.is_signal));
  const std::int64_t groups = call.integer("group", 1);
  const NodeId w = kernel_node(importer, weight, {2, 3, 1, 0}, images.is_signal);
  const NodeId y = windowed(importer, images.node, window, 0, [&](NodeId x, const Window& at) {
    Attributes attributes;
    set_window(attributes, at);
    if (groups != 1) attributes.set("groups", groups);
    return importer.add("convolution", {x, w}, std::move(attributes));
  });
  return {images_value(importer, with_bias(importer, call, y), images, call.input(0).type)};
}

Results transposed_convolution(Importer& importer, const Call& call) {
  const Images images = images_of(importer, call.input(0));
  const Value& weight = call.input(1);
  Window window = window_of(call, images, kernel_of(weight, images.is_signal));
  const Pair more = pair_of(call.list("output_padding"), 0, images.is_signal, "output_padding");
  const std::vector<std::int64_t> wanted = call.list("output_shape");
  if (!wanted.empty() && wanted.size() < (images.is_signal ? 1U : 2U))
    throw Unsupported(fmt::format("output_shape of {} numbers", wanted.size()));
  const std::string automatic = call.text("auto_pad", "NOTSET");
  if (!wanted.empty() || automatic.starts_with("SAME")) {
    for (const std::size_t side : {0U, 1U}) {
      const std::int64_t full =
          window.stride[side] * (extent_of(images, side) - 1) + more[side] + reach(window, side);
      const bool is_written = !wanted.empty() && !(images.is_signal && side == 0);
      const std::int64_t size =
          is_written ? wanted[wanted.size() - 2 + side] : extent_of(images, side) * window.stride[side];
      const std::int64_t cut = full - size;
      if (cut < 0) throw Unsupported("an output_shape beyond the windows");
      window.before[side] = automatic == "SAME_UPPER" ? cut / 2 : cut - cut / 2;
      window.after[side] = cut - window.before[side];
    }
  }
  // One size tells all: what the windows write, less what is cut off at the beginning.
  Attributes attributes;
  Window cut = window;
  std::vector<std::int64_t> size;
  for (const std::size_t side : {0U, 1U})
    size.push_back(window.stride[side] * (extent_of(images, side) - 1) + more[side] + reach(window, side) -
                   window.before[side] - window.after[side]);
  set_window(attributes, cut);
  if (more != Pair{0, 0}) attributes.set("size", size);
  const std::int64_t groups = call.integer("group", 1);
  if (groups != 1) attributes.set("groups", groups);
  const NodeId w = kernel_node(importer, weight, {2, 3, 1, 0}, images.is_signal);
  const NodeId y = importer.add("transposed_convolution", {images.node, w}, std::move(attributes));
  return {images_value(importer, with_bias(importer, call, y), images, call.input(0).type)};
}

// ---- Pools ----

/// Windows that reach over the end, which ceil_mode counts too.
void round_up(const Call& call, const Images& images, Window& window) {
  if (call.integer("ceil_mode", 0) == 0) return;
  for (const std::size_t side : {0U, 1U}) {
    const std::int64_t extent = extent_of(images, side);
    const std::int64_t rest = extent + window.before[side] + window.after[side] - reach(window, side);
    std::int64_t last = (rest + window.stride[side] - 1) / window.stride[side];
    if (last * window.stride[side] >= extent + window.before[side]) --last;  // it would begin in the margin
    window.after[side] += std::max<std::int64_t>(0, last * window.stride[side] - rest);
  }
}

Attributes pool_attributes(const Window& window) {
  Attributes attributes = {{"kernel", sides(window.kernel)}};
  set_window(attributes, window);
  return attributes;
}

/// Every window of a pool sees a part of the image.
Window pool_window(const Call& call, const Images& images) {
  const Window window =
      window_of(call, images, pair_of(call.list("kernel_shape"), 1, images.is_signal, "kernel_shape"));
  for (const std::size_t side : {0U, 1U})
    if (std::max(window.before[side], window.after[side]) >= reach(window, side))
      throw Unsupported(fmt::format("margins of {} and {} for windows of {}", window.before[side],
                                    window.after[side], reach(window, side)));
  return window;
}

Results max_pool(Importer& importer, const Call& call) {
  if (call.wants(1)) throw Unsupported("the indices of a pool");
  const Images images = images_of(importer, call.input(0));
  Window window = pool_window(call, images);
  round_up(call, images, window);
  const NodeId y = windowed(
      importer, images.node, window, -std::numeric_limits<double>::infinity(),
      [&](NodeId x, const Window& at) { return importer.add("max_pool", {x}, pool_attributes(at)); });
  return {images_value(importer, y, images, call.input(0).type)};
}

/// Sums over windows: of what is no image, the average counts nothing.
NodeId pooled(Importer& importer, const Call& call, const Images& images, bool counts_margin) {
  Window window = pool_window(call, images);
  const Window written = window;
  round_up(call, images, window);
  if (!counts_margin) return importer.add("avg_pool", {images.node}, pool_attributes(window));
  const NodeId padded = with_margin(importer, images.node, written, 0);
  for (const std::size_t side : {0U, 1U}) window.after[side] -= written.after[side];
  window.before = {0, 0};
  return importer.add("avg_pool", {padded}, pool_attributes(window));
}

Results average_pool(Importer& importer, const Call& call) {
  const Images images = images_of(importer, call.input(0));
  const NodeId y = pooled(importer, call, images, call.integer("count_include_pad", 0) != 0);
  return {images_value(importer, y, images, call.input(0).type)};
}

/// (sum |x|^p)^(1/p): the average, times the number of pixels.
Results norm_pool(Importer& importer, const Call& call) {
  Images images = images_of(importer, call.input(0));
  const auto p = static_cast<double>(call.integer("p", 2));
  const Pair kernel = pair_of(call.list("kernel_shape"), 1, images.is_signal, "kernel_shape");
  const Term x{&importer, images.node};
  images.node = apply("pow", apply("abs", x), p).id;
  const Term sums =
      Term{&importer, pooled(importer, call, images, true)} * static_cast<double>(kernel[0] * kernel[1]);
  return {images_value(importer, apply("pow", sums, 1 / p).id, images, call.input(0).type)};
}

Results global(Importer& importer, const Call& call,
               NodeId (*reduce)(Importer&, NodeId, std::vector<std::int64_t>)) {
  std::vector<std::size_t> axes;
  for (std::size_t axis = 2; axis < call.input(0).rank(); ++axis) axes.push_back(axis);
  return {reduced(importer, call.input(0), axes, true, [&](NodeId x, std::vector<std::int64_t> places, bool) {
    return reduce(importer, x, std::move(places));
  })};
}
Results global_average(Importer& importer, const Call& call) {
  return global(importer, call, [](Importer& i, NodeId x, std::vector<std::int64_t> axes) {
    return i.mean(x, std::move(axes), true);
  });
}
Results global_max(Importer& importer, const Call& call) {
  return global(importer, call, [](Importer& i, NodeId x, std::vector<std::int64_t> axes) {
    return i.add("max", {x}, {{"axis", Axes{false, std::move(axes)}}, {"keepdims", true}});
  });
}
Results global_norm(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const auto p = static_cast<double>(call.integer("p", 2));
  Order order;
  const Term in{&importer, importer.any_order(x, order)};
  Call powers(call.record(), {importer.value(apply("pow", apply("abs", in), p).id, x.type, order)},
              call.opset());
  Value sums = global(importer, powers, [](Importer& i, NodeId node, std::vector<std::int64_t> axes) {
    return i.sum(node, std::move(axes), true);
  })[0];
  sums.node = apply("pow", in.with(*sums.node), 1 / p).id;
  return {sums};
}

// ---- Blocks of pixels ----

Results depth_to_space(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::int64_t b = call.integer("blocksize", 1);
  if (x.rank() != 4 || b < 1 || b > 4096 || !x.shape[1].is_number())
    throw Unsupported("no images, or no block");
  if (x.shape[1].offset % (b * b) != 0)
    throw Unsupported(
        fmt::format("{} channels, which {} x {} blocks do not divide", x.shape[1].offset, b, b));
  const Dim side = Dim::number(b);
  const Dim depth = Dim::number(x.shape[1].offset / (b * b));
  const bool by_columns = call.text("mode", "DCR") == "CRD";
  const Shape parts = by_columns ? Shape{x.shape[0], depth, side, side, x.shape[2], x.shape[3]}
                                 : Shape{x.shape[0], side, side, depth, x.shape[2], x.shape[3]};
  const NodeId split = importer.reshape(importer.node(x), parts);
  const Order axes = by_columns ? Order{0, 1, 4, 2, 5, 3} : Order{0, 3, 4, 1, 5, 2};
  const auto times = [&](Dim dim) {
    return Dim{checked_multiply(dim.factor, b), checked_multiply(dim.offset, b)};
  };
  const NodeId y = importer.reshape(importer.transpose(split, axes),
                                    {x.shape[0], depth, times(x.shape[2]), times(x.shape[3])});
  return {importer.value(y, x.type)};
}

Results space_to_depth(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const std::int64_t b = call.integer("blocksize", 1);
  if (x.rank() != 4 || b < 1 || b > 4096 || !x.shape[2].is_number() || !x.shape[3].is_number())
    throw Unsupported("no images, or no block");
  if (x.shape[2].offset % b != 0 || x.shape[3].offset % b != 0)
    throw Unsupported(fmt::format("images of {} x {}, which {} x {} blocks do not divide", x.shape[2].offset,
                                  x.shape[3].offset, b, b));
  const Dim height = Dim::number(x.shape[2].offset / b);
  const Dim width = Dim::number(x.shape[3].offset / b);
  const Dim side = Dim::number(b);
  const NodeId split =
      importer.reshape(importer.node(x), {x.shape[0], x.shape[1], height, side, width, side});
  const Dim depth{checked_multiply(x.shape[1].factor, b * b), checked_multiply(x.shape[1].offset, b * b)};
  const NodeId y =
      importer.reshape(importer.transpose(split, {0, 3, 5, 1, 2, 4}), {x.shape[0], depth, height, width});
  return {importer.value(y, x.type)};
}

constexpr ImportedOp table[] = {
    {"DepthToSpace", depth_to_space},
    {"SpaceToDepth", space_to_depth},
    {"Conv", convolution},
    {"ConvTranspose", transposed_convolution},
    {"MaxPool", max_pool},
    {"AveragePool", average_pool},
    {"LpPool", norm_pool},
    {"GlobalAveragePool", global_average},
    {"GlobalMaxPool", global_max},
    {"GlobalLpPool", global_norm},
};

}  // namespace

std::span<const ImportedOp> image_imports() {
  return table;
}

}  // namespace graphrun::onnx
