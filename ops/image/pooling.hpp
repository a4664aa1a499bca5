/// \file
/// What pooling ops and their gradients share: windows cut off at the margin of the image, so that no window
/// looks at padding, and loops over them that run side by side along the channels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>

#include "ops/image/image_geometry.hpp"
#include "ops/isa_dispatch.hpp"
#include "ops/op.hpp"
#include "ops/rows.hpp"

namespace graphrun::ops {

struct PoolGeometry {
  PoolGeometry(const Extents& images, const Window& given)
      : height(images[1]),
        width(images[2]),
        channels(images[3]),
        rows(window_count(given.vertical, height)),
        columns(window_count(given.horizontal, width)),
        window(given) {}

  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
  std::int64_t rows;  ///< windows above each other
  std::int64_t columns;
  Window window;

  /// Whether windows of 2 x 2 pixels cover each image, every pixel by one.
  bool are_fours() const { return covers(window.vertical, height) && covers(window.horizontal, width); }
  static bool covers(const WindowAxis& axis, std::int64_t extent) {
    return axis.kernel == 2 && axis.stride == 2 && axis.before == 0 && axis.dilation == 1 && extent % 2 == 0;
  }

  std::int64_t image() const { return height * width * channels; }
  std::int64_t pooled() const { return rows * columns * channels; }
};

/// Every `step`-th pixel of a range along one axis: the part of a window that lies in the image, never empty.
struct PixelRange {
  std::int64_t begin;
  std::int64_t end;
  std::int64_t step;

  std::int64_t count() const { return (end - begin + step - 1) / step; }
};
[[gnu::always_inline]] inline PixelRange pixels(std::int64_t index, const WindowAxis& axis,
                                                std::int64_t extent) {
  const std::int64_t first = index * axis.stride - axis.before;
  const std::int64_t end = first + (axis.kernel - 1) * axis.dilation + 1;
  const std::int64_t skipped = first < 0 ? (axis.dilation - 1 - first) / axis.dilation : 0;
  return {first + skipped * axis.dilation, end < extent ? end : extent, axis.dilation};
}

struct PoolArguments {
  const float* a;          ///< what is seen first: images, or a cotangent
  const float* b;          ///< a second operand, if there is one
  const float* direction;  ///< one number a channel, of a directed body
  float* y;
  std::int64_t images;
  const PoolGeometry* geometry;
};

/// Body: `static void window(const PoolGeometry&, PixelRange rows, PixelRange columns, a, b, direction, y)`,
/// called with each operand at its image when it has the images' shape (`Body::image_a`, …), else at its
/// window. A result of the images' shape begins as zeros, and the windows add to it in their order, unless
/// the body says that it writes every pixel (`Body::writes_all`).
/// `Body::run_at_once(arguments)`, if there is one, may do all of it in another way, and then says true.
template <class Body>
struct PoolLoop {
  [[gnu::always_inline]] static void run(const PoolArguments& arguments) noexcept {
    const PoolGeometry& g = *arguments.geometry;
    if constexpr (requires { Body::run_at_once(arguments); }) {
      if (Body::run_at_once(arguments)) return;
    }
    for (std::int64_t n = 0; n < arguments.images; ++n) {
      const float* a = arguments.a + n * (Body::image_a ? g.image() : g.pooled());
      const float* b = arguments.b + n * (Body::image_b ? g.image() : g.pooled());
      float* y = arguments.y + n * (Body::image_y ? g.image() : g.pooled());
      if constexpr (Body::image_y) {
        if (!Body::writes_all(g)) std::fill_n(y, g.image(), 0.0F);
      }
      for (std::int64_t row = 0; row < g.rows; ++row) {
        const PixelRange high = pixels(row, g.window.vertical, g.height);
        for (std::int64_t column = 0; column < g.columns; ++column) {
          Body::window(g, high, pixels(column, g.window.horizontal, g.width), a, b, arguments.direction, y);
          if (!Body::image_a) a += g.channels;
          if (!Body::image_b) b += g.channels;
          if (!Body::image_y) y += g.channels;
        }
      }
    }
  }
};

template <class Body>
constexpr bool is_directed() {
  if constexpr (requires { Body::directed; }) return Body::directed;
  return false;
}

/// Each image is seen once, or twice where something is picked from it or added to it.
template <class Body>
Cost pooling_cost(const CostContext& context) {
  const auto images = static_cast<double>(element_count(Body::image_a ? context.inputs[0] : context.output));
  const auto pooled =
      static_cast<double>(element_count(Body::image_y ? context.inputs.back() : context.output));
  const double times = Body::image_y || context.inputs.size() > (is_directed<Body>() ? 2 : 1) ? 2 : 1;
  return {times * images, 4 * (times * images + pooled)};
}

/// The second operand is read when there is one; of a directed body the directions come before it.
template <class Body>
std::unique_ptr<runtime::Call> make_pooling(const runtime::BoundNode& bound) {
  const PoolGeometry geometry(Body::image_a ? bound.inputs[0] : bound.output,
                              pooling_window(bound.node.attributes));
  const auto function = IsaLoops<PoolLoop<Body>, PoolArguments>::select(bound.isa);
  return runtime::make_call([function, geometry](const runtime::CallArguments& a) {
    constexpr std::size_t second = is_directed<Body>() ? 2 : 1;
    function({input_as<float>(a, 0), input_as<float>(a, a.inputs.size() > second ? second : 0),
              is_directed<Body>() ? input_as<float>(a, 1) : nullptr, output_as<float>(a), a.row_count,
              &geometry});
  });
}

/// The shape of one value a window and channel. Throws an OpError when a window could see no pixel at all.
inline Shape windows_over(const Shape& images, const Attributes& attributes) {
  const Window window = pooling_window(attributes);
  require_pixels(window.vertical, images[1].offset);
  require_pixels(window.horizontal, images[2].offset);
  return pooled_shape(images, window);
}

/// Images to one value a window and channel.
inline Type infer_pooled(const InferContext& context) {
  require_images(context.inputs[0], "x");
  return {DType::f32, windows_over(context.inputs[0].shape, context.attributes)};
}

/// Axes of images and, the second input, of a number a channel.
std::vector<AxisMap> directed_axes(const AxesContext& context);

/// An op on windows from its Body and what its file says of its meaning.
template <class Body>
Op pooling(OpDef op) {
  const std::vector<AttributeDeclaration> window = pooling_attributes();
  op.attributes.insert(op.attributes.begin(), window.begin(), window.end());
  op.axes = is_directed<Body>() ? directed_axes : image_axes;
  op.cost = pooling_cost<Body>;
  return {std::move(op), {.make = make_pooling<Body>}};
}

/// For references: calls body(window, pixels) for each window and channel of so many images, where `window`
/// is its place in the pooled tensor and pixels(f) calls f(place in the images) for each of its pixels, in
/// order.
template <class Function>
void for_each_window(const PoolGeometry& g, std::int64_t images, Function body) {
  std::int64_t window = 0;
  for (std::int64_t n = 0; n < images; ++n) {
    for (std::int64_t row = 0; row < g.rows; ++row) {
      const PixelRange high = pixels(row, g.window.vertical, g.height);
      for (std::int64_t column = 0; column < g.columns; ++column) {
        const PixelRange wide = pixels(column, g.window.horizontal, g.width);
        for (std::int64_t c = 0; c < g.channels; ++c, ++window) {
          body(static_cast<std::size_t>(window), [&](auto visit) {
            for (std::int64_t h = high.begin; h < high.end; h += high.step) {
              for (std::int64_t w = wide.begin; w < wide.end; w += wide.step) {
                visit(static_cast<std::size_t>(((n * g.height + h) * g.width + w) * g.channels + c));
              }
            }
          });
        }
      }
    }
  }
}
/// The same of a pooling node, for these images.
template <class Function>
void for_each_window(const Node& node, const Extents& images, Function body) {
  for_each_window(PoolGeometry(images, pooling_window(node.attributes)), images[0], body);
}

/// The place of the first of the largest pixels of a window; a NaN is larger than all.
template <class Pixels>
std::size_t largest_pixel(const std::vector<double>& x, Pixels pixels) {
  std::size_t best = 0;
  bool first = true;
  pixels([&](std::size_t i) {
    if (first || x[i] > x[best] || (x[i] != x[i] && x[best] == x[best])) best = i;
    first = false;
  });
  return best;
}

/// Channels worked on side by side by kernels that keep something for each of them.
inline constexpr std::int64_t most_channels = 64;

}  // namespace graphrun::ops
