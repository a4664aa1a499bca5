#include "runtime/products/onednn.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <oneapi/dnnl/dnnl.hpp>

#include "graphrun/error.hpp"
#include "runtime/machine/aligned.hpp"
#include "runtime/machine/host_state.hpp"
#include "runtime/machine/onednn_library.hpp"

// ThreadSanitizer does not see what generated code reads and writes: it is told.
#if defined(__SANITIZE_THREAD__)
extern "C" void __tsan_read_range(void* address, unsigned long size);
extern "C" void __tsan_write_range(void* address, unsigned long size);
#endif

namespace graphrun::runtime {
namespace {

#if defined(__SANITIZE_THREAD__)
void announce_read(const void* address, std::size_t bytes) {
  __tsan_read_range(const_cast<void*>(address), bytes);
}
void announce_write(void* address, std::size_t bytes) {
  __tsan_write_range(address, bytes);
}
#else
void announce_read(const void* /*address*/, std::size_t /*bytes*/) {}
void announce_write(void* /*address*/, std::size_t /*bytes*/) {}
#endif

using Desc = dnnl::memory::desc;

// ---- The differences between 2.6 and 3.x -----------------------------------------------------------------

void append_eltwise(dnnl::post_ops& operations, dnnl::algorithm algorithm, float alpha, float beta) {
#if DNNL_VERSION_MAJOR >= 3
  operations.append_eltwise(algorithm, alpha, beta);
#else
  operations.append_eltwise(1.0F, algorithm, alpha, beta);
#endif
}

dnnl::matmul::primitive_desc describe(const dnnl::engine& engine, const Desc& a, const Desc& b,
                                      const Desc* bias, const Desc& output,
                                      const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  return bias != nullptr ? dnnl::matmul::primitive_desc(engine, a, b, *bias, output, attributes)
                         : dnnl::matmul::primitive_desc(engine, a, b, output, attributes);
#else
  const auto description =
      bias != nullptr ? dnnl::matmul::desc(a, b, *bias, output) : dnnl::matmul::desc(a, b, output);
  return {description, attributes, engine};
#endif
}

struct ConvolutionDescs {
  Desc x;
  Desc k;
  Desc y;
  dnnl::memory::dims strides;
  dnnl::memory::dims pads;
};

constexpr auto direct = dnnl::algorithm::convolution_direct;

dnnl::convolution_forward::primitive_desc describe_forward(const dnnl::engine& engine,
                                                           const ConvolutionDescs& d,
                                                           const dnnl::primitive_attr& attributes) {
  constexpr auto purpose = dnnl::prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
  return {engine, purpose, direct, d.x, d.k, d.y, d.strides, d.pads, d.pads, attributes};
#else
  return {{purpose, direct, d.x, d.k, d.y, d.strides, d.pads, d.pads}, attributes, engine};
#endif
}

dnnl::convolution_backward_data::primitive_desc describe_image_gradient(
    const dnnl::engine& engine, const ConvolutionDescs& d, const dnnl::primitive_attr& attributes) {
  const auto forward = describe_forward(engine, d, attributes);
#if DNNL_VERSION_MAJOR >= 3
  return {engine, direct, d.x, d.k, d.y, d.strides, d.pads, d.pads, forward, attributes};
#else
  return {{direct, d.x, d.k, d.y, d.strides, d.pads, d.pads}, attributes, engine, forward};
#endif
}

dnnl::convolution_backward_weights::primitive_desc describe_weight_gradient(
    const dnnl::engine& engine, const ConvolutionDescs& d, const dnnl::primitive_attr& attributes) {
  const auto forward = describe_forward(engine, d, attributes);
#if DNNL_VERSION_MAJOR >= 3
  return {engine, direct, d.x, d.k, d.y, d.strides, d.pads, d.pads, forward, attributes};
#else
  return {{direct, d.x, d.k, d.y, d.strides, d.pads, d.pads}, attributes, engine, forward};
#endif
}

// ---- Descriptions
// ------------------------------------------------------------------------------------------

struct Eltwise {
  dnnl::algorithm algorithm = dnnl::algorithm::undef;
  float alpha = 0;
  float beta = 0;
};

Eltwise eltwise(const PostOpSpec& activation) {
  switch (activation.kind) {
    case PostOp::relu:
      return {dnnl::algorithm::eltwise_relu};
    case PostOp::leaky_relu:
      return {dnnl::algorithm::eltwise_relu, activation.alpha};
    case PostOp::elu:
      return {dnnl::algorithm::eltwise_elu, activation.alpha};
    case PostOp::gelu:
      return {dnnl::algorithm::eltwise_gelu_erf};
    case PostOp::silu:
      return {dnnl::algorithm::eltwise_swish, 1.0F};
    case PostOp::sigmoid:
      return {dnnl::algorithm::eltwise_logistic};
    case PostOp::tanh:
      return {dnnl::algorithm::eltwise_tanh};
    case PostOp::softplus:
      return {dnnl::algorithm::eltwise_soft_relu, 1.0F};
  }
  throw Error(ErrorCode::internal, "a post-op without an algorithm");
}

/// A matrix of `rows` x `columns`, stored as its transpose when asked. A vector is the same either way.
Desc matrix(std::int64_t rows, std::int64_t columns, bool transposed) {
  const bool swap = transposed && rows != 1 && columns != 1;
  return {{rows, columns},
          dnnl::memory::data_type::f32,
          swap ? dnnl::memory::dims{1, rows} : dnnl::memory::dims{columns, 1}};
}

/// Built fresh each time: copies of a primitive_attr share what they hold.
dnnl::primitive_attr attributes_of(const MatmulSpec& spec) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (spec.activation) {
    const Eltwise e = eltwise(*spec.activation);
    dnnl::post_ops operations;
    append_eltwise(operations, e.algorithm, e.alpha, e.beta);
    attributes.set_post_ops(operations);
  }
  return attributes;
}

// ---- A product
// ---------------------------------------------------------------------------------------------

/// Memory objects and arguments made once; a run only sets the addresses.
class BoundOneDnnMatmul final : public BoundMatmul {
 public:
  BoundOneDnnMatmul(const dnnl::matmul& primitive, const dnnl::engine& engine,
                    const dnnl::matmul::primitive_desc& description, bool bias)
      : primitive_(primitive),
        stream_(engine),
        a_(description.src_desc(), engine, nullptr),
        b_(description.weights_desc(), engine, nullptr),
        output_(description.dst_desc(), engine, nullptr),
        scratch_(description.scratchpad_desc(), engine, nullptr),
        bytes_a_(description.src_desc().get_size()),
        bytes_b_(description.weights_desc().get_size()),
        bytes_output_(description.dst_desc().get_size()) {
    arguments_ = {{{DNNL_ARG_SRC, a_.get()},
                   {DNNL_ARG_WEIGHTS, b_.get()},
                   {DNNL_ARG_DST, output_.get()},
                   {DNNL_ARG_SCRATCHPAD, scratch_.get()},
                   {DNNL_ARG_BIAS, nullptr}}};
    if (!bias) return;
    bias_ = dnnl::memory(description.bias_desc(), engine, nullptr);
    arguments_.back().memory = bias_.get();
    count_ = 5;
  }

  bool run(const MatmulArguments& arguments) noexcept override {
    bool ok = set(a_, arguments.a) && set(b_, arguments.b) && set(output_, arguments.output) &&
              set(scratch_, arguments.scratch);
    if (count_ == 5) ok = ok && set(bias_, arguments.bias);
    announce_read(arguments.a, bytes_a_);
    announce_read(arguments.b, bytes_b_);
    announce_write(arguments.output, bytes_output_);
    return ok &&
           dnnl_primitive_execute(primitive_.get(), stream_.get(), count_, arguments_.data()) == dnnl_success;
  }

 private:
  static bool set(const dnnl::memory& memory, const void* address) noexcept {
    return dnnl_memory_set_data_handle(memory.get(), const_cast<void*>(address)) == dnnl_success;
  }

  dnnl::matmul primitive_;
  dnnl::stream stream_;
  dnnl::memory a_;
  dnnl::memory b_;
  dnnl::memory output_;
  dnnl::memory scratch_;
  dnnl::memory bias_;
  std::size_t bytes_a_;
  std::size_t bytes_b_;
  std::size_t bytes_output_;
  std::array<dnnl_exec_arg_t, 5> arguments_{};
  int count_ = 4;
};

class OneDnnMatmul final : public Matmul {
 public:
  OneDnnMatmul(const MatmulSpec& spec, const dnnl::engine& engine)
      : engine_(engine), has_bias_(spec.bias), description_(make_description(spec, engine)) {
    primitive_ = dnnl::matmul(description_);
    implementation_ = description_.impl_info_str();
  }

  std::unique_ptr<BoundMatmul> bind() const override {
    const SingleOpenMpThread one;
    return std::make_unique<BoundOneDnnMatmul>(primitive_, engine_, description_, has_bias_);
  }
  std::size_t scratch_bytes() const override { return description_.scratchpad_desc().get_size(); }
  const std::string& implementation() const override { return implementation_; }

 private:
  static dnnl::matmul::primitive_desc make_description(const MatmulSpec& spec, const dnnl::engine& engine) {
    const Desc a = matrix(spec.rows, spec.inner, spec.transpose_a);
    const Desc b = matrix(spec.inner, spec.columns, spec.transpose_b);
    const Desc output = matrix(spec.rows, spec.columns, false);
    const Desc bias({1, spec.columns}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab);
    return describe(engine, a, b, spec.bias ? &bias : nullptr, output, attributes_of(spec));
  }

  dnnl::engine engine_;
  bool has_bias_;
  dnnl::matmul::primitive_desc description_;
  dnnl::matmul primitive_;
  std::string implementation_;
};

// ---- A convolution
// ---------------------------------------------------------------------------------------------

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

/// The copy of the weights between our layout and oneDNN's. None when they are the same.
struct WeightReorder {
  dnnl::reorder primitive;
  Desc from;
  Desc to;
  Desc scratchpad;
};

bool set_address(const dnnl::memory& memory, const void* address) noexcept {
  return dnnl_memory_set_data_handle(memory.get(), const_cast<void*>(address)) == dnnl_success;
}

/// What a compiled convolution is made of.
struct ConvolutionPlan {
  ConvolutionKind kind = ConvolutionKind::forward;
  ConvolutionParts parts;
  std::optional<WeightReorder> reorder;
  std::size_t weight_bytes = 0;  ///< of the weights in oneDNN's layout; 0 without a reorder

  std::size_t scratch_bytes() const {
    const std::size_t converting = reorder ? reorder->scratchpad.get_size() : 0;
    return aligned_size(weight_bytes) + std::max(parts.scratchpad.get_size(), converting);
  }
};

class BoundOneDnnConvolution final : public BoundConvolution {
 public:
  BoundOneDnnConvolution(const ConvolutionPlan& plan, const dnnl::engine& engine)
      : plan_(plan),
        stream_(engine),
        images_(plan.parts.images.desc, engine, nullptr),
        other_(plan.parts.other.desc, engine, nullptr),
        output_(plan.parts.output.desc, engine, nullptr),
        scratch_(plan.parts.scratchpad, engine, nullptr),
        arguments_{{{plan.parts.images.argument, images_.get()},
                    {plan.parts.other.argument, other_.get()},
                    {plan.parts.output.argument, output_.get()},
                    {DNNL_ARG_SCRATCHPAD, scratch_.get()}}} {
    if (!plan_.reorder) return;
    from_ = dnnl::memory(plan_.reorder->from, engine, nullptr);
    to_ = dnnl::memory(plan_.reorder->to, engine, nullptr);
    converting_ = dnnl::memory(plan_.reorder->scratchpad, engine, nullptr);
    reorder_arguments_ = {
        {{DNNL_ARG_FROM, from_.get()}, {DNNL_ARG_TO, to_.get()}, {DNNL_ARG_SCRATCHPAD, converting_.get()}}};
  }

  bool run(const ConvolutionArguments& arguments) noexcept override {
    std::byte* const working = arguments.scratch + aligned_size(plan_.weight_bytes);
    const bool gradient = plan_.kind == ConvolutionKind::weight_gradient;
    const void* other = arguments.other;
    void* output = arguments.output;
    if (plan_.reorder && gradient) output = arguments.scratch;
    if (plan_.reorder && !gradient) {
      if (!convert(arguments.other, arguments.scratch, working)) return false;
      other = arguments.scratch;
    }
    bool ok = set_address(other_, other) && set_address(scratch_, working);
    if (gradient) {
      ok = ok && execute(arguments.images, output);
      return ok && (!plan_.reorder || convert(output, arguments.output, working));
    }
    const std::size_t image = plan_.parts.images.desc.get_size() / sizeof(float);
    const std::size_t result = plan_.parts.output.desc.get_size() / sizeof(float);
    for (std::size_t i = 0; ok && i < static_cast<std::size_t>(arguments.count); ++i) {
      ok = execute(arguments.images + i * image, arguments.output + i * result);
    }
    return ok;
  }

 private:
  bool execute(const void* images, void* output) noexcept {
    announce_read(images, plan_.parts.images.desc.get_size());
    announce_write(output, plan_.parts.output.desc.get_size());
    return set_address(images_, images) && set_address(output_, output) &&
           dnnl_primitive_execute(plan_.parts.primitive.get(), stream_.get(),
                                  static_cast<int>(arguments_.size()), arguments_.data()) == dnnl_success;
  }

  bool convert(const void* from, void* to, void* working) noexcept {
    announce_read(from, plan_.reorder->from.get_size());
    announce_write(to, plan_.reorder->to.get_size());
    return set_address(from_, from) && set_address(to_, to) && set_address(converting_, working) &&
           dnnl_primitive_execute(plan_.reorder->primitive.get(), stream_.get(),
                                  static_cast<int>(reorder_arguments_.size()),
                                  reorder_arguments_.data()) == dnnl_success;
  }

  ConvolutionPlan plan_;
  dnnl::stream stream_;
  dnnl::memory images_;
  dnnl::memory other_;
  dnnl::memory output_;
  dnnl::memory scratch_;
  dnnl::memory from_;
  dnnl::memory to_;
  dnnl::memory converting_;
  std::array<dnnl_exec_arg_t, 4> arguments_;
  std::array<dnnl_exec_arg_t, 3> reorder_arguments_{};
};

class OneDnnConvolution final : public Convolution {
 public:
  OneDnnConvolution(const ConvolutionSpec& spec, const dnnl::engine& engine) : engine_(engine) {
    plan_.kind = spec.kind;
    plan_.parts = parts_of(spec);
    add_reorder(spec);
  }

  std::unique_ptr<BoundConvolution> bind() const override {
    const SingleOpenMpThread one;
    return std::make_unique<BoundOneDnnConvolution>(plan_, engine_);
  }
  std::size_t scratch_bytes() const override { return plan_.scratch_bytes(); }
  const std::string& implementation() const override { return plan_.parts.implementation; }

 private:
  /// The weights in the layout that oneDNN likes best.
  static ConvolutionDescs descs_of(const ConvolutionSpec& spec) {
    using Tag = dnnl::memory::format_tag;
    constexpr auto f32 = dnnl::memory::data_type::f32;
    const std::int64_t images = spec.kind == ConvolutionKind::weight_gradient ? spec.images : 1;
    return {Desc({images, spec.channels, spec.height, spec.width}, f32, Tag::nhwc),
            Desc(weight_dims(spec), f32, Tag::any),
            Desc({images, spec.output_channels, spec.output_height, spec.output_width}, f32, Tag::nhwc),
            {spec.stride, spec.stride},
            {spec.pad, spec.pad}};
  }

  static dnnl::memory::dims weight_dims(const ConvolutionSpec& spec) {
    return {spec.output_channels, spec.channels, spec.kernel_height, spec.kernel_width};
  }

  static dnnl::primitive_attr user_scratchpad() {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return attributes;
  }

  ConvolutionParts parts_of(const ConvolutionSpec& spec) const {
    const ConvolutionDescs descs = descs_of(spec);
    switch (spec.kind) {
      case ConvolutionKind::forward: {
        const auto d = describe_forward(engine_, descs, user_scratchpad());
        return {
            dnnl::convolution_forward(d), {DNNL_ARG_SRC, d.src_desc()}, {DNNL_ARG_WEIGHTS, d.weights_desc()},
            {DNNL_ARG_DST, d.dst_desc()}, d.scratchpad_desc(),          d.impl_info_str()};
      }
      case ConvolutionKind::image_gradient: {
        const auto d = describe_image_gradient(engine_, descs, user_scratchpad());
        return {dnnl::convolution_backward_data(d),
                {DNNL_ARG_DIFF_DST, d.diff_dst_desc()},
                {DNNL_ARG_WEIGHTS, d.weights_desc()},
                {DNNL_ARG_DIFF_SRC, d.diff_src_desc()},
                d.scratchpad_desc(),
                d.impl_info_str()};
      }
      case ConvolutionKind::weight_gradient: {
        const auto d = describe_weight_gradient(engine_, descs, user_scratchpad());
        return {dnnl::convolution_backward_weights(d),
                {DNNL_ARG_SRC, d.src_desc()},
                {DNNL_ARG_DIFF_DST, d.diff_dst_desc()},
                {DNNL_ARG_DIFF_WEIGHTS, d.diff_weights_desc()},
                d.scratchpad_desc(),
                d.impl_info_str()};
      }
    }
    throw Error(ErrorCode::internal, "a convolution without a kind");
  }

  void add_reorder(const ConvolutionSpec& spec) {
    const bool gradient = spec.kind == ConvolutionKind::weight_gradient;
    const Desc ours(weight_dims(spec), dnnl::memory::data_type::f32, dnnl::memory::format_tag::hwio);
    const Desc theirs = gradient ? plan_.parts.output.desc : plan_.parts.other.desc;
    if (ours == theirs) return;
    const Desc& from = gradient ? theirs : ours;
    const Desc& to = gradient ? ours : theirs;
    const dnnl::reorder::primitive_desc d(engine_, from, engine_, to, user_scratchpad());
    plan_.reorder = WeightReorder{dnnl::reorder(d), from, to, d.scratchpad_desc()};
    plan_.weight_bytes = theirs.get_size();
  }

  dnnl::engine engine_;
  ConvolutionPlan plan_;
};

// ---- Products of nothing
// -----------------------------------------------------------------------------------

float activate(const PostOpSpec& activation, float x) {
  switch (activation.kind) {
    case PostOp::relu:
      return std::max(x, 0.0F);
    case PostOp::leaky_relu:
      return x < 0 ? activation.alpha * x : x;
    case PostOp::elu:
      return x < 0 ? activation.alpha * std::expm1(x) : x;
    case PostOp::gelu:
      return 0.5F * x * (1 + std::erf(x * 0.70710678F));
    case PostOp::silu:
      return x / (1 + std::exp(-x));
    case PostOp::sigmoid:
      return 1 / (1 + std::exp(-x));
    case PostOp::tanh:
      return std::tanh(x);
    case PostOp::softplus:
      return std::log1p(std::exp(-std::abs(x))) + std::max(x, 0.0F);
  }
  return x;
}

/// Without inner elements the product is zero: oneDNN would leave the output as it was.
class EmptyMatmul final : public Matmul, public BoundMatmul {
 public:
  explicit EmptyMatmul(const MatmulSpec& spec) : spec_(spec) {}
  std::unique_ptr<BoundMatmul> bind() const override { return std::make_unique<EmptyMatmul>(spec_); }
  std::size_t scratch_bytes() const override { return 0; }
  const std::string& implementation() const override { return name_; }
  bool run(const MatmulArguments& arguments) noexcept override {
    for (std::int64_t i = 0; i < spec_.rows * spec_.columns; ++i) {
      const float x = spec_.bias ? arguments.bias[i % spec_.columns] : 0.0F;
      arguments.output[i] = spec_.activation ? activate(*spec_.activation, x) : x;
    }
    return true;
  }

 private:
  MatmulSpec spec_;
  std::string name_ = "empty";
};

}  // namespace

std::unique_ptr<Matmul> make_onednn_matmul(const MatmulSpec& spec) {
  if (spec.rows == 0 || spec.columns == 0 || spec.inner == 0) return std::make_unique<EmptyMatmul>(spec);
  // oneDNN does not check, and computes with int here and there.
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (std::max({spec.rows, spec.columns, spec.inner}) > most) {
    throw Error(ErrorCode::memory,
                fmt::format("a product [{}, {}] @ [{}, {}] is larger than any that can run; a "
                            "smaller batch needs less",
                            spec.rows, spec.inner, spec.inner, spec.columns));
  }
  open_onednn();
  // How many threads a primitive may use is fixed when it is made.
  const SingleOpenMpThread one;
  try {
    return std::make_unique<OneDnnMatmul>(spec, dnnl::engine(dnnl::engine::kind::cpu, 0));
  } catch (const dnnl::error& error) {
    const ErrorCode code = error.status == dnnl_out_of_memory ? ErrorCode::memory : ErrorCode::internal;
    throw Error(code, fmt::format("oneDNN refuses a product [{}, {}] @ [{}, {}]: {}", spec.rows, spec.inner,
                                  spec.inner, spec.columns, error.what()));
  }
}

std::unique_ptr<Convolution> make_onednn_convolution(const ConvolutionSpec& spec) {
  open_onednn();
  const SingleOpenMpThread one;
  try {
    return std::make_unique<OneDnnConvolution>(spec, dnnl::engine(dnnl::engine::kind::cpu, 0));
  } catch (const dnnl::error& error) {
    const ErrorCode code = error.status == dnnl_out_of_memory ? ErrorCode::memory : ErrorCode::internal;
    throw Error(code, fmt::format("oneDNN refuses a convolution of [{}, {}, {}] with [{}, {}, {}, {}]: {}",
                                  spec.height, spec.width, spec.channels, spec.kernel_height,
                                  spec.kernel_width, spec.channels, spec.output_channels, error.what()));
  }
}

bool rides_on_onednn(const PostOpSpec& activation) {
  return activation.kind != PostOp::relu && (activation.kind != PostOp::leaky_relu || activation.alpha != 0);
}

std::string onednn_version() {
  open_onednn();
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

}  // namespace graphrun::runtime
