#include "ops/image/convolution_kernel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ops/image/image_geometry.hpp"
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
  ConvolutionCall(const ConvolutionSpec& spec, runtime::ProviderChoice provider)
      : spec_(spec), convolution_(runtime::convolution_provider(spec, provider).make(spec)) {}

  void run(const runtime::CallArguments& a) const noexcept override {
    const bool gradient = spec_.kind == ConvolutionKind::weight_gradient;
    const std::int64_t images = gradient ? spec_.images : a.row_count;
    auto& state = static_cast<State&>(*a.state);
    const bool ok =
        state.convolution->run({a.inputs[0], a.inputs[1], output_as<float>(a), a.scratch, images});
    if (!ok && a.failed != nullptr) *a.failed = true;
  }
  std::size_t scratch_bytes() const override { return convolution_->scratch_bytes(); }
  std::unique_ptr<runtime::CallState> bind() const override {
    return std::make_unique<State>(convolution_->bind());
  }
  std::string warning() const override {
    if (!runtime::is_reference_implementation(convolution_->implementation())) return {};
    return fmt::format("{} runs on the slow {}", to_string(spec_), convolution_->implementation());
  }

  std::string implementation() const override { return convolution_->implementation(); }
  const ConvolutionSpec& spec() const { return spec_; }

 private:
  ConvolutionSpec spec_;
  std::unique_ptr<runtime::Convolution> convolution_;
};

void refuse_too_large(const ConvolutionSpec& s) {
  const std::int64_t largest =
      std::max({checked_multiply(checked_multiply(s.height, s.width), s.channels),
                checked_multiply(checked_multiply(s.output_height, s.output_width), s.output_channels),
                checked_multiply(checked_multiply(s.window.vertical.kernel, s.window.horizontal.kernel),
                                 checked_multiply(s.channels / s.groups, s.output_channels)),
                s.window.vertical.stride, s.window.horizontal.stride, s.window.vertical.reach(),
                s.window.horizontal.reach(), s.images});
  if (largest <= largest_image) return;
  throw Error(ErrorCode::memory, fmt::format("{} is larger than any that can run", to_string(s)));
}

/// What is x, what k and what y of an op with two inputs.
template <class Value>
struct Roles {
  Roles(ConvolutionKind kind, Value& a, Value& b, Value& output)
      : x(kind == ConvolutionKind::image_gradient ? output : a),
        k(kind == ConvolutionKind::weight_gradient ? output : b),
        y(kind == ConvolutionKind::forward           ? output
          : kind == ConvolutionKind::weight_gradient ? b
                                                     : a) {}
  Value& x;
  Value& k;
  Value& y;
};

ConvolutionSpec spec_of(ConvolutionKind kind, const Extents& x, const Extents& k, const Extents& y,
                        const Attributes& attributes) {
  return {.kind = kind,
          .height = x[1],
          .width = x[2],
          .channels = x[3],
          .output_height = y[1],
          .output_width = y[2],
          .output_channels = y[3],
          .window = window_of({k[0], k[1]}, attributes),
          .groups = attributes.integer("groups"),
          .images = x[0]};
}

/// Calls product(i, j, l) for each product x[i] · k[j] that is a part of y[l], in the order of y.
template <class Function>
void for_each_tap(const runtime::ConvolutionSpec& s, std::int64_t images, Function product) {
  const auto& [vertical, horizontal] = s.window;
  const std::int64_t seen = s.channels / s.groups;  // by an output channel
  const std::int64_t made = s.output_channels / s.groups;
  std::int64_t y = 0;
  for (std::int64_t n = 0; n < images; ++n) {
    for (std::int64_t row = 0; row < s.output_height; ++row) {
      for (std::int64_t column = 0; column < s.output_width; ++column, y += s.output_channels) {
        for (std::int64_t i = 0; i < vertical.kernel; ++i) {
          const std::int64_t h = row * vertical.stride - vertical.before + i * vertical.dilation;
          if (h < 0 || h >= s.height) continue;
          for (std::int64_t j = 0; j < horizontal.kernel; ++j) {
            const std::int64_t w = column * horizontal.stride - horizontal.before + j * horizontal.dilation;
            if (w < 0 || w >= s.width) continue;
            const std::int64_t pixel = ((n * s.height + h) * s.width + w) * s.channels;
            for (std::int64_t c = 0; c < seen; ++c) {
              const std::int64_t k = ((i * horizontal.kernel + j) * seen + c) * s.output_channels;
              for (std::int64_t o = 0; o < s.output_channels; ++o) {
                const std::int64_t x = pixel + o / made * seen + c;
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

/// In the order of y.
template <ConvolutionKind kind>
void reference(const ReferenceContext& context) {
  const Roles<const HostTensor> roles(kind, *context.inputs[0], *context.inputs[1], context.output);
  const std::vector<double>& x = roles.x.values;
  const std::vector<double>& k = roles.k.values;
  const std::vector<double>& y = roles.y.values;
  std::vector<double>& sum = context.output.values;
  for_each_tap(spec_of(kind, roles.x.extents, roles.k.extents, roles.y.extents, context.node.attributes),
               roles.x.extents[0], [&](std::size_t i, std::size_t j, std::size_t l) {
                 if constexpr (kind == ConvolutionKind::forward) sum[l] += x[i] * k[j];
                 if constexpr (kind == ConvolutionKind::image_gradient) sum[i] += y[l] * k[j];
                 if constexpr (kind == ConvolutionKind::weight_gradient) sum[j] += x[i] * y[l];
               });
}

/// Two FLOP for each product, those with the margin included.
template <ConvolutionKind kind>
Cost cost(const CostContext& context) {
  const Roles<const Extents> roles(kind, context.inputs[0], context.inputs[1], context.output);
  double bytes = 4 * static_cast<double>(element_count(context.output));
  for (const Extents& input : context.inputs) bytes += 4 * static_cast<double>(element_count(input));
  const Extents& y = roles.y;
  const auto products = static_cast<double>(y[0] * y[1] * y[2]) * static_cast<double>(element_count(roles.k));
  return {2 * products, bytes};
}

template <ConvolutionKind kind>
std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  const Roles<const Extents> roles(kind, bound.inputs[0], bound.inputs[1], bound.output);
  ConvolutionSpec spec = spec_of(kind, roles.x, roles.k, roles.y, bound.node.attributes);
  spec.bf16 = bound.narrow_inputs;
  if (spec.kind == ConvolutionKind::weight_gradient && spec.images == 0) {
    const auto count = static_cast<std::size_t>(weight_count(spec));
    return runtime::make_call(
        [count](const runtime::CallArguments& a) { std::fill_n(output_as<float>(a), count, 0.0F); });
  }
  refuse_too_large(spec);
  return std::make_unique<ConvolutionCall>(spec, bound.provider);
}

/// oneDNN makes products of bf16 fast where a window sees all channels; others read the same numbers as f32.
bool has_one_group(const Node& node) {
  return node.attributes.integer("groups") == 1;
}

template <ConvolutionKind kind>
Op op_of(OpDef op) {
  op.reference = reference<kind>;
  op.cost = cost<kind>;
  op.traits.products = true;
  return {std::move(op), {.narrow_inputs = has_one_group, .make = make<kind>}};
}

}  // namespace

std::vector<AttributeDeclaration> convolution_attributes(std::string stride, const std::string& pad) {
  return {stride_attribute(1, std::move(stride)), pad_attribute(pad),
          dilation_attribute("from one pixel that a window sees to the next"),
          integer("groups", 1, at_least(1),
                  "channels are cut into so many groups, each with its own channels of the result")};
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
  return checked(window_of({shape[0].offset, shape[1].offset}, attributes));
}

void require_channels(const Shape& images, Dim channels, const Shape& weights, std::int64_t groups) {
  if (images[3] == channels) return;
  const std::string cut = groups == 1 ? "" : fmt::format("in {} groups ", groups);
  throw OpError(fmt::format("x has {} channels, but w, {}, {}is for {}", to_string(images[3]),
                            to_string(weights), cut, to_string(channels)));
}

Dim channels_of_group(Dim all, const Attributes& attributes, const std::string& what) {
  const std::int64_t groups = attributes.integer("groups");
  if (all.offset % groups == 0) return Dim::number(all.offset / groups);
  throw OpError(
      fmt::format("{} has {} channels, which cannot be cut into {} groups", what, to_string(all), groups), {},
      "groups");
}

Dim channels_of_groups(Dim one, const Attributes& attributes) {
  return Dim::number(checked_multiply(one.offset, attributes.integer("groups")));
}

ConvolutionTerms::ConvolutionTerms(const Node& node) {
  for (const char* const name : {"stride", "pad", "dilation", "groups"})
    window_.set(name, *node.attributes.find(name));
}

Term ConvolutionTerms::y(const Term& x, const Term& k) const {
  return call("convolution", {x, k}, window_);
}

Term ConvolutionTerms::x(const Term& y, const Term& k, const Shape& like) const {
  Attributes attributes = window_;
  attributes.set("size", std::vector{like[1].offset, like[2].offset});
  return call("transposed_convolution", {y, k}, attributes);
}

Term ConvolutionTerms::k(const Term& x, const Term& y, const Shape& like) const {
  Attributes attributes = window_;
  attributes.set("kernel", std::vector{like[0].offset, like[1].offset});
  return call("convolution_weight_gradient", {x, y}, attributes);
}

Op convolution_op(OpDef op, ConvolutionKind kind) {
  switch (kind) {
    case ConvolutionKind::forward:
      return op_of<ConvolutionKind::forward>(std::move(op));
    case ConvolutionKind::image_gradient:
      return op_of<ConvolutionKind::image_gradient>(std::move(op));
    case ConvolutionKind::weight_gradient:
      break;
  }
  return op_of<ConvolutionKind::weight_gradient>(std::move(op));
}

const ConvolutionSpec* convolution_of(const runtime::Call& call) {
  const auto* const convolution = dynamic_cast<const ConvolutionCall*>(&call);
  return convolution == nullptr ? nullptr : &convolution->spec();
}

}  // namespace graphrun::ops
