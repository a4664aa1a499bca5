#include "ops/image/normalised_pool_gradient.hpp"

#include <fmt/format.h>

#include "ops/image/max_pool_bodies.hpp"

namespace graphrun::ops {
namespace {

PoolGeometry geometry_of(const Extents& images) {
  constexpr WindowAxis two{.kernel = 2, .stride = 2};
  return {images, {two, two}};
}

bool is_even(Dim dim) {
  return dim.offset % 2 == 0;
}

Shape half(const Shape& images) {
  return {images[0], Dim::number(images[1].offset / 2), Dim::number(images[2].offset / 2), images[3]};
}

Type infer(const InferContext& context) {
  const Type& x = context.inputs[0];
  require_images(x, "x");
  if (!is_even(x.shape[1]) || !is_even(x.shape[2]))
    throw OpError(fmt::format("windows of 2 x 2 do not cover x, {}", to_string(x.shape)), {}, "x");
  require_directions(context);
  require_cotangent(context.inputs[2], half(x.shape));
  const Type channels{DType::f32, {x.shape.back()}};
  const char* const names[] = {"centre", "scale", "shift"};
  for (std::size_t i = 0; i < 3; ++i) {
    if (context.inputs[3 + i] == channels) continue;
    throw OpError(fmt::format("{} must be one number a channel, {}, but is {}", names[i],
                              to_string(channels.shape), to_string(context.inputs[3 + i].shape)),
                  {}, names[i]);
  }
  return x;
}

std::vector<AxisMap> axes(const AxesContext& context) {
  std::vector<AxisMap> axes = image_axes(context);
  for (const std::size_t i : {1U, 3U, 4U, 5U}) axes[i] = {3};
  return axes;
}

void reference(const ReferenceContext& context) {
  const auto values = [&](std::size_t i) -> const std::vector<double>& { return context.inputs[i]->values; };
  const HostTensor compared = turned_images(*context.inputs[0], *context.inputs[1]);
  const PoolGeometry geometry = geometry_of(compared.extents);
  std::vector<double>& y = context.output.values;
  for_each_window(geometry, compared.extents[0], [&](std::size_t window, auto pixels) {
    y[largest_pixel(compared.values, pixels)] += values(2)[window];
  });
  const std::size_t channels = values(3).size();
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t c = i % channels;
    y[i] += (values(0)[i] - values(3)[c]) * values(4)[c] + values(5)[c];
  }
}

// ---- Kernel ----

struct Arguments {
  const float* x;
  const float* direction;
  const float* g;
  const float* centre;
  const float* scale;
  const float* shift;
  float* y;
  std::int64_t images;
  const PoolGeometry* geometry;
};

struct Body {
  [[gnu::always_inline]] static void run(const Arguments& a) noexcept {
    const std::int64_t channels = a.geometry->channels;
    if (channels % fixed_channels == 0)
      windows(a, fixed_channels);
    else
      windows(a, channels);
  }

 private:
  [[gnu::always_inline]] static void windows(const Arguments& a, std::int64_t at_once) noexcept {
    for_each_four(
        *a.geometry, a.images, at_once,
        [&](std::int64_t first, std::int64_t window, std::int64_t channel)
            __attribute__((always_inline)) { of_four(a, at_once, first, window, channel); });
  }

  [[gnu::always_inline]] static void of_four(const Arguments& a, std::int64_t count, std::int64_t first,
                                             std::int64_t window, std::int64_t channel) noexcept {
    const std::array<const float*, 4> x = four_from(*a.geometry, a.x + first);
    bring_four(x, count);
    const auto [y_a, y_b, y_c, y_d] = four_from(*a.geometry, a.y + first);
    const float* const g = a.g + window;
    const float* const direction = a.direction + channel;
    const float* const centre = a.centre + channel;
    const float* const scale = a.scale + channel;
    const float* const shift = a.shift + channel;
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
      // Where extreme_pool_gradient adds a -0, it makes a 0 of it.
      const FourShares share = shares_of_four<true>(x, direction, i, g[i] + 0.0F);
      y_a[i] = share[0] + ((x[0][i] - centre[i]) * scale[i] + shift[i]);
      y_b[i] = share[1] + ((x[1][i] - centre[i]) * scale[i] + shift[i]);
      y_c[i] = share[2] + ((x[2][i] - centre[i]) * scale[i] + shift[i]);
      y_d[i] = share[3] + ((x[3][i] - centre[i]) * scale[i] + shift[i]);
    }
  }
};

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  const auto function = IsaLoops<Body, Arguments>::select(bound.isa);
  return runtime::make_call(
      [function, geometry = geometry_of(bound.output)](const runtime::CallArguments& a) {
        const auto input = [&](std::size_t i) { return input_as<float>(a, i); };
        function({input(0), input(1), input(2), input(3), input(4), input(5), output_as<float>(a),
                  a.row_count, &geometry});
      });
}

// ---- The rule ----

/// Whether a gradient's windows are 2 x 2 and cover its images, every pixel by one.
bool is_of_fours(const Node& gradient) {
  if (gradient.op->name != "extreme_pool_gradient") return false;
  const Shape& images = gradient.type.shape;
  const Window window = pooling_window(gradient.attributes);
  return PoolGeometry::covers(window.vertical, images[1].offset) &&
         PoolGeometry::covers(window.horizontal, images[2].offset);
}

/// Whether the same images are moved and scaled, by a number a channel each.
bool normalises(const Builder& builder, const Node& node, NodeId images) {
  if (node.op->name != "normalise" || node.inputs[0] != images || node.type != builder.type(images))
    return false;
  const Type channels{DType::f32, {node.type.shape.back()}};
  return std::all_of(node.inputs.begin() + 1, node.inputs.end(),
                     [&](NodeId input) { return builder.type(input) == channels; });
}

}  // namespace

std::optional<NodeId> as_normalised_pool_gradient(RuleContext& context) {
  Builder& builder = context.builder;
  for (const std::size_t i : {0U, 1U}) {
    const Node gradient = builder.node(context.node.inputs[i]);
    if (!is_of_fours(gradient)) continue;
    const Node moved = builder.node(context.node.inputs[1 - i]);
    if (!normalises(builder, moved, gradient.inputs[0])) continue;
    std::vector<NodeId> inputs = gradient.inputs;
    inputs.insert(inputs.end(), moved.inputs.begin() + 1, moved.inputs.end());
    return builder.add("normalised_pool_gradient", std::move(inputs), {},
                       {context.node.name, context.node.origin, {}});
  }
  return std::nullopt;
}

Op normalised_pool_gradient() {
  OpDef op;
  op.name = "normalised_pool_gradient";
  op.doc =
      "What images get that were normalised by moments of their own and then pooled by 2 x 2: "
      "extreme_pool_gradient and normalise of the same images, added. A rule of add makes it.";
  op.formula = "y[p] = (g[window] where the window took p, else 0) + (x[p] - centre) scale + shift";
  op.shapes = "[n, h, w, c], [c], [n, h / 2, w / 2, c], [c], [c], [c] -> [n, h, w, c]";
  op.inputs = {{"x", "images"},
               {"s", "one number a channel"},
               {"g", "one number a window and channel"},
               {"centre", "one number a channel"},
               {"scale", "one number a channel"},
               {"shift", "one number a channel"}};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = NotDifferentiable{"it is made of a sum after all gradients"};
  op.cost = [](const CostContext& context) {
    const auto pixels = static_cast<double>(element_count(context.output));
    return Cost{4 * pixels, 9 * pixels};
  };
  op.internal = true;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
