#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "runtime/machine/aligned.hpp"
#include "runtime/products/column_sums.hpp"
#include "runtime/products/matmul_packing.hpp"
#include "runtime/products/onednn.hpp"
#include "runtime/products/onednn_eltwise.hpp"
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

using ElementType = dnnl::memory::data_type;

/// A matrix of `rows` x `columns`, stored as its transpose when asked. A vector is the same either way.
Desc matrix(std::int64_t rows, std::int64_t columns, bool transposed, ElementType type = ElementType::f32) {
  const bool swap = transposed && rows != 1 && columns != 1;
  return {{rows, columns}, type, swap ? dnnl::memory::dims{1, rows} : dnnl::memory::dims{columns, 1}};
}

/// Whether oneDNN runs the activation; otherwise our own kernel does, over what has been made. With AVX2 and
/// AVX-512 that is faster: oneDNN's tanh takes several times as long.
bool rides(const MatmulSpec& spec, Isa isa) {
  if (!spec.activation || (isa != Isa::baseline && !spec.bf16)) return false;
  return spec.activation->named && lets_nan_through(*spec.activation->named);
}

dnnl::primitive_attr attributes_of(const MatmulSpec& spec, Isa isa) {
  dnnl::primitive_attr attributes = primitive_attributes();
  if (rides(spec, isa)) {
    const OneDnnFunction f = onednn_function(*spec.activation->named);
    dnnl::post_ops operations;
    append_eltwise(operations, f.algorithm, f.alpha, f.beta);
    attributes.set_post_ops(operations);
  }
  return attributes;
}

// ---- A product ----

/// A spec, and what of it stands beside the primitive.
struct ProductPlan {
  MatmulSpec spec;
  Isa isa = Isa::baseline;
  dnnl::matmul::primitive_desc description;
  dnnl::matmul primitive;

  bool packs() const { return spec.a_stride != 0; }
  std::size_t primitive_scratch() const { return aligned_size(description.scratchpad_desc().get_size()); }
  std::size_t scratch_bytes() const {
    const std::int64_t packed = packs() ? spec.rows * spec.inner : 0;
    return primitive_scratch() +
           static_cast<std::size_t>(packed) * (spec.bf16 ? sizeof(Bf16) : sizeof(float));
  }
};

/// Memory objects and arguments made once; a run only sets the addresses.
class BoundOneDnnMatmul final : public BoundMatmul {
 public:
  BoundOneDnnMatmul(const ProductPlan& plan, const dnnl::engine& engine)
      : plan_(plan),
        stream_(engine),
        a_(plan.description.src_desc(), engine, nullptr),
        b_(plan.description.weights_desc(), engine, nullptr),
        output_(plan.description.dst_desc(), engine, nullptr),
        scratch_(plan.description.scratchpad_desc(), engine, nullptr),
        bytes_a_(plan.description.src_desc().get_size()),
        bytes_b_(plan.description.weights_desc().get_size()),
        bytes_output_(plan.description.dst_desc().get_size()) {
    arguments_ = {{{DNNL_ARG_SRC, a_.get()},
                   {DNNL_ARG_WEIGHTS, b_.get()},
                   {DNNL_ARG_DST, output_.get()},
                   {DNNL_ARG_SCRATCHPAD, scratch_.get()},
                   {DNNL_ARG_BIAS, nullptr}}};
    if (!plan.spec.bias) return;
    bias_ = dnnl::memory(plan.description.bias_desc(), engine, nullptr);
    arguments_.back().memory = bias_.get();
    count_ = 5;
  }

  bool run(const MatmulArguments& arguments) noexcept override {
    const MatmulSpec& spec = plan_.spec;
    if (!execute(arguments, left(arguments))) return false;
    if (spec.column_sums) {
      sum_columns(arguments.b, static_cast<std::size_t>(spec.inner), static_cast<std::size_t>(spec.columns),
                  arguments.column_sums, plan_.isa);
    }
    if (spec.activation && !rides(spec, plan_.isa)) {
      activate(spec, arguments.output, static_cast<std::size_t>(spec.rows * spec.columns));
    }
    return true;
  }

 private:
  bool execute(const MatmulArguments& arguments, const void* a) noexcept {
    const void* const b = plan_.spec.bf16 ? static_cast<const void*>(arguments.narrow_b) : arguments.b;
    bool ok = set_address(a_, a) && set_address(b_, b) && set_address(output_, arguments.output) &&
              set_address(scratch_, arguments.scratch);
    if (count_ == 5) ok = ok && set_address(bias_, arguments.bias);
    announce_read(a, bytes_a_);
    announce_read(b, bytes_b_);
    announce_write(arguments.output, bytes_output_);
    // The first run of some products generates kernels.
    if (!has_run_) has_run_ = has_room_for_code();
    return ok && has_run_ && run_primitive(plan_.primitive, stream_, std::span(arguments_).first(count_));
  }

  const void* left(const MatmulArguments& arguments) const noexcept {
    if (plan_.spec.bf16 && plan_.packs()) return packed_columns(arguments);
    if (plan_.spec.bf16) return arguments.narrow_a;
    return plan_.packs() ? packed_rows(arguments) : arguments.a;
  }

  /// The same of bf16, left transposed: its kernels turn them round as they go.
  const Bf16* packed_columns(const MatmulArguments& arguments) const noexcept {
    auto* const packed = reinterpret_cast<Bf16*>(arguments.scratch + plan_.primitive_scratch());
    const auto rows = static_cast<std::size_t>(plan_.spec.rows);
    for (std::int64_t i = 0; i < plan_.spec.inner; ++i) {
      std::copy_n(arguments.narrow_a + i * plan_.spec.a_stride, rows, packed + i * plan_.spec.rows);
    }
    return packed;
  }

  /// Rows of a transposed operand that lie apart, one after the other: the fast primitives take dense ones.
  const float* packed_rows(const MatmulArguments& arguments) const noexcept {
    auto* const packed = reinterpret_cast<float*>(arguments.scratch + plan_.primitive_scratch());
    const auto inner = static_cast<std::size_t>(plan_.spec.inner);
    pack_transposed(arguments.a, static_cast<std::size_t>(plan_.spec.a_stride), inner,
                    static_cast<std::size_t>(plan_.spec.rows), packed, inner);
    return packed;
  }

  ProductPlan plan_;
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
  std::size_t count_ = 4;
  bool has_run_ = false;
};

class OneDnnMatmul final : public Matmul {
 public:
  OneDnnMatmul(const MatmulSpec& spec, Isa isa, const dnnl::engine& engine) : engine_(engine) {
    plan_ = {spec, isa, make_description(spec, isa, engine), {}};
    plan_.primitive = dnnl::matmul(plan_.description);
    implementation_ = onednn_name(plan_.description.impl_info_str());
  }

  std::unique_ptr<BoundMatmul> bind() const override {
    const SingleOpenMpThread one;
    return std::make_unique<BoundOneDnnMatmul>(plan_, engine_);
  }
  std::size_t scratch_bytes() const override { return plan_.scratch_bytes(); }
  const std::string& implementation() const override { return implementation_; }

 private:
  static dnnl::matmul::primitive_desc make_description(const MatmulSpec& spec, Isa isa,
                                                       const dnnl::engine& engine) {
    const ElementType read = spec.bf16 ? ElementType::bf16 : ElementType::f32;
    const bool packed = spec.a_stride != 0 && !spec.bf16;
    const Desc a = matrix(spec.rows, spec.inner, spec.transpose_a && !packed, read);
    const Desc b = matrix(spec.inner, spec.columns, spec.transpose_b, read);
    const Desc output = matrix(spec.rows, spec.columns, false);
    const Desc bias({1, spec.columns}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab);
    return describe(engine, a, b, spec.bias ? &bias : nullptr, output, attributes_of(spec, isa));
  }

  dnnl::engine engine_;
  ProductPlan plan_;
  std::string implementation_;
};

// ---- Products of nothing ----

/// Without inner elements the product is zero: oneDNN would leave the output as it was.
class EmptyMatmul final : public Matmul, public BoundMatmul {
 public:
  explicit EmptyMatmul(const MatmulSpec& spec) : spec_(spec) {}
  std::unique_ptr<BoundMatmul> bind() const override { return std::make_unique<EmptyMatmul>(spec_); }
  std::size_t scratch_bytes() const override { return 0; }
  const std::string& implementation() const override { return name_; }
  bool run(const MatmulArguments& arguments) noexcept override {
    const std::int64_t count = spec_.rows * spec_.columns;
    for (std::int64_t i = 0; i < count; ++i) {
      arguments.output[i] = spec_.bias ? arguments.bias[i % spec_.columns] : 0.0F;
    }
    activate(spec_, arguments.output, static_cast<std::size_t>(count));
    if (spec_.column_sums) sum_right(arguments);
    return true;
  }

 private:
  void sum_right(const MatmulArguments& arguments) const noexcept {
    std::fill_n(arguments.column_sums, spec_.columns, 0.0F);
    for (std::int64_t i = 0; i < spec_.inner * spec_.columns; ++i) {
      arguments.column_sums[i % spec_.columns] += arguments.b[i];
    }
  }

  MatmulSpec spec_;
  std::string name_ = "empty";
};

}  // namespace

std::unique_ptr<Matmul> make_onednn_matmul(const MatmulSpec& spec, Isa isa) {
  if (spec.rows == 0 || spec.columns == 0 || spec.inner == 0) return std::make_unique<EmptyMatmul>(spec);
  if (std::max({spec.rows, spec.columns, spec.inner}) > onednn_largest) {
    throw Error(ErrorCode::memory,
                fmt::format("a product [{}, {}] @ [{}, {}] is larger than any that can run; a "
                            "smaller batch needs less",
                            spec.rows, spec.inner, spec.inner, spec.columns));
  }
  return made_by_onednn(
      fmt::format("a product [{}, {}] @ [{}, {}]", spec.rows, spec.inner, spec.inner, spec.columns),
      [&](const dnnl::engine& engine) { return std::make_unique<OneDnnMatmul>(spec, isa, engine); });
}

void require_one_thread(unsigned runtime) {
  constexpr unsigned one_thread = DNNL_RUNTIME_SEQ | DNNL_RUNTIME_OMP | DNNL_RUNTIME_THREADPOOL;
  if ((runtime & ~one_thread) == 0) return;
  throw Error(ErrorCode::io,
              fmt::format("this oneDNN was built to start threads of its own ({}), which would "
                          "change results with their number; install one that is built for "
                          "OpenMP, as Debian's libdnnl is, or with DNNL_CPU_RUNTIME=SEQ",
                          runtime == DNNL_RUNTIME_TBB ? "those of TBB" : "those of SYCL"));
}

std::string onednn_version() {
  if (!onednn_is_open())
    return fmt::format("{}.{}.{}", DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR, DNNL_VERSION_PATCH);
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

}  // namespace graphrun::runtime
