#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "runtime/machine/aligned.hpp"
#include "runtime/products/onednn.hpp"
#include "runtime/products/onednn_fence.hpp"

namespace graphrun::runtime {
namespace {

// ---- Descriptions ----

struct ConvolutionDescs {
  Desc x;
  Desc k;
  Desc y;
  dnnl::memory::dims strides;
  dnnl::memory::dims gaps;  ///< dilations, from 0
  dnnl::memory::dims before;
  dnnl::memory::dims after;
};

constexpr auto direct = dnnl::algorithm::convolution_direct;

dnnl::convolution_forward::primitive_desc describe_forward(const dnnl::engine& engine,
                                                           const ConvolutionDescs& d,
                                                           const dnnl::primitive_attr& attributes) {
  constexpr auto purpose = dnnl::prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
  return {engine, purpose, direct, d.x, d.k, d.y, d.strides, d.gaps, d.before, d.after, attributes};
#else
  return {{purpose, direct, d.x, d.k, d.y, d.strides, d.gaps, d.before, d.after}, attributes, engine};
#endif
}

/// `hint` is what the forward product would read and make.
template <class Gradient>
typename Gradient::primitive_desc describe_gradient(const dnnl::engine& engine, const ConvolutionDescs& d,
                                                    const ConvolutionDescs& hint,
                                                    const dnnl::primitive_attr& attributes) {
  const auto forward = describe_forward(engine, hint, attributes);
#if DNNL_VERSION_MAJOR >= 3
  return {engine, direct, d.x, d.k, d.y, d.strides, d.gaps, d.before, d.after, forward, attributes};
#else
  return {{direct, d.x, d.k, d.y, d.strides, d.gaps, d.before, d.after}, attributes, engine, forward};
#endif
}

// ---- A convolution ----

/// Two sources and a destination: which argument of oneDNN each is, and its layout.
struct ConvolutionOperand {
  int argument = 0;
  Desc desc;
};

struct ConvolutionParts {
  dnnl::primitive primitive;
  ConvolutionOperand images;  ///< x, or y for image_gradient
  ConvolutionOperand other;   ///< k, or y for weight_gradient
  ConvolutionOperand output;
  Desc scratchpad;
  std::string implementation;
};

/// As oneDNN counts them: an axis more where there are groups.
dnnl::memory::dims weight_dims(const ConvolutionSpec& spec) {
  const std::int64_t height = spec.window.vertical.kernel;
  const std::int64_t width = spec.window.horizontal.kernel;
  if (spec.groups == 1) return {spec.output_channels, spec.channels, height, width};
  return {spec.groups, spec.output_channels / spec.groups, spec.channels / spec.groups, height, width};
}

using ElementType = dnnl::memory::data_type;

/// The weights as they lie in our memory.
Desc our_weights(const ConvolutionSpec& spec) {
  using Tag = dnnl::memory::format_tag;
  const bool narrow = spec.bf16 && spec.kind != ConvolutionKind::weight_gradient;
  return Desc(weight_dims(spec), narrow ? ElementType::bf16 : ElementType::f32,
              spec.groups == 1 ? Tag::hwio : Tag::hwigo);
}

/// How a convolution is cut, and how its images lie; the weights always lie as oneDNN likes best.
struct ConvolutionLayout {
  using Tag = dnnl::memory::format_tag;
  std::int64_t images = 1;
  Tag x = Tag::nhwc;
  Tag y = Tag::nhwc;
};

/// Images as we have them. One channel, and as many as a vector holds, lie in the same places by other names
/// too, under which oneDNN has a kernel for first layers that is twice as fast.
ConvolutionLayout our_layout(const ConvolutionSpec& spec, std::int64_t images) {
  using Tag = dnnl::memory::format_tag;
  const bool first_layer =
      spec.kind == ConvolutionKind::forward && spec.channels == 1 && spec.groups == 1 && !spec.bf16;
  const bool wide = detected_isa() == Isa::avx512;
  if (first_layer && wide && spec.output_channels == 16) return {images, Tag::nchw, Tag::nChw16c};
  return {images, Tag::nhwc, Tag::nhwc};
}

/// With bf16 all but `made` is bf16.
ConvolutionDescs descs_of(const ConvolutionSpec& spec, const ConvolutionLayout& layout,
                          std::optional<ConvolutionKind> made) {
  const auto type = [&](ConvolutionKind kind) {
    return spec.bf16 && kind != made ? ElementType::bf16 : ElementType::f32;
  };
  const auto& [vertical, horizontal] = spec.window;
  return {Desc({layout.images, spec.channels, spec.height, spec.width}, type(ConvolutionKind::image_gradient),
               layout.x),
          Desc(weight_dims(spec), type(ConvolutionKind::weight_gradient), dnnl::memory::format_tag::any),
          Desc({layout.images, spec.output_channels, spec.output_height, spec.output_width},
               type(ConvolutionKind::forward), layout.y),
          {vertical.stride, horizontal.stride},
          {vertical.dilation - 1, horizontal.dilation - 1},
          {vertical.before, horizontal.before},
          {vertical.after, horizontal.after}};
}

ConvolutionParts parts_of(const ConvolutionSpec& spec, const ConvolutionLayout& layout,
                          const dnnl::engine& engine) {
  const ConvolutionDescs descs = descs_of(spec, layout, spec.kind);
  const ConvolutionDescs hint = descs_of(spec, layout, std::nullopt);
  switch (spec.kind) {
    case ConvolutionKind::forward: {
      const auto d = describe_forward(engine, descs, primitive_attributes());
      return {
          dnnl::convolution_forward(d), {DNNL_ARG_SRC, d.src_desc()}, {DNNL_ARG_WEIGHTS, d.weights_desc()},
          {DNNL_ARG_DST, d.dst_desc()}, d.scratchpad_desc(),          onednn_name(d.impl_info_str())};
    }
    case ConvolutionKind::image_gradient: {
      const auto d =
          describe_gradient<dnnl::convolution_backward_data>(engine, descs, hint, primitive_attributes());
      return {dnnl::convolution_backward_data(d),
              {DNNL_ARG_DIFF_DST, d.diff_dst_desc()},
              {DNNL_ARG_WEIGHTS, d.weights_desc()},
              {DNNL_ARG_DIFF_SRC, d.diff_src_desc()},
              d.scratchpad_desc(),
              onednn_name(d.impl_info_str())};
    }
    case ConvolutionKind::weight_gradient: {
      const auto d =
          describe_gradient<dnnl::convolution_backward_weights>(engine, descs, hint, primitive_attributes());
      return {dnnl::convolution_backward_weights(d),
              {DNNL_ARG_SRC, d.src_desc()},
              {DNNL_ARG_DIFF_DST, d.diff_dst_desc()},
              {DNNL_ARG_DIFF_WEIGHTS, d.diff_weights_desc()},
              d.scratchpad_desc(),
              onednn_name(d.impl_info_str())};
    }
  }
  throw Error(ErrorCode::internal, "a convolution without a kind");
}

/// The copy of the weights between our layout and oneDNN's. None when they are the same.
struct WeightReorder {
  dnnl::reorder primitive;
  Desc from;
  Desc to;
  Desc scratchpad;
};

/// What a compiled convolution is made of.
struct ConvolutionPlan {
  ConvolutionKind kind = ConvolutionKind::forward;
  ConvolutionParts parts;  ///< of one image, or of all for a weight gradient
  /// The same of several images in one run, which costs less than as many runs; none where oneDNN would do
  /// it in another way.
  std::optional<ConvolutionParts> several;
  std::optional<WeightReorder> reorder;
  std::size_t weight_bytes = 0;  ///< of the weights in oneDNN's layout; 0 without a reorder

  std::size_t scratch_bytes() const {
    std::size_t working = std::max(parts.scratchpad.get_size(), several ? several->scratchpad.get_size() : 0);
    if (reorder) working = std::max(working, reorder->scratchpad.get_size());
    return aligned_size(weight_bytes) + working;
  }
};

/// A primitive with its memory objects, whose addresses a run sets.
class BoundParts {
 public:
  BoundParts(const ConvolutionParts& parts, const dnnl::engine& engine)
      : parts_(parts),
        images_(parts.images.desc, engine, nullptr),
        other_(parts.other.desc, engine, nullptr),
        output_(parts.output.desc, engine, nullptr),
        scratch_(parts.scratchpad, engine, nullptr),
        arguments_{{{parts.images.argument, images_.get()},
                    {parts.other.argument, other_.get()},
                    {parts.output.argument, output_.get()},
                    {DNNL_ARG_SCRATCHPAD, scratch_.get()}}} {}

  std::size_t image_bytes() const { return parts_.images.desc.get_size(); }
  std::size_t output_bytes() const { return parts_.output.desc.get_size(); }

  bool use(const void* other, void* working) noexcept {
    return set_address(other_, other) && set_address(scratch_, working);
  }
  bool execute(const dnnl::stream& stream, const void* images, void* output) noexcept {
    announce_read(images, image_bytes());
    announce_write(output, output_bytes());
    return set_address(images_, images) && set_address(output_, output) &&
           run_primitive(parts_.primitive, stream, arguments_);
  }

 private:
  ConvolutionParts parts_;
  dnnl::memory images_;
  dnnl::memory other_;
  dnnl::memory output_;
  dnnl::memory scratch_;
  std::array<dnnl_exec_arg_t, 4> arguments_;
};

class BoundOneDnnConvolution final : public BoundConvolution {
 public:
  BoundOneDnnConvolution(const ConvolutionPlan& plan, const dnnl::engine& engine)
      : kind_(plan.kind),
        reorder_(plan.reorder),
        weight_bytes_(aligned_size(plan.weight_bytes)),
        stream_(engine),
        one_(plan.parts, engine) {
    if (plan.several) several_.emplace(*plan.several, engine);
    if (!reorder_) return;
    from_ = dnnl::memory(reorder_->from, engine, nullptr);
    to_ = dnnl::memory(reorder_->to, engine, nullptr);
    converting_ = dnnl::memory(reorder_->scratchpad, engine, nullptr);
    reorder_arguments_ = {
        {{DNNL_ARG_FROM, from_.get()}, {DNNL_ARG_TO, to_.get()}, {DNNL_ARG_SCRATCHPAD, converting_.get()}}};
  }

  bool run(const ConvolutionArguments& arguments) noexcept override {
    std::byte* const working = arguments.scratch + weight_bytes_;
    if (kind_ == ConvolutionKind::weight_gradient) return run_gradient(arguments, working);
    const void* weights = arguments.other;
    if (reorder_) {
      if (!convert(arguments.other, arguments.scratch, working)) return false;
      weights = arguments.scratch;
    }
    const std::byte* images = arguments.images;
    auto* output = reinterpret_cast<std::byte*>(arguments.output);
    std::int64_t left = arguments.count;
    const auto run_all = [&](BoundParts& parts, std::int64_t at_once) {
      if (!parts.use(weights, working)) return false;
      for (; left >= at_once; left -= at_once) {
        if (!parts.execute(stream_, images, output)) return false;
        images += parts.image_bytes();
        output += parts.output_bytes();
      }
      return true;
    };
    return (!several_ || run_all(*several_, images_at_once)) && run_all(one_, 1);
  }

  static constexpr std::int64_t images_at_once = 8;

 private:
  bool run_gradient(const ConvolutionArguments& arguments, std::byte* working) noexcept {
    void* const output = reorder_ ? static_cast<void*>(arguments.scratch) : arguments.output;
    return one_.use(arguments.other, working) && one_.execute(stream_, arguments.images, output) &&
           (!reorder_ || convert(output, arguments.output, working));
  }

  bool convert(const void* from, void* to, void* working) noexcept {
    announce_read(from, reorder_->from.get_size());
    announce_write(to, reorder_->to.get_size());
    return set_address(from_, from) && set_address(to_, to) && set_address(converting_, working) &&
           run_primitive(reorder_->primitive, stream_, reorder_arguments_);
  }

  ConvolutionKind kind_;
  std::optional<WeightReorder> reorder_;
  std::size_t weight_bytes_;
  dnnl::stream stream_;
  BoundParts one_;
  std::optional<BoundParts> several_;
  dnnl::memory from_;
  dnnl::memory to_;
  dnnl::memory converting_;
  std::array<dnnl_exec_arg_t, 3> reorder_arguments_{};
};

class OneDnnConvolution final : public Convolution {
 public:
  OneDnnConvolution(const ConvolutionSpec& spec, const dnnl::engine& engine) : engine_(engine) {
    plan_.kind = spec.kind;
    const std::int64_t images = spec.kind == ConvolutionKind::weight_gradient ? spec.images : 1;
    plan_.parts = parts_of(spec, our_layout(spec, images), engine_);
    if (spec.kind != ConvolutionKind::weight_gradient) add_several(spec);
    add_reorder(spec);
  }

  std::unique_ptr<BoundConvolution> bind() const override {
    const SingleOpenMpThread one;
    return std::make_unique<BoundOneDnnConvolution>(plan_, engine_);
  }
  std::size_t scratch_bytes() const override { return plan_.scratch_bytes(); }
  const std::string& implementation() const override { return plan_.parts.implementation; }

 private:
  void add_several(const ConvolutionSpec& spec) {
    constexpr std::int64_t count = BoundOneDnnConvolution::images_at_once;
    constexpr std::size_t most_bytes = onednn_largest / count;
    const std::size_t larger =
        std::max(plan_.parts.images.desc.get_size(), plan_.parts.output.desc.get_size());
    if (spec.images < count || larger > most_bytes) return;
    ConvolutionParts several = parts_of(spec, our_layout(spec, count), engine_);
    const bool alike =
        several.implementation == plan_.parts.implementation && several.other.desc == plan_.parts.other.desc;
    if (alike) plan_.several = std::move(several);
  }

  void add_reorder(const ConvolutionSpec& spec) {
    const bool gradient = spec.kind == ConvolutionKind::weight_gradient;
    const Desc ours = our_weights(spec);
    const Desc theirs = gradient ? plan_.parts.output.desc : plan_.parts.other.desc;
    if (ours == theirs) return;
    const Desc& from = gradient ? theirs : ours;
    const Desc& to = gradient ? ours : theirs;
    const dnnl::reorder::primitive_desc d(engine_, from, engine_, to, primitive_attributes());
    plan_.reorder = WeightReorder{dnnl::reorder(d), from, to, d.scratchpad_desc()};
    plan_.weight_bytes = theirs.get_size();
  }

  dnnl::engine engine_;
  ConvolutionPlan plan_;
};

/// Memory in a layout of oneDNN's, with a small number in each place.
class OwnOperand {
 public:
  OwnOperand(const Desc& desc, const dnnl::engine& engine)
      : bytes_(allocate_aligned(desc.get_size())), memory_(desc, engine, bytes_.get()) {
    std::fill_n(reinterpret_cast<float*>(bytes_.get()), desc.get_size() / sizeof(float), 0.01F);
  }
  dnnl_memory_t memory() const { return memory_.get(); }

 private:
  AlignedBytes bytes_;
  dnnl::memory memory_;
};

class OneDnnRawConvolution final : public RawConvolution {
 public:
  OneDnnRawConvolution(const ConvolutionSpec& spec, const dnnl::engine& engine)
      : parts_(parts_of(spec, {spec.images, dnnl::memory::format_tag::any, dnnl::memory::format_tag::any},
                        engine)),
        stream_(engine),
        images_(parts_.images.desc, engine),
        other_(parts_.other.desc, engine),
        output_(parts_.output.desc, engine),
        scratch_(parts_.scratchpad, engine),
        arguments_{{{parts_.images.argument, images_.memory()},
                    {parts_.other.argument, other_.memory()},
                    {parts_.output.argument, output_.memory()},
                    {DNNL_ARG_SCRATCHPAD, scratch_.memory()}}} {}

  bool run() noexcept override { return run_primitive(parts_.primitive, stream_, arguments_); }

 private:
  ConvolutionParts parts_;
  dnnl::stream stream_;
  OwnOperand images_;
  OwnOperand other_;
  OwnOperand output_;
  OwnOperand scratch_;
  std::array<dnnl_exec_arg_t, 4> arguments_;
};

}  // namespace

std::unique_ptr<RawConvolution> make_raw_convolution(const ConvolutionSpec& spec) {
  return made_by_onednn(to_string(spec), [&](const dnnl::engine& engine) {
    return std::make_unique<OneDnnRawConvolution>(spec, engine);
  });
}

std::unique_ptr<Convolution> make_onednn_convolution(const ConvolutionSpec& spec) {
  return made_by_onednn(to_string(spec), [&](const dnnl::engine& engine) {
    return std::make_unique<OneDnnConvolution>(spec, engine);
  });
}

}  // namespace graphrun::runtime
