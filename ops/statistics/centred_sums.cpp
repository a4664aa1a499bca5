#include <fmt/format.h>

#include "ops/declaration.hpp"
#include "ops/rows.hpp"
#include "ops/statistics/channel_sums.hpp"
#include "ops/statistics/parts.hpp"
#include "ops/vjp.hpp"

namespace graphrun::ops {
namespace {

Type infer(const InferContext& context) {
  const Type& g = context.inputs[0];
  require_f32(g, "g");
  if (g.shape.size() < 3 || context.inputs[1] != g || context.inputs[2].shape != Shape{g.shape.back()}) {
    throw OpError(fmt::format("g and x must be alike, [n, ..., c], and centre [c], but are {}, {} and {}",
                              to_string(g), to_string(context.inputs[1]), to_string(context.inputs[2])));
  }
  require_f32(context.inputs[2], "centre");
  return {DType::f32, {g.shape.front(), Dim::number(2), g.shape.back()}};
}

std::vector<AxisMap> axes(const AxesContext& context) {
  AxisMap map(context.inputs[0].shape.size(), contracted);
  map.front() = 0;
  map.back() = 2;
  return {map, map, {2}};
}

void reference(const ReferenceContext& context) {
  const ChannelLayout layout(context.inputs[0]->extents);
  const std::vector<double>& g = context.inputs[0]->values;
  const std::vector<double>& x = context.inputs[1]->values;
  for (std::size_t i = 0; i < g.size(); ++i) {
    const std::size_t c = i % layout.channels;
    const std::size_t sum = i / layout.row() * 2 * layout.channels + c;
    context.output.values[sum] += g[i];
    context.output.values[sum + layout.channels] += g[i] * (x[i] - context.inputs[2]->values[c]);
  }
}

/// What came for a row of pairs, for each of its pixels.
Term spread(const Term& pairs, std::int64_t i, const Shape& images) {
  Shape one_pixel(images.size(), Dim::number(1));
  one_pixel.front() = images.front();
  one_pixel.back() = images.back();
  const Term half = call("slice", {pairs}, {{"axis", 1}, {"start", i}, {"stop", i + 1}});
  return call("reshape", {half}, {{"shape", one_pixel}});
}

Gradients vjp(VjpContext& context) {
  const VjpTerms t(context);
  const Shape& images = t.x().type().shape;
  const Term of_sum = spread(t.g, 0, images);
  const Term of_products = spread(t.g, 1, images);
  return wanted_gradients(
      context, [&] { return of_sum + of_products * (t.x(1) - t.x(2)); }, [&] { return of_products * t.x(0); },
      [&] { return -(of_products * t.x(0)); });
}

struct Arguments {
  const float* g;
  const float* x;
  const float* centre;
  float* y;
  std::size_t rows;
  const ChannelLayout* layout;
};

template <std::size_t lanes>
struct Sums {
  Channels<lanes> plain;
  Channels<lanes> centred;
};

struct Body {
  template <std::size_t lanes>
  [[gnu::always_inline]] static Sums<lanes> sums(const Arguments& a, std::size_t place, std::size_t first,
                                                 std::size_t count) {
    const std::size_t stride = a.layout->channels;
    const float* const g = a.g + place;
    const float* const x = a.x + place;
    const Channels<lanes> centre = load_channels<lanes>(a.centre + first, count);
    // Four sums side by side of each kind, in one pass.
    Channels<lanes> plain[4] = {};
    Channels<lanes> centred[4] = {};
    std::size_t i = 0;
    for (; i + 4 <= a.layout->pixels; i += 4) {
      for (std::size_t lane = 0; lane < 4; ++lane) {
        const Channels<lanes> slope = load_channels<lanes>(g + (i + lane) * stride, count);
        plain[lane] += slope;
        centred[lane] += slope * (load_channels<lanes>(x + (i + lane) * stride, count) - centre);
      }
    }
    for (; i < a.layout->pixels; ++i) {
      const Channels<lanes> slope = load_channels<lanes>(g + i * stride, count);
      plain[0] += slope;
      centred[0] += slope * (load_channels<lanes>(x + i * stride, count) - centre);
    }
    return {(plain[0] + plain[1]) + (plain[2] + plain[3]),
            (centred[0] + centred[1]) + (centred[2] + centred[3])};
  }

  template <std::size_t lanes>
  [[gnu::always_inline]] static void run(const Arguments& a) noexcept {
    const ChannelLayout& layout = *a.layout;
    for (std::size_t row = 0; row < a.rows; ++row) {
      float* const y = a.y + row * 2 * layout.channels;
      for (std::size_t next = 0; next < layout.channels; next += channel_lanes) {
        const std::size_t first = vector_with(next, layout.channels);
        const std::size_t count = std::min(channel_lanes, layout.channels - first);
        const std::size_t place = row * layout.row() + first;
        const Sums<lanes> found = count == channel_lanes ? sums<lanes>(a, place, first, channel_lanes)
                                                         : sums<lanes>(a, place, first, count);
        store_channels(found.plain, y + first, count);
        store_channels(found.centred, y + layout.channels + first, count);
      }
    }
  }
};

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  return runtime::make_call(
      [layout = ChannelLayout(bound.inputs[0]),
       function = IsaLoops<Body, Arguments>::select(bound.isa)](const runtime::CallArguments& a) {
        function({input_as<float>(a, 0), input_as<float>(a, 1), input_as<float>(a, 2), output_as<float>(a),
                  static_cast<std::size_t>(a.row_count), &layout});
      });
}

}  // namespace

Op centred_sums() {
  OpDef op;
  op.name = "centred_sums";
  op.doc = "Of cotangents of normalised images, what shifts and scales get: two sums a row and channel.";
  op.formula = "y[n, 0] = sum of g[n], y[n, 1] = sum of g[n] (x[n] - centre)";
  op.shapes = "[n, ..., c], [n, ..., c], [c] -> [n, 2, c]";
  op.inputs = {{"g", "cotangents"}, {"x", "images"}, {"centre", "one number a channel"}};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = vjp;
  op.cost = [](const CostContext& context) {
    const auto count = static_cast<double>(element_count(context.inputs[0]));
    return Cost{4 * count, 8 * count};
  };
  op.internal = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
