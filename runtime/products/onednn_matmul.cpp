#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "runtime/products/onednn.hpp"
#include "runtime/products/onednn_fence.hpp"

namespace graphrun::runtime {
namespace {

// ---- Descriptions ----

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
  dnnl::primitive_attr attributes = user_scratchpad();
  if (spec.activation) {
    const Eltwise e = eltwise(*spec.activation);
    dnnl::post_ops operations;
    append_eltwise(operations, e.algorithm, e.alpha, e.beta);
    attributes.set_post_ops(operations);
  }
  return attributes;
}

// ---- A product ----

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
    bool ok = set_address(a_, arguments.a) && set_address(b_, arguments.b) &&
              set_address(output_, arguments.output) && set_address(scratch_, arguments.scratch);
    if (count_ == 5) ok = ok && set_address(bias_, arguments.bias);
    announce_read(arguments.a, bytes_a_);
    announce_read(arguments.b, bytes_b_);
    announce_write(arguments.output, bytes_output_);
    return ok &&
           dnnl_primitive_execute(primitive_.get(), stream_.get(), count_, arguments_.data()) == dnnl_success;
  }

 private:
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

// ---- Products of nothing ----

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
  return made_by_onednn(
      fmt::format("a product [{}, {}] @ [{}, {}]", spec.rows, spec.inner, spec.inner, spec.columns),
      [&](const dnnl::engine& engine) { return std::make_unique<OneDnnMatmul>(spec, engine); });
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
