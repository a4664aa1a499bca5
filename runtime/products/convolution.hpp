/// \file
/// Convolutions behind a small interface, as matrix products are in matmul.hpp. Images are [height, width,
/// channels] one after the other, weights [kernel height, kernel width, channels, output channels]; all f32
/// (or what is read bf16), dense row-major. With y[h, w, o] = sum over i, j, c of x[h s - p + i d, w s - p +
/// j d, c] · k[i, j, c, o], and x zero outside of the image, three products of two of x, k and y are of use:
/// each is the gradient of another. In groups, as many output channels as there are in a group see the
/// channels of theirs alone, and c counts within it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "graph/window.hpp"

namespace graphrun::runtime {

enum class ConvolutionKind : std::uint8_t {
  forward,         ///< x, k -> y
  image_gradient,  ///< y, k -> x
  weight_gradient  ///< x, y -> k, summed over the images in their order
};

struct ConvolutionSpec {
  ConvolutionKind kind = ConvolutionKind::forward;
  std::int64_t height = 1;  ///< of an image x
  std::int64_t width = 1;
  std::int64_t channels = 1;
  std::int64_t output_height = 1;  ///< of an image y: as many windows as fit
  std::int64_t output_width = 1;
  std::int64_t output_channels = 1;
  Window window;            ///< margins are zeros
  std::int64_t groups = 1;  ///< divides both numbers of channels; weights have channels / groups
  std::int64_t images = 1;  ///< weight_gradient: how many; the others take any number at each run
  bool bf16 = false;        ///< both operands are bf16; the output and its sums are f32
};

/// "a convolution of [28, 28, 1] with [3, 3, 1, 16]".
std::string to_string(const ConvolutionSpec& spec);

/// The elements of the weights.
std::int64_t weight_count(const ConvolutionSpec& spec);

struct ConvolutionArguments {
  const std::byte* images = nullptr;  ///< x, or y for image_gradient; f32 or bf16, as the spec says
  const std::byte* other = nullptr;   ///< k, or y for weight_gradient
  float* output = nullptr;
  std::byte* scratch = nullptr;  ///< scratch_bytes() of it, 64-byte aligned, private to this call
  std::int64_t count = 0;        ///< of images; for weight_gradient as many as its spec says
};

/// A convolution ready to run in one place at a time: holds what a run changes. Allocates nothing of its own.
class BoundConvolution {
 public:
  virtual ~BoundConvolution() = default;
  /// False when the provider failed (out of memory).
  virtual bool run(const ConvolutionArguments& arguments) noexcept = 0;
};

/// A compiled convolution. Immutable; may be bound many times and from several threads. The bits of an image
/// depend neither on its place nor on the number of images.
class Convolution {
 public:
  virtual ~Convolution() = default;
  virtual std::unique_ptr<BoundConvolution> bind() const = 0;
  virtual std::size_t scratch_bytes() const = 0;
  virtual const std::string& implementation() const = 0;  ///< its name, as the provider calls it
};

}  // namespace graphrun::runtime
