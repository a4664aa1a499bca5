// Images sampled at places that are given: a grid of coordinates from -1 to 1.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "onnx/import/importer.hpp"
#include "onnx/import/ops/imported_ops.hpp"

namespace graphrun::onnx {

namespace {

std::int64_t fixed(const Dim& dim) {
  if (!dim.is_number()) throw Unsupported("the size of the images is not known: give it with --shape");
  return dim.offset;
}

struct Sampling {
  std::string mode;
  std::string padding;
  bool align_corners;
};

/// What a sample takes of one axis: pixels by their number, and how much of each.
struct Tap {
  Term pixel;
  Term weight;
};

/// Mirrored at both ends as often as it takes.
Term mirrored(Term x, double low, double high) {
  const double span = high - low;
  if (span == 0) return x * 0.0 + low;
  const Term far = apply("mod", apply("abs", x - low), 2 * span);
  return choose(apply("greater", far, span), 2 * span - far, far) + low;
}

/// Of a pixel of the axis, or outside of it.
Tap inside(Tap tap, const Sampling& sampling, std::int64_t extent) {
  const auto last = static_cast<double>(extent - 1);
  const double margin = sampling.align_corners ? 0 : 0.5;
  if (sampling.padding == "zeros") {
    const Term counts = apply("greater_equal", tap.pixel, 0.0) * apply("less_equal", tap.pixel, last);
    tap.weight = choose(counts, tap.weight, tap.weight.with(tap.weight.importer->number(0)));
  } else if (sampling.padding == "reflection") {
    tap.pixel = mirrored(tap.pixel, -margin, last + margin);
  }
  Importer& importer = *tap.pixel.importer;
  tap.pixel = tap.pixel.with(importer.add("clip", {tap.pixel.id}, {{"low", 0.0}, {"high", last}}));
  return tap;
}

/// The cubic convolution of R. Keys (1981), with a = -0.75: weights of the pixels from one before to two
/// behind.
std::array<Term, 4> cubic_weights(Term t) {
  constexpr double a = -0.75;
  const auto near = [](Term x) { return ((x * (a + 2)) - (a + 3)) * x * x + 1.0; };
  const auto far = [](Term x) { return ((x * a - 5 * a) * x + 8 * a) * x - 4 * a; };
  return {far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)};
}

std::vector<Tap> taps_of(Term coordinate, const Sampling& sampling, std::int64_t extent) {
  const auto size = static_cast<double>(extent);
  const double margin = sampling.align_corners ? 0 : 0.5;
  Term x = sampling.align_corners ? (coordinate + 1.0) * ((size - 1) / 2)
                                  : ((coordinate + 1.0) * size - 1.0) / 2.0;
  if (sampling.padding == "reflection") x = mirrored(x, -margin, size - 1 + margin);
  const Term one = x.with(x.importer->number(1));
  std::vector<Tap> taps;
  if (sampling.mode == "nearest") {
    taps = {{rounded(x), one}};
  } else {
    const Term first = x.with(x.importer->floor(x.id));
    const Term rest = x - first;
    if (sampling.mode == "linear" || sampling.mode == "bilinear") {
      taps = {{first, 1.0 - rest}, {first + 1.0, rest}};
    } else if (sampling.mode == "cubic" || sampling.mode == "bicubic") {
      const std::array<Term, 4> weights = cubic_weights(rest);
      for (std::size_t i = 0; i < 4; ++i) taps.push_back({first + (static_cast<double>(i) - 1), weights[i]});
    } else {
      throw Unsupported(fmt::format("sampling that is {}", sampling.mode));
    }
  }
  for (Tap& tap : taps) tap = inside(tap, sampling, extent);
  return taps;
}

/// Pixels [n, pixels, channels] at places [n, samples].
Term looked_up(Importer& importer, NodeId pixels, Term place) {
  const Shape& table = importer.type(pixels).shape;
  const Shape& places = importer.type(place.id).shape;
  const NodeId column = importer.reshape(place.id, {places[0], places[1], Dim::number(1)});
  const NodeId all = importer.broadcast(column, {places[0], places[1], table[2]});
  const NodeId index = importer.add("cast", {all}, {{"dtype", std::string("i32")}});
  return place.with(importer.add("gather_elements", {pixels, index}, {{"axis", std::int64_t{1}}}));
}

Results grid_sample(Importer& importer, const Call& call) {
  const Value& x = call.input(0);
  const Value& grid = call.input(1);
  const std::size_t sides = x.rank() - 2;
  if (x.rank() < 3 || grid.rank() != x.rank() ||
      !grid.shape.back().is_number(static_cast<std::int64_t>(sides)))
    throw Unsupported("a grid of other axes");
  if (grid.shape[0] != x.shape[0]) throw Unsupported("grids of another number of images");
  const Sampling sampling = {call.text("mode", "linear"), call.text("padding_mode", "zeros"),
                             call.integer("align_corners", 0) != 0};
  std::int64_t pixels = 1;
  std::int64_t samples = 1;
  for (std::size_t side = 0; side < sides; ++side) {
    pixels = checked_multiply(pixels, fixed(x.shape[2 + side]));
    samples = checked_multiply(samples, fixed(grid.shape[1 + side]));
  }
  const NodeId images = importer.node(x, channels_last(x.rank()));
  const NodeId table = importer.reshape(images, {x.shape[0], Dim::number(pixels), x.shape[1]});
  const NodeId places = importer.reshape(
      importer.node(grid), {x.shape[0], Dim::number(samples), Dim::number(static_cast<std::int64_t>(sides))});
  std::vector<Tap> taps;
  taps.push_back({{&importer, importer.number(0)}, {&importer, importer.number(1)}});
  for (std::size_t side = 0; side < sides; ++side) {
    const auto at = static_cast<std::int64_t>(sides - 1 - side);  // a grid names the last axis first
    const NodeId coordinate =
        importer.reshape(importer.sliced(places, 2, at, at + 1), {x.shape[0], Dim::number(samples)});
    const std::int64_t extent = fixed(x.shape[2 + side]);
    std::vector<Tap> both;
    for (const Tap& tap : taps)
      for (const Tap& more : taps_of({&importer, coordinate}, sampling, extent))
        both.push_back({tap.pixel * static_cast<double>(extent) + more.pixel, tap.weight * more.weight});
    taps = std::move(both);
  }
  std::optional<Term> sum;
  for (const Tap& tap : taps) {
    const Term weight = tap.weight.with(
        importer.reshape(importer.broadcast(tap.weight.id, {x.shape[0], Dim::number(samples)}),
                         {x.shape[0], Dim::number(samples), Dim::number(1)}));
    const Term part = looked_up(importer, table, tap.pixel) * weight;
    sum = sum ? *sum + part : part;
  }
  Shape shape(grid.shape.begin(), grid.shape.end() - 1);
  shape.push_back(x.shape[1]);
  return {importer.value(importer.reshape(sum->id, shape), x.type, channels_last(x.rank()))};
}

/// Coordinates of an axis: from edge to edge, or from centre to centre of the outermost pixels.
double coordinate(std::int64_t i, std::int64_t extent, bool align_corners) {
  if (!align_corners) return static_cast<double>(2 * i + 1) / static_cast<double>(extent) - 1;
  return extent == 1 ? 0 : 2 * static_cast<double>(i) / static_cast<double>(extent - 1) - 1;
}

/// The grid of an affine map [n, sides, sides + 1].
Results affine_grid(Importer& importer, const Call& call) {
  const Value& theta = call.input(0);
  std::vector<std::int64_t> size = call.integers(1);
  if (size.size() < 3 || theta.rank() != 3) throw Unsupported("a grid of other axes");
  size.erase(size.begin(), size.begin() + 2);
  const std::int64_t count = element_count(size);
  if (count < 1 || count > Importer::most_indices)
    throw Unsupported(fmt::format("a grid of {} places", count));
  const auto sides = static_cast<std::int64_t>(size.size());
  std::vector<double> places;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t rest = i;
    for (std::size_t side = size.size(); side-- > 0;) {
      places.push_back(coordinate(rest % size[side], size[side], call.integer("align_corners", 0) != 0));
      rest /= size[side];
    }
    places.push_back(1);
  }
  const NodeId base = importer.constant(std::move(places), {count, sides + 1});
  const NodeId y = importer.product(base, importer.node(theta), false, true);
  Shape shape = {theta.shape[0]};
  for (const std::int64_t extent : size) shape.push_back(Dim::number(extent));
  shape.push_back(Dim::number(sides));
  return {importer.value(importer.reshape(y, shape), theta.type)};
}

constexpr ImportedOp table[] = {{"AffineGrid", affine_grid}, {"GridSample", grid_sample}};

}  // namespace

std::span<const ImportedOp> grid_imports() {
  return table;
}

}  // namespace graphrun::onnx
