#include "runtime/products/onednn_eltwise.hpp"

#include <fmt/format.h>

#include <array>

#include "runtime/products/onednn.hpp"

namespace graphrun::runtime {
namespace {

// ---- Descriptions ----

dnnl::eltwise_forward::primitive_desc describe_forward(const dnnl::engine& engine, const OneDnnFunction& f,
                                                       const Desc& values) {
  constexpr auto purpose = dnnl::prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
  return {engine, purpose, f.algorithm, values, values, f.alpha, f.beta, primitive_attributes()};
#else
  return {{purpose, f.algorithm, values, f.alpha, f.beta}, primitive_attributes(), engine};
#endif
}

dnnl::eltwise_backward::primitive_desc describe_backward(
    const dnnl::engine& engine, const OneDnnFunction& f, const Desc& values,
    const dnnl::eltwise_forward::primitive_desc& forward) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, f.algorithm, values, values, values, f.alpha, f.beta, forward, primitive_attributes()};
#else
  return {{f.algorithm, values, values, f.alpha, f.beta}, primitive_attributes(), engine, forward};
#endif
}

/// The functions whose gradient comes from the result of the function.
dnnl::algorithm gradient_algorithm(PostOp kind) {
  switch (kind) {
    case PostOp::tanh:
      return dnnl::algorithm::eltwise_tanh_use_dst_for_bwd;
    case PostOp::sigmoid:
      return dnnl::algorithm::eltwise_logistic_use_dst_for_bwd;
    default:
      throw Error(ErrorCode::internal, "a function whose gradient oneDNN does not take from its result");
  }
}

// ---- A function ----

struct EltwisePlan {
  dnnl::primitive primitive;
  Desc values;
  Desc scratchpad;
  bool gradient = false;
};

class BoundOneDnnEltwise final : public BoundEltwise {
 public:
  BoundOneDnnEltwise(const EltwisePlan& plan, const dnnl::engine& engine)
      : primitive_(plan.primitive),
        stream_(engine),
        values_(plan.values, engine, nullptr),
        cotangents_(plan.values, engine, nullptr),
        output_(plan.values, engine, nullptr),
        bytes_(plan.values.get_size()) {
    if (plan.gradient) {
      arguments_ = {{{DNNL_ARG_DST, values_.get()},
                     {DNNL_ARG_DIFF_SRC, output_.get()},
                     {DNNL_ARG_DIFF_DST, cotangents_.get()}}};
    } else {
      arguments_ = {{{DNNL_ARG_SRC, values_.get()}, {DNNL_ARG_DST, output_.get()}, {}}};
      count_ = 2;
    }
  }

  bool run(const EltwiseArguments& arguments) noexcept override {
    announce_read(arguments.values, bytes_);
    announce_write(arguments.output, bytes_);
    if (count_ == 3) announce_read(arguments.cotangents, bytes_);
    return set_address(values_, arguments.values) && set_address(output_, arguments.output) &&
           (count_ == 2 || set_address(cotangents_, arguments.cotangents)) &&
           run_primitive(primitive_, stream_, std::span(arguments_).first(count_));
  }

 private:
  dnnl::primitive primitive_;
  dnnl::stream stream_;
  dnnl::memory values_;
  dnnl::memory cotangents_;
  dnnl::memory output_;
  std::size_t bytes_;
  std::array<dnnl_exec_arg_t, 3> arguments_{};
  std::size_t count_ = 3;
};

class OneDnnEltwise final : public Eltwise {
 public:
  OneDnnEltwise(const EltwiseSpec& spec, const dnnl::engine& engine) : engine_(engine) {
    plan_.values = Desc({spec.count}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a);
    plan_.gradient = spec.gradient;
    OneDnnFunction function = onednn_function(spec.function);
    if (spec.gradient) function.algorithm = gradient_algorithm(spec.function.kind);
    const auto forward = describe_forward(engine, function, plan_.values);
    if (spec.gradient) {
      take<dnnl::eltwise_backward>(describe_backward(engine, function, plan_.values, forward));
    } else {
      take<dnnl::eltwise_forward>(forward);
    }
  }

  std::unique_ptr<BoundEltwise> bind() const override {
    const SingleOpenMpThread one;
    return std::make_unique<BoundOneDnnEltwise>(plan_, engine_);
  }
  const std::string& implementation() const override { return implementation_; }

 private:
  template <class Primitive>
  void take(const typename Primitive::primitive_desc& description) {
    if (description.scratchpad_desc().get_size() > 0)
      throw Error(ErrorCode::internal, "oneDNN wants scratch for an elementwise function");
    plan_.primitive = Primitive(description);
    implementation_ = onednn_name(description.impl_info_str());
  }

  dnnl::engine engine_;
  EltwisePlan plan_;
  std::string implementation_;
};

}  // namespace

OneDnnFunction onednn_function(const PostOpSpec& function) {
  switch (function.kind) {
    case PostOp::relu:
      return {dnnl::algorithm::eltwise_relu};
    case PostOp::leaky_relu:
      return {dnnl::algorithm::eltwise_relu, function.alpha};
    case PostOp::elu:
      return {dnnl::algorithm::eltwise_elu, function.alpha};
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
  throw Error(ErrorCode::internal, "a function without a name in oneDNN");
}

std::unique_ptr<Eltwise> make_onednn_eltwise(const EltwiseSpec& spec) {
  return made_by_onednn(
      fmt::format("a function of {} elements", spec.count),
      [&](const dnnl::engine& engine) { return std::make_unique<OneDnnEltwise>(spec, engine); });
}

bool lets_nan_through(const PostOpSpec& function) {
  return function.kind != PostOp::relu && (function.kind != PostOp::leaky_relu || function.alpha != 0);
}

}  // namespace graphrun::runtime
