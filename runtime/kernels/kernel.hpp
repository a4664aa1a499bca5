/// \file
/// How ops run: the interface between ops/ (which provide kernels) and lowering (which chooses and binds
/// them). Tensors are dense row-major, 64-byte aligned. f32 graphs only; integers are i32 or u8.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/graph.hpp"
#include "graph/op.hpp"
#include "runtime/kernels/fused_form.hpp"
#include "runtime/kernels/post_op.hpp"
#include "runtime/kernels/vector_kernel.hpp"
#include "runtime/machine/isa.hpp"

namespace graphrun::runtime {

enum class ProviderChoice : std::uint8_t;  // runtime/products/provider.hpp

/// A node with the batch bound, as a kernel factory sees it. A node whose `axes` allow it is run in slices of
/// rows: a call covers CallArguments::row_count of them.
struct BoundNode {
  const Node& node;
  std::vector<Type> input_types;  ///< dtypes; shapes are symbolic
  std::vector<Extents> inputs;    ///< of the whole batch
  Extents output;
  Isa isa = Isa::baseline;
  bool narrow_inputs = false;  ///< stored as bf16, both: see KernelDef::narrow
  ProviderChoice provider{};   ///< who is asked first to run products; by default as the machine suits
};

/// What a call changes beside its output and scratch, such as the memory objects of a library.
class CallState {
 public:
  virtual ~CallState() = default;
};

/// What one call works on. Pointers are already at row `row_begin` for sliced operands (output and inputs
/// that carry the batch rows); others point at their start.
struct CallArguments {
  std::span<const std::byte* const> inputs;
  std::span<std::byte* const> written;  ///< effects: the variables of OpDef::writes
  std::byte* output = nullptr;
  std::byte* scratch = nullptr;  ///< scratch_bytes() of it, 64-byte aligned, private to this call
  /// Rows of axis 0 of the output, of effects of the first written variable; 0 and all rows when run as a
  /// whole. Updates may be cut into rows: inputs of the variable's shape and `written` are then at row_begin.
  std::int64_t row_begin = 0;
  std::int64_t row_count = 0;
  RandomState random;
  /// Effects set it when a value they read is not finite: for an update, that variable is then reported; for
  /// `check_finite`, the step ends before its first update. Null elsewhere.
  std::atomic<bool>* non_finite = nullptr;
  CallState* state = nullptr;  ///< what bind() gave, for this call alone
  bool* failed = nullptr;      ///< set when a library failed (out of memory): the run then ends with an error
};

/// One node as a kernel. Immutable after it is made; run() is called from several threads at once on disjoint
/// rows. A call never allocates, throws, prints or blocks.
class Call {
 public:
  virtual ~Call() = default;
  virtual void run(const CallArguments& arguments) const noexcept = 0;
  virtual std::size_t scratch_bytes() const { return 0; }
  /// Null when run() needs none. Each place in a plan that runs the call binds it once, before the first run.
  virtual std::unique_ptr<CallState> bind() const { return nullptr; }
  /// What is wrong with how it runs, for the plan's warnings: empty when nothing is.
  virtual std::string warning() const { return {}; }
  /// What a provider calls what it runs; empty: kernels of our own.
  virtual std::string implementation() const { return {}; }
};

using MakeCall = std::unique_ptr<Call> (*)(const BoundNode&);

/// A Call from a function object `void(const CallArguments&)`.
template <class Function>
std::unique_ptr<Call> make_call(Function function) {
  class Wrapped final : public Call {
   public:
    explicit Wrapped(Function body) : body_(std::move(body)) {}
    void run(const CallArguments& arguments) const noexcept override { body_(arguments); }

   private:
    Function body_;
  };
  return std::make_unique<Wrapped>(std::move(function));
}

/// How an op runs. An op gives what applies; lowering takes the best that fits.
struct KernelDef {
  std::optional<VectorKernel> vector = {};                      ///< elementwise: runs inside groups
  std::optional<VectorKernel> narrow = {};                      ///< the same, storing each result as bf16
  Immediates (*immediates)(const Node&) = nullptr;              ///< for `vector`
  std::vector<FusedForm<VectorKernel>> forms = {};              ///< rooted at this op; the first that fits
  std::vector<FusedForm<FoldKernel>> folds = {};                ///< the same, of a reduction
  std::optional<PostOpSpec> (*post_op)(const Node&) = nullptr;  ///< what libraries call it
  std::optional<ReductionKind> reduction = {};                  ///< by attributes axis, keepdims
  bool matmul = false;    ///< by attributes transpose_a, transpose_b: goes to the matmul provider
  bool alias = false;     ///< the output is the first input's bytes in another shape: no work at all
  bool addition = false;  ///< the sum of two inputs: may ride on a matmul as its bias
  bool stretch = false;   ///< the input broadcast to the output's shape: no work inside a group
  bool (*narrow_inputs)(const Node&) = nullptr;  ///< whether `make` takes inputs that are stored as bf16, too
  MakeCall make = nullptr;                       ///< runs alone, over rows when its `axes` say so
};

/// The kernels by op. Immutable after it is made.
class KernelRegistry {
 public:
  explicit KernelRegistry(std::vector<std::pair<std::string, KernelDef>> kernels);
  const KernelDef* find(const OpDef& op) const;  ///< null: the op never reaches a plan

 private:
  std::unordered_map<std::string, KernelDef> by_op_;
};

}  // namespace graphrun::runtime
