// Windows over images: convolutions, pools, resizing. Their images have channels last here.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "onnx/import/importer.hpp"

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
  const std::string automatic = call.text("auto_pad", "NOTSET");
  if (!wanted.empty() || automatic.starts_with("SAME")) {
    for (const std::size_t side : {0U, 1U}) {
      const std::int64_t full =
          window.stride[side] * (extent_of(images, side) - 1) + more[side] + reach(window, side);
      const std::size_t at = wanted.size() - 2 + side;
      const std::int64_t size =
          wanted.size() >= 2 ? wanted[at] : extent_of(images, side) * window.stride[side];
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

Results max_pool(Importer& importer, const Call& call) {
  if (call.wants(1)) throw Unsupported("the indices of a pool");
  const Images images = images_of(importer, call.input(0));
  Window window =
      window_of(call, images, pair_of(call.list("kernel_shape"), 1, images.is_signal, "kernel_shape"));
  round_up(call, images, window);
  const NodeId y = windowed(
      importer, images.node, window, -std::numeric_limits<double>::infinity(),
      [&](NodeId x, const Window& at) { return importer.add("max_pool", {x}, pool_attributes(at)); });
  return {images_value(importer, y, images, call.input(0).type)};
}

/// Sums over windows: of what is no image, the average counts nothing.
NodeId pooled(Importer& importer, const Call& call, const Images& images, bool counts_margin) {
  Window window =
      window_of(call, images, pair_of(call.list("kernel_shape"), 1, images.is_signal, "kernel_shape"));
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

// ---- Resizing: along each axis a product with a matrix that is known ----

struct Sampling {
  std::string mode;
  std::string coordinates;
  std::string nearest;
  double cubic = -0.75;
  bool excludes_outside = false;
  bool antialiased = false;
  double extrapolation = 0;
};

double cubic_weight(double distance, double a) {
  const double x = std::abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// Where a pixel of the result is in the image.
double place_in_image(const Sampling& sampling, double i, double scale, double out, double in, double begin,
                      double end) {
  if (sampling.coordinates == "align_corners") return out == 1 ? 0 : i * (in - 1) / (out - 1);
  if (sampling.coordinates == "asymmetric") return i / scale;
  if (sampling.coordinates == "tf_crop_and_resize")
    return out > 1 ? begin * (in - 1) + i * (end - begin) * (in - 1) / (out - 1)
                   : 0.5 * (begin + end) * (in - 1);
  if (sampling.coordinates == "pytorch_half_pixel") return out > 1 ? (i + 0.5) / scale - 0.5 : 0;
  if (sampling.coordinates == "half_pixel_symmetric") {
    const double adjustment = out / (scale * in);
    return in / 2 * (1 - adjustment) + (i + 0.5) / scale - 0.5;
  }
  if (sampling.coordinates != "half_pixel")
    throw Unsupported(fmt::format("coordinates {}", sampling.coordinates));
  return (i + 0.5) / scale - 0.5;
}

std::int64_t nearest_pixel(const Sampling& sampling, double x) {
  if (sampling.nearest == "floor") return static_cast<std::int64_t>(std::floor(x));
  if (sampling.nearest == "ceil") return static_cast<std::int64_t>(std::ceil(x));
  if (sampling.nearest == "round_prefer_ceil") return static_cast<std::int64_t>(std::floor(x + 0.5));
  return static_cast<std::int64_t>(std::ceil(x - 0.5));
}

/// One row of the matrix: what of each pixel comes into the result's.
void add_weights(const Sampling& sampling, double x, double scale, std::vector<double>& row) {
  const auto in = static_cast<std::int64_t>(row.size());
  const auto add = [&](std::int64_t place, double weight) {
    row[static_cast<std::size_t>(std::clamp<std::int64_t>(place, 0, in - 1))] += weight;
  };
  if (sampling.mode == "nearest") return add(nearest_pixel(sampling, x), 1);
  const double stretch = sampling.antialiased ? std::min(1.0, scale) : 1.0;
  const double support = (sampling.mode == "cubic" ? 2 : 1) / stretch;
  double total = 0;
  const auto first = static_cast<std::int64_t>(std::floor(x - support)) - 1;
  const auto last = static_cast<std::int64_t>(std::ceil(x + support)) + 1;
  for (const bool counts : {true, false}) {
    for (std::int64_t place = first; place <= last; ++place) {
      const double distance = (static_cast<double>(place) - x) * stretch;
      double weight = sampling.mode == "cubic" ? cubic_weight(distance, sampling.cubic)
                                               : std::max(0.0, 1 - std::abs(distance));
      if ((sampling.excludes_outside || sampling.antialiased) && (place < 0 || place >= in)) weight = 0;
      if (counts)
        total += weight;
      else
        add(place, weight / total);
    }
  }
}

NodeId resized_axis(Importer& importer, NodeId x, std::size_t axis, const Sampling& sampling,
                    std::int64_t out, double scale, double begin, double end) {
  const Dim extent = importer.type(x).shape[axis];
  if (!extent.is_number()) throw Unsupported("the size of the images is not known: give it with --shape");
  const std::int64_t in = std::min<std::int64_t>(extent.offset, 1 << 24);
  if (out < 1 || out > 1 << 16 || in * out > 1 << 24)
    throw Unsupported(fmt::format("resizing {} to {}", in, out));
  std::vector<double> matrix;
  for (std::int64_t i = 0; i < out; ++i) {
    const double place = place_in_image(sampling, static_cast<double>(i), scale, static_cast<double>(out),
                                        static_cast<double>(in), begin, end);
    const bool is_outside =
        sampling.coordinates == "tf_crop_and_resize" && (place < 0 || place > static_cast<double>(in - 1));
    if (is_outside && sampling.extrapolation != 0) throw Unsupported("an extrapolation_value");
    std::vector<double> row(static_cast<std::size_t>(in), 0.0);
    if (!is_outside) add_weights(sampling, place, scale, row);
    matrix.insert(matrix.end(), row.begin(), row.end());
  }
  Order last;
  for (std::size_t i = 0; i < importer.type(x).shape.size(); ++i)
    if (i != axis) last.push_back(i);
  last.push_back(axis);
  const NodeId turned = importer.transpose(x, last);
  Shape shape = importer.type(turned).shape;
  const NodeId rows = importer.reshape(turned, {Dim::number(-1), extent});
  const NodeId y = importer.product(rows, importer.constant(std::move(matrix), {out, in}), false, true);
  shape.back() = Dim::number(out);
  return importer.transpose(importer.reshape(y, shape), inverse(last));
}

/// Whole factors that images are enlarged by as graphrun's own op does.
std::optional<std::int64_t> upsampling_factor(const Sampling& sampling, const std::vector<double>& scales) {
  if (scales.size() != 4 || scales[0] != 1 || scales[1] != 1 || scales[2] != scales[3] ||
      scales[2] != std::floor(scales[2]) || scales[2] < 2)
    return std::nullopt;
  const bool is_nearest =
      sampling.mode == "nearest" && sampling.nearest == "floor" && sampling.coordinates == "asymmetric";
  const bool is_near_half = sampling.mode == "nearest" && sampling.coordinates == "half_pixel";
  const bool is_linear = sampling.mode == "linear" && sampling.coordinates == "half_pixel";
  if (!is_nearest && !is_linear && !is_near_half) return std::nullopt;
  return static_cast<std::int64_t>(scales[2]);
}

constexpr std::int64_t unchanged = -1;

/// The extents of the result along these axes; `unchanged` for one that is no number and stays.
std::vector<std::int64_t> sizes_of(const Call& call, const std::vector<std::size_t>& axes) {
  const Value& sizes = call.input(3);
  if (!sizes.known) return call.integers(3);
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < std::min(axes.size(), sizes.known->elements.size()); ++i) {
    const Dim size = sizes.known->elements[i];
    if (!size.is_number() && size != call.input(0).shape[axes[i]])
      throw Unsupported("a size that depends on what the model is given");
    numbers.push_back(size.is_number() ? size.offset : unchanged);
  }
  return numbers;
}

Results resize(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const bool old = call.opset() < 11 || call.op() == "Upsample";
  Sampling sampling;
  sampling.mode = call.text("mode", "nearest");
  sampling.coordinates = call.text("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  sampling.nearest = call.text("nearest_mode", old ? "floor" : "round_prefer_floor");
  sampling.cubic = call.number("cubic_coeff_a", -0.75);
  sampling.excludes_outside = call.integer("exclude_outside", 0) != 0;
  sampling.antialiased = call.integer("antialias", 0) != 0 && sampling.mode != "nearest";
  sampling.extrapolation = call.number("extrapolation_value", 0);
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : call.list("axes")) axes.push_back(call.axis(axis, x.rank()));
  if (axes.empty()) axes = natural_order(x.rank());
  std::vector<double> scales = call.numbers(old ? 1 : 2).value_or(std::vector<double>{});
  if (call.op() == "Upsample" && call.has_attribute("scales"))
    for (const float scale : call.floats("scales")) scales.push_back(static_cast<double>(scale));
  std::vector<std::int64_t> sizes = !old && call.has(3) ? sizes_of(call, axes) : std::vector<std::int64_t>{};
  const std::vector<double> regions =
      !old ? call.numbers(1).value_or(std::vector<double>{}) : std::vector<double>{};
  if (scales.empty() && sizes.empty()) throw Unsupported("a size that depends on what the model is given");
  const std::string policy = call.text("keep_aspect_ratio_policy", "stretch");
  if (!sizes.empty() && policy != "stretch") {
    if (std::ranges::find(sizes, unchanged) != sizes.end())
      throw Unsupported("a batch that keeps its aspect ratio");
    double common = policy == "not_larger" ? std::numeric_limits<double>::max() : 0;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const double scale = static_cast<double>(sizes.at(i)) / static_cast<double>(x.shape[axes[i]].offset);
      common = policy == "not_larger" ? std::min(common, scale) : std::max(common, scale);
    }
    for (std::size_t i = 0; i < axes.size(); ++i)
      sizes[i] = static_cast<std::int64_t>(std::round(common * static_cast<double>(x.shape[axes[i]].offset)));
    scales.assign(axes.size(), common);
  }
  if (const auto factor = upsampling_factor(sampling, scales); factor && sizes.empty() && axes.size() == 4) {
    const NodeId y = importer.add(
        "upsample", {importer.node(x, channels_last(4))},
        {{"factor", *factor}, {"mode", std::string(sampling.mode == "nearest" ? "nearest" : "bilinear")}});
    return {importer.value(y, x.type, channels_last(4))};
  }
  Order order;
  NodeId node = importer.any_order(x, order);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Dim extent = x.shape[axes[i]];
    const bool stays =
        sizes.empty() ? scales.at(i) == 1 : sizes.at(i) == unchanged || extent.is_number(sizes.at(i));
    if (stays && sampling.coordinates != "tf_crop_and_resize") continue;
    if (!extent.is_number()) {
      if (stays) continue;
      throw Unsupported("the size of the images is not known: give it with --shape");
    }
    const std::int64_t out =
        sizes.empty() ? static_cast<std::int64_t>(std::floor(static_cast<double>(extent.offset) * scales[i]))
                      : sizes[i];
    const double scale =
        scales.size() > i ? scales[i] : static_cast<double>(out) / static_cast<double>(extent.offset);
    const double begin = regions.size() == 2 * axes.size() ? regions[i] : 0;
    const double end = regions.size() == 2 * axes.size() ? regions[i + axes.size()] : 1;
    node = resized_axis(importer, node, place_of(order, axes[i]), sampling, out, scale, begin, end);
  }
  return {importer.value(node, x.type, order)};
}

constexpr ImportedOp table[] = {
    {"Conv", convolution},         {"ConvTranspose", transposed_convolution},
    {"MaxPool", max_pool},         {"AveragePool", average_pool},
    {"LpPool", norm_pool},         {"GlobalAveragePool", global_average},
    {"GlobalMaxPool", global_max}, {"Resize", resize},
    {"Upsample", resize},
};

}  // namespace

std::span<const ImportedOp> image_imports() {
  return table;
}

}  // namespace graphrun::onnx
