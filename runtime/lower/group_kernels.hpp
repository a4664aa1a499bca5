/// \file
/// The kernels of a plan: for each group a program, a call or products of the sizes that its parts have.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/lower/lowering.hpp"

namespace graphrun::runtime {

/// Makes kernels, which the plan owns. What it refers to outlives it.
class GroupKernels {
 public:
  /// Makes the programs of elementwise groups, on which the places of buffers depend.
  GroupKernels(const BoundGraph& bound, const Partition& partition, const LoweringOptions& options,
               Plan& plan);

  /// By group: pairs (output, input) of nodes that may share a buffer.
  const std::vector<std::vector<std::pair<NodeId, NodeId>>>& in_place() const { return in_place_; }
  const ElementwiseProgram& program(std::uint32_t group) const { return programs_[group]; }
  /// The function that a provider runs for a group; null when it runs none.
  const LoneFunction* lone(std::uint32_t group) const {
    return lone_[group] ? &lone_[group]->function : nullptr;
  }

  /// The call of an elementwise group, or of one that is a single node; for groups in their order.
  void make_call(std::uint32_t group);
  const Call* call(std::uint32_t group) const { return call_of_[group]; }
  /// The call of a group with ranges, for one of so many rows; equal ones are made once.
  const Call* range_call(std::uint32_t group, std::int64_t rows);
  /// A product for so many rows; equal ones are made once.
  std::uint32_t matmul_for(const Group& group, std::int64_t rows, bool column_sums);
  /// A function that a provider runs, for so many rows; equal ones are made once.
  const Call* eltwise_for(std::uint32_t group, std::int64_t rows);

  /// What the kernels made so far need of a worker's scratch.
  std::size_t scratch_bytes() const { return kernel_scratch_; }

 private:
  /// By the sizes: products of one size differ in little else.
  struct SpecHash {
    std::size_t operator()(const MatmulSpec& spec) const {
      std::size_t hash = 0;
      for (const std::int64_t size : {spec.rows, spec.columns, spec.inner, spec.a_stride}) {
        hash = hash * 1'000'003 + static_cast<std::size_t>(size);
      }
      return hash * 8 + (spec.bf16 ? 4 : 0) + (spec.transpose_a ? 2 : 0) + (spec.transpose_b ? 1 : 0);
    }
  };
  struct Lone {
    LoneFunction function;
    const EltwiseProvider* provider;
  };
  struct KnownEltwise {
    EltwiseSpec spec;
    const Call* call;
  };

  /// An elementwise group that is a single function may be a provider's.
  bool give_to_provider(std::size_t index);
  /// For a batch of so many rows.
  std::unique_ptr<Call> single_call(NodeId id, std::int64_t rows) const;
  const Call* keep(std::unique_ptr<Call> call);

  const BoundGraph& bound_;
  const Partition& partition_;
  const LoweringOptions& options_;
  Plan& plan_;
  std::vector<ElementwiseProgram> programs_;  // by group
  std::vector<std::optional<Lone>> lone_;     // by group
  std::vector<KnownEltwise> eltwise_;
  std::vector<std::vector<std::pair<NodeId, NodeId>>> in_place_;               // by group
  std::vector<const Call*> call_of_;                                           // by group
  std::map<std::pair<std::uint32_t, std::int64_t>, const Call*> range_calls_;  // by group and rows
  std::unordered_map<MatmulSpec, std::uint32_t, SpecHash> matmuls_;
  std::size_t kernel_scratch_ = 0;
};

}  // namespace graphrun::runtime
