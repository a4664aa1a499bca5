/// \file
/// What a convolution and its two gradients share: x [n, height, width, in], k [kernel height, kernel width,
/// in, out] and y [n, rows, columns, out], each of which is a product of the other two, their meaning in f64,
/// and their kernel.
#pragma once

#include <memory>

#include "ops/image/image_geometry.hpp"
#include "runtime/kernels/kernel.hpp"
#include "runtime/products/convolution.hpp"

namespace graphrun::ops {

/// A product of x, k and y of these extents, by the attributes stride and pad.
runtime::ConvolutionSpec convolution_spec(runtime::ConvolutionKind kind, const Extents& x, const Extents& k,
                                          const Extents& y, const Attributes& attributes);

/// The window of weights of this shape. Throws an OpError when they are not f32[number x 4].
Window convolution_window(const Type& weights, const Attributes& attributes);

/// Throws an OpError unless the images have the channels that the weights are for.
void require_channels(const Shape& images, Dim channels, const Shape& weights);

/// Calls product(i, j, l) for each product x[i] · k[j] that is a part of y[l], in the order of y.
template <class Function>
void for_each_tap(const runtime::ConvolutionSpec& s, std::int64_t images, Function product) {
  std::int64_t y = 0;
  for (std::int64_t n = 0; n < images; ++n) {
    for (std::int64_t row = 0; row < s.output_height; ++row) {
      for (std::int64_t column = 0; column < s.output_width; ++column, y += s.output_channels) {
        for (std::int64_t i = 0; i < s.kernel_height; ++i) {
          const std::int64_t h = row * s.stride - s.pad + i;
          if (h < 0 || h >= s.height) continue;
          for (std::int64_t j = 0; j < s.kernel_width; ++j) {
            const std::int64_t w = column * s.stride - s.pad + j;
            if (w < 0 || w >= s.width) continue;
            for (std::int64_t c = 0; c < s.channels; ++c) {
              const std::int64_t x = ((n * s.height + h) * s.width + w) * s.channels + c;
              const std::int64_t k = ((i * s.kernel_width + j) * s.channels + c) * s.output_channels;
              for (std::int64_t o = 0; o < s.output_channels; ++o) {
                product(static_cast<std::size_t>(x), static_cast<std::size_t>(k + o),
                        static_cast<std::size_t>(y + o));
              }
            }
          }
        }
      }
    }
  }
}

/// Two FLOP for each product, those with the margin included.
Cost convolution_cost(const CostContext& context, const Extents& y, const Extents& k);

/// The kernel of `spec`, by the provider. The inputs are as in runtime::ConvolutionArguments.
std::unique_ptr<runtime::Call> make_convolution(const runtime::ConvolutionSpec& spec);

}  // namespace graphrun::ops
