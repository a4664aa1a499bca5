#include "ops/image/convolution_kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "ops/rows.hpp"
#include "runtime/products/provider.hpp"

namespace graphrun::ops {
namespace {

using runtime::ConvolutionKind;
using runtime::ConvolutionSpec;

struct State final : runtime::CallState {
  explicit State(std::unique_ptr<runtime::BoundConvolution> given) : convolution(std::move(given)) {}
  std::unique_ptr<runtime::BoundConvolution> convolution;
};

class ConvolutionCall final : public runtime::Call {
 public:
  explicit ConvolutionCall(const ConvolutionSpec& spec)
      : spec_(spec), convolution_(runtime::convolution_provider(spec).make(spec)) {}

  void run(const runtime::CallArguments& a) const noexcept override {
    const bool gradient = spec_.kind == ConvolutionKind::weight_gradient;
    const std::int64_t images = gradient ? spec_.images : a.row_count;
    auto& state = static_cast<State&>(*a.state);
    const bool ok = state.convolution->run(
        {input_as<float>(a, 0), input_as<float>(a, 1), output_as<float>(a), a.scratch, images});
    if (!ok && a.failed != nullptr) *a.failed = true;
  }
  std::size_t scratch_bytes() const override { return convolution_->scratch_bytes(); }
  std::unique_ptr<runtime::CallState> bind() const override {
    return std::make_unique<State>(convolution_->bind());
  }
  std::string warning() const override {
    if (!runtime::is_reference_implementation(convolution_->implementation())) return {};
    return fmt::format("a convolution of [{}, {}, {}] with [{}, {}, {}, {}] runs on the slow {}",
                       spec_.height, spec_.width, spec_.channels, spec_.kernel_height, spec_.kernel_width,
                       spec_.channels, spec_.output_channels, convolution_->implementation());
  }

  std::string implementation() const override { return convolution_->implementation(); }

 private:
  ConvolutionSpec spec_;
  std::unique_ptr<runtime::Convolution> convolution_;
};

void refuse_too_large(const ConvolutionSpec& s) {
  // The provider does not check, and computes with int here and there.
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  const std::int64_t largest =
      std::max({checked_multiply(checked_multiply(s.height, s.width), s.channels),
                checked_multiply(checked_multiply(s.output_height, s.output_width), s.output_channels),
                checked_multiply(checked_multiply(s.kernel_height, s.kernel_width),
                                 checked_multiply(s.channels, s.output_channels)),
                s.stride, s.images});
  if (largest <= most) return;
  throw Error(
      ErrorCode::memory,
      fmt::format("a convolution of [{}, {}, {}] with [{}, {}, {}, {}] is larger than any that can run",
                  s.height, s.width, s.channels, s.kernel_height, s.kernel_width, s.channels,
                  s.output_channels));
}

}  // namespace

ConvolutionSpec convolution_spec(ConvolutionKind kind, const Extents& x, const Extents& k, const Extents& y,
                                 const Attributes& attributes) {
  return {.kind = kind,
          .height = x[1],
          .width = x[2],
          .channels = x[3],
          .output_height = y[1],
          .output_width = y[2],
          .output_channels = y[3],
          .kernel_height = k[0],
          .kernel_width = k[1],
          .stride = attributes.integer("stride"),
          .pad = attributes.integer("pad"),
          .images = x[0]};
}

Window convolution_window(const Type& weights, const Attributes& attributes) {
  require_f32(weights, "w");
  const Shape& shape = weights.shape;
  const bool numbers = std::all_of(shape.begin(), shape.end(), [](Dim dim) { return dim.is_number(); });
  if (shape.size() != 4 || !numbers) {
    throw OpError(fmt::format("w must be [kernel height, kernel width, channels, channels], but is {}",
                              to_string(shape)),
                  {}, "w");
  }
  return checked({shape[0].offset, shape[1].offset, attributes.integer("stride"), attributes.integer("pad")});
}

void require_channels(const Shape& images, Dim channels, const Shape& weights) {
  if (images[3] == channels) return;
  throw OpError(fmt::format("x has {} channels, but w, {}, is for {}", to_string(images[3]),
                            to_string(weights), to_string(channels)));
}

Cost convolution_cost(const CostContext& context, const Extents& y, const Extents& k) {
  double bytes = 4 * static_cast<double>(element_count(context.output));
  for (const Extents& input : context.inputs) bytes += 4 * static_cast<double>(element_count(input));
  const auto products = static_cast<double>(y[0] * y[1] * y[2]) * static_cast<double>(element_count(k));
  return {2 * products, bytes};
}

std::unique_ptr<runtime::Call> make_convolution(const ConvolutionSpec& spec) {
  if (spec.kind == ConvolutionKind::weight_gradient && spec.images == 0) {
    const auto count = static_cast<std::size_t>(spec.kernel_height * spec.kernel_width * spec.channels *
                                                spec.output_channels);
    return runtime::make_call(
        [count](const runtime::CallArguments& a) { std::fill_n(output_as<float>(a), count, 0.0F); });
  }
  refuse_too_large(spec);
  return std::make_unique<ConvolutionCall>(spec);
}

}  // namespace graphrun::ops
