#include "runtime/products/few_channels_convolution.hpp"

#include <algorithm>

#include "runtime/machine/aligned.hpp"
#include "runtime/products/provider.hpp"

namespace graphrun::runtime {
namespace {

/// More fill the vectors of a library well enough.
constexpr std::int64_t most_channels = 4;

/// Of one image: [windows, taps and channels] = y [windows, output channels] · k transposed.
MatmulSpec product_of(const ConvolutionSpec& spec) {
  MatmulSpec product;
  product.rows = spec.output_height * spec.output_width;
  product.columns = weight_count(spec) / spec.output_channels;
  product.inner = spec.output_channels;
  product.transpose_b = true;
  return product;
}

struct Taps {
  std::int64_t begin;
  std::int64_t end;
};

/// The taps of window `index` that lie in the image.
Taps taps_inside(const WindowAxis& axis, std::int64_t index, std::int64_t extent) {
  const std::int64_t first = index * axis.stride - axis.before;
  return {std::max<std::int64_t>(0, -first), std::min(axis.kernel, extent - first)};
}

/// A row of taps. Four are the most frequent number, and one addition.
void add_taps(const float* __restrict taps, std::int64_t count, float* __restrict pixels) {
  if (count == 4) {
    for (std::int64_t k = 0; k < 4; ++k) pixels[k] += taps[k];
    return;
  }
  for (std::int64_t k = 0; k < count; ++k) pixels[k] += taps[k];
}

/// Adds the columns of the product to the pixels where they belong.
void add_windows(const ConvolutionSpec& spec, const float* product, float* image) {
  const auto& [vertical, horizontal] = spec.window;
  const std::int64_t row_of_taps = horizontal.kernel * spec.channels;
  const std::int64_t row_of_pixels = spec.width * spec.channels;
  std::fill_n(image, spec.height * row_of_pixels, 0.0F);
  for (std::int64_t row = 0; row < spec.output_height; ++row) {
    const Taps high = taps_inside(vertical, row, spec.height);
    for (std::int64_t column = 0; column < spec.output_width; ++column) {
      const Taps wide = taps_inside(horizontal, column, spec.width);
      const std::int64_t first = wide.begin * spec.channels;
      const std::int64_t count = (wide.end - wide.begin) * spec.channels;
      const std::int64_t left = (column * horizontal.stride - horizontal.before) * spec.channels;
      for (std::int64_t i = high.begin; i < high.end; ++i) {
        const std::int64_t h = row * vertical.stride - vertical.before + i;
        float* const pixels = image + h * row_of_pixels + left + first;
        const float* const taps = product + i * row_of_taps + first;
        add_taps(taps, count, pixels);
      }
      product += vertical.kernel * row_of_taps;
    }
  }
}

class FewChannelsConvolution final : public Convolution {
 public:
  explicit FewChannelsConvolution(const ConvolutionSpec& spec) : spec_(spec) {
    const MatmulSpec product = product_of(spec);
    product_ = product_provider(product, ProviderChoice::tiles, detected_isa()).make(product);
    windows_bytes_ = aligned_size(static_cast<std::size_t>(product.rows * product.columns) * sizeof(float));
    name_ = product_->implementation();
  }

  std::unique_ptr<BoundConvolution> bind() const override {
    return std::make_unique<Bound>(spec_, product_->bind(), windows_bytes_);
  }
  std::size_t scratch_bytes() const override { return windows_bytes_ + product_->scratch_bytes(); }
  const std::string& implementation() const override { return name_; }

 private:
  class Bound final : public BoundConvolution {
   public:
    Bound(const ConvolutionSpec& spec, std::unique_ptr<BoundMatmul> product, std::size_t windows_bytes)
        : spec_(spec), product_(std::move(product)), windows_bytes_(windows_bytes) {}

    bool run(const ConvolutionArguments& a) noexcept override {
      const std::int64_t seen = spec_.output_height * spec_.output_width * spec_.output_channels;
      const std::int64_t made = spec_.height * spec_.width * spec_.channels;
      auto* const windows = reinterpret_cast<float*>(a.scratch);
      for (std::int64_t image = 0; image < a.count; ++image) {
        MatmulArguments arguments;
        arguments.a = reinterpret_cast<const float*>(a.images) + image * seen;
        arguments.b = reinterpret_cast<const float*>(a.other);
        arguments.output = windows;
        arguments.scratch = a.scratch + windows_bytes_;
        if (!product_->run(arguments)) return false;
        add_windows(spec_, windows, a.output + image * made);
      }
      return true;
    }

   private:
    ConvolutionSpec spec_;
    std::unique_ptr<BoundMatmul> product_;
    std::size_t windows_bytes_;
  };

  ConvolutionSpec spec_;
  std::unique_ptr<Matmul> product_;
  std::size_t windows_bytes_ = 0;
  std::string name_;
};

}  // namespace

bool makes_few_channels(const ConvolutionSpec& spec) {
  return spec.kind == ConvolutionKind::image_gradient && spec.channels <= most_channels && spec.groups == 1 &&
         !spec.bf16 && spec.window.vertical.dilation == 1 && spec.window.horizontal.dilation == 1;
}

std::unique_ptr<Convolution> make_few_channels_convolution(const ConvolutionSpec& spec) {
  return std::make_unique<FewChannelsConvolution>(spec);
}

}  // namespace graphrun::runtime
