// Resizing: graphrun's own op where it is that, else along each axis a product with a matrix that is known.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

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
  if (sampling.coordinates == "align_corners") return out == 1 ? 0 : i * (in - 1) / (scale * in - 1);
  if (sampling.coordinates == "asymmetric") return i / scale;
  if (sampling.coordinates == "tf_crop_and_resize")
    return out > 1 ? begin * (in - 1) + i * (end - begin) * (in - 1) / (out - 1)
                   : 0.5 * (begin + end) * (in - 1);
  if (sampling.coordinates == "tf_half_pixel_for_nn") return (i + 0.5) / scale;
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
      if (sampling.excludes_outside && (place < 0 || place >= in)) weight = 0;
      if (counts)
        total += weight;
      else
        add(place, weight / total);
    }
  }
}

Sampling sampling_of(const Call& call, bool old) {
  Sampling sampling;
  sampling.mode = call.text("mode", "nearest");
  sampling.coordinates = call.text("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  sampling.nearest = call.text("nearest_mode", old ? "floor" : "round_prefer_floor");
  sampling.cubic = call.number("cubic_coeff_a", -0.75);
  sampling.excludes_outside = call.integer("exclude_outside", 0) != 0;
  sampling.antialiased = call.integer("antialias", 0) != 0 && sampling.mode != "nearest";
  sampling.extrapolation = call.number("extrapolation_value", 0);
  return sampling;
}

// ---- Which axes change, and how ----

struct Resized {
  std::size_t axis;
  std::int64_t in;
  std::int64_t out;
  double scale;
  double begin = 0;
  double end = 1;
};

/// The extents that are asked for along these axes.
std::vector<Dim> sizes_of(const Call& call, std::size_t axes) {
  const Value& sizes = call.input(3);
  if (!sizes.known || sizes.known->elements.size() != axes)
    throw Unsupported("a size that depends on what the model is given");
  return sizes.known->elements;
}

/// The one scale that keeps the aspect ratio.
double common_scale(const std::vector<Dim>& sizes, const std::vector<Dim>& extents, bool not_larger) {
  double common = not_larger ? std::numeric_limits<double>::max() : 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (!sizes[i].is_number() || !extents[i].is_number())
      throw Unsupported("a batch that keeps its aspect ratio");
    const double scale = static_cast<double>(sizes[i].offset) / static_cast<double>(extents[i].offset);
    common = not_larger ? std::min(common, scale) : std::max(common, scale);
  }
  return common;
}

std::vector<double> scales_of(const Call& call, bool old) {
  std::vector<double> scales = call.numbers(old ? 1 : 2).value_or(std::vector<double>{});
  if (call.op() == "Upsample" && call.has_attribute("scales"))
    for (const float scale : call.floats("scales")) scales.push_back(static_cast<double>(scale));
  return scales;
}

/// Throws Unsupported for a scale that makes no image of it, or is no number.
std::int64_t scaled_extent(std::int64_t in, double scale) {
  constexpr double most = 1 << 30;
  const double out = std::floor(static_cast<double>(in) * scale);
  if (!(out >= 1 && out <= most)) throw Unsupported(fmt::format("resizing {} by a scale of {}", in, scale));
  return static_cast<std::int64_t>(out);
}

/// All axes that do not stay as they are.
std::vector<Resized> resized_axes(const Call& call, bool old, bool crops) {
  const Value& x = call.input(0);
  std::vector<std::size_t> axes;
  for (const std::int64_t axis : call.list("axes")) axes.push_back(call.axis(axis, x.rank()));
  if (axes.empty()) axes = natural_order(x.rank());
  std::vector<Dim> extents;
  for (const std::size_t axis : axes) extents.push_back(x.shape[axis]);
  std::vector<double> scales = scales_of(call, old);
  std::vector<Dim> sizes;
  if (!old && call.has(3)) sizes = sizes_of(call, axes.size());
  if (!sizes.empty()) scales.clear();  // which follow from them
  if (sizes.empty() && scales.size() != axes.size())
    throw Unsupported("a size that depends on what the model is given");
  const std::string policy = call.text("keep_aspect_ratio_policy", "stretch");
  if (!sizes.empty() && policy != "stretch") {
    scales.assign(axes.size(), common_scale(sizes, extents, policy == "not_larger"));
    for (std::size_t i = 0; i < sizes.size(); ++i)
      sizes[i].offset =
          static_cast<std::int64_t>(std::round(scales[i] * static_cast<double>(extents[i].offset)));
  }
  const std::vector<double> regions =
      !old ? call.numbers(1).value_or(std::vector<double>{}) : std::vector<double>{};
  std::vector<Resized> changed;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const bool stays = sizes.empty() ? scales[i] == 1 : sizes[i] == extents[i];
    if (stays && (!crops || !extents[i].is_number())) continue;
    if (!extents[i].is_number() || (!sizes.empty() && !sizes[i].is_number()))
      throw Unsupported("the size of the images is not known: give it with --shape");
    Resized axis{axes[i], extents[i].offset, 0, 1};
    axis.out = sizes.empty() ? scaled_extent(axis.in, scales[i]) : sizes[i].offset;
    axis.scale = i < scales.size() ? scales[i] : static_cast<double>(axis.out) / static_cast<double>(axis.in);
    if (regions.size() == 2 * axes.size()) {
      axis.begin = regions[i];
      axis.end = regions[i + axes.size()];
    }
    changed.push_back(axis);
  }
  return changed;
}

NodeId resized_axis(Importer& importer, NodeId x, std::size_t axis, const Sampling& sampling,
                    const Resized& sizes) {
  const std::int64_t in = sizes.in;
  const std::int64_t out = sizes.out;
  if (out < 1 || out > 1 << 16 || in > 1 << 24 || in * out > 1 << 24)
    throw Unsupported(fmt::format("resizing {} to {}", in, out));
  std::vector<double> matrix;
  for (std::int64_t i = 0; i < out; ++i) {
    const double place =
        place_in_image(sampling, static_cast<double>(i), sizes.scale, static_cast<double>(out),
                       static_cast<double>(in), sizes.begin, sizes.end);
    const bool is_inside = place >= 0 && place <= static_cast<double>(in - 1);  // what is no number is not
    const bool is_outside = sampling.coordinates == "tf_crop_and_resize" && !is_inside;
    if (is_outside && sampling.extrapolation != 0) throw Unsupported("an extrapolation_value");
    std::vector<double> row(static_cast<std::size_t>(in), 0.0);
    if (!is_outside) add_weights(sampling, place, sizes.scale, row);
    matrix.insert(matrix.end(), row.begin(), row.end());
  }
  Order last;
  for (std::size_t i = 0; i < importer.type(x).shape.size(); ++i)
    if (i != axis) last.push_back(i);
  last.push_back(axis);
  const NodeId weights = importer.constant(std::move(matrix), {out, in});
  if (last.size() > 1)
    return importer.transpose(importer.product(importer.transpose(x, last), weights, false, true),
                              inverse(last));
  const NodeId row = importer.reshape(x, {Dim::number(1), Dim::number(in)});
  return importer.reshape(importer.product(row, weights, false, true), {Dim::number(out)});
}

// ---- graphrun's own ops ----

/// A resizing whose scale is what the sizes say: the op has no other.
bool has_its_scale(const Sampling& sampling, const Resized& axis) {
  const bool is_centred = sampling.coordinates == "half_pixel" || sampling.coordinates == "asymmetric" ||
                          sampling.coordinates == "align_corners" ||
                          (sampling.coordinates == "pytorch_half_pixel" && axis.out > 1);
  const double out = axis.scale * static_cast<double>(axis.in);
  return is_centred && std::abs(out - static_cast<double>(axis.out)) < 1e-6 * out;
}

/// Images that become `factor` times as large, as the op upsample does it.
std::optional<std::int64_t> upsampling_factor(const Sampling& sampling, const std::vector<Resized>& axes) {
  if (axes.size() != 2 || axes[0].out % axes[0].in != 0) return std::nullopt;
  const std::int64_t factor = axes[0].out / axes[0].in;
  if (factor < 2 || axes[1].out != checked_multiply(factor, axes[1].in)) return std::nullopt;
  const bool is_nearest = sampling.mode == "nearest";
  const bool repeats = sampling.coordinates == "asymmetric" && is_nearest && sampling.nearest == "floor";
  const bool is_even =
      sampling.coordinates == "half_pixel" && (!is_nearest || sampling.nearest.starts_with("round"));
  return repeats || is_even ? std::optional(factor) : std::nullopt;
}

std::string rounding_of(const Sampling& sampling) {
  if (sampling.nearest == "round_prefer_floor") return "half_down";
  return sampling.nearest == "round_prefer_ceil" ? "half_up" : sampling.nearest;
}

/// Images of another height and width, by the ops upsample and resize; nothing for what these have not.
std::optional<NodeId> resized_images(Importer& importer, const Value& x, const Sampling& sampling,
                                     const std::vector<Resized>& axes) {
  const bool is_known = sampling.mode == "nearest" || sampling.mode == "linear";
  if (x.rank() != 4 || !is_known || sampling.excludes_outside || sampling.antialiased) return std::nullopt;
  std::vector<std::int64_t> size = {x.shape[2].offset, x.shape[3].offset};
  if (!x.shape[2].is_number() || !x.shape[3].is_number()) return std::nullopt;
  for (const Resized& axis : axes) {
    if (axis.axis < 2 || !has_its_scale(sampling, axis)) return std::nullopt;
    size[axis.axis - 2] = axis.out;
  }
  const NodeId images = importer.node(x, channels_last(4));
  const bool is_nearest = sampling.mode == "nearest";
  if (const auto factor = upsampling_factor(sampling, axes))
    return importer.add("upsample", {images},
                        {{"factor", *factor}, {"mode", std::string(is_nearest ? "nearest" : "bilinear")}});
  const bool by_centres = sampling.coordinates == "pytorch_half_pixel";
  return importer.add("resize", {images},
                      {{"size", size},
                       {"mode", std::string(is_nearest ? "nearest" : "bilinear")},
                       {"coordinates", by_centres ? std::string("half_pixel") : sampling.coordinates},
                       {"rounding", rounding_of(sampling)}});
}

Results resize(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const bool old = call.opset() < 11 || call.op() == "Upsample";
  const Sampling sampling = sampling_of(call, old);
  const std::vector<Resized> axes = resized_axes(call, old, sampling.coordinates == "tf_crop_and_resize");
  if (axes.empty()) return {x};
  if (const std::optional<NodeId> y = resized_images(importer, x, sampling, axes))
    return {importer.value(*y, x.type, channels_last(4))};
  Order order;
  NodeId node = importer.any_order(x, order);
  for (const Resized& axis : axes)
    node = resized_axis(importer, node, place_of(order, axis.axis), sampling, axis);
  return {importer.value(node, x.type, order)};
}

constexpr ImportedOp table[] = {{"Resize", resize}, {"Upsample", resize}};

}  // namespace

std::span<const ImportedOp> resize_imports() {
  return table;
}

}  // namespace graphrun::onnx
