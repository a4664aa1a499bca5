#include "runtime/lower/group_kernels.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/lower/eltwise_call.hpp"
#include "runtime/lower/total_call.hpp"

namespace graphrun::runtime {

GroupKernels::GroupKernels(const BoundGraph& bound, const Partition& partition,
                           const LoweringOptions& options, Plan& plan)
    : bound_(bound), partition_(partition), options_(options), plan_(plan) {
  in_place_.resize(partition_.groups.size());
  programs_.resize(partition_.groups.size());
  lone_.resize(partition_.groups.size());
  for (std::size_t i = 0; i < partition_.groups.size(); ++i) {
    const Group& group = partition_.groups[i];
    if (group.kind != GroupKind::elementwise || give_to_provider(i)) continue;
    programs_[i] = elementwise_program(bound_, group, options_.isa);
    in_place_[i] = programs_[i].in_place;
  }
}

bool GroupKernels::give_to_provider(std::size_t index) {
  const Group& group = partition_.groups[index];
  const std::optional<LoneFunction> function = lone_function(bound_, group);
  if (!function) return false;
  const EltwiseProvider* const provider = eltwise_provider(function->spec, options_.provider);
  if (provider == nullptr) return false;
  lone_[index] = Lone{*function, provider};
  in_place_[index] = {{group.stored.front(), function->cotangents.value_or(function->values)}};
  return true;
}

void GroupKernels::make_call(std::uint32_t index) {
  const Group& group = partition_.groups[index];
  std::unique_ptr<Call> call;
  if (group.kind == GroupKind::elementwise && !lone_[index]) {
    call = make_elementwise_call(programs_[index]);
  } else if (group.kind == GroupKind::total) {
    call = make_total_call(element_count(bound_.info(group.stored.front()).extents));
  } else if (group.kind == GroupKind::call && group.ranges.empty()) {
    call = single_call(group.members.front(), bound_.batch);
  }
  call_of_.push_back(call ? keep(std::move(call)) : nullptr);
}

const Call* GroupKernels::keep(std::unique_ptr<Call> call) {
  kernel_scratch_ = std::max(kernel_scratch_, call->scratch_bytes());
  if (std::string warning = call->warning(); !warning.empty()) {
    plan_.warnings.push_back(std::move(warning));
  }
  plan_.calls.push_back(std::move(call));
  return plan_.calls.back().get();
}

const Call* GroupKernels::range_call(std::uint32_t group, std::int64_t rows) {
  const auto [known, made] = range_calls_.try_emplace({group, rows}, nullptr);
  if (made) known->second = keep(single_call(partition_.groups[group].members.front(), rows));
  return known->second;
}

std::unique_ptr<Call> GroupKernels::single_call(NodeId id, std::int64_t rows) const {
  const Node& node = bound_.node(id);
  const BoundInfo& info = bound_.info(id);
  if (info.kernel->make == nullptr) {
    throw Error(ErrorCode::internal,
                fmt::format("the op '{}' has no kernel for {}", node.op->name, to_string(node.type)), {},
                node.name);
  }
  BoundNode bound{node, {}, {}, info.extents, options_.isa, bound_.reads_narrow(id), options_.provider};
  for (const NodeId input : node.inputs) {
    bound.input_types.push_back(bound_.node(input).type);
    bound.inputs.push_back(rows == bound_.batch ? bound_.info(input).extents
                                                : graphrun::bind(bound_.node(input).type.shape, rows));
  }
  return info.kernel->make(bound);
}

std::uint32_t GroupKernels::matmul_for(const Group& group, std::int64_t rows, bool column_sums) {
  MatmulSpec spec = group.spec;
  spec.rows = rows * group.rows_each;
  if (spec.transpose_a && spec.rows != group.spec.rows) spec.a_stride = group.spec.rows;
  spec.column_sums = column_sums;
  const auto known = matmuls_.find(spec);
  if (known != matmuls_.end()) return known->second;
  auto matmul = group.provider->make(spec);
  if (is_reference_implementation(matmul->implementation())) {
    plan_.warnings.push_back(fmt::format("'{}', [{}, {}] @ [{}, {}], runs on the slow {}",
                                         bound_.node(group.product).name, spec.rows, spec.inner, spec.inner,
                                         spec.columns, matmul->implementation()));
  }
  kernel_scratch_ = std::max(kernel_scratch_, matmul->scratch_bytes());
  const auto index = static_cast<std::uint32_t>(plan_.matmuls.size());
  plan_.matmuls.push_back(std::move(matmul));
  matmuls_.emplace(spec, index);
  return index;
}

const Call* GroupKernels::eltwise_for(std::uint32_t group, std::int64_t rows) {
  EltwiseSpec spec = lone_[group]->function.spec;
  const Extents& extents = partition_.groups[group].shape;
  if (!extents.empty() && extents[0] > 0) spec.count = spec.count / extents[0] * rows;
  const auto known = std::ranges::find(eltwise_, spec, &KnownEltwise::spec);
  if (known != eltwise_.end()) return known->call;
  auto call = make_eltwise_call(lone_[group]->provider->make(spec));
  if (std::string warning = call->warning(); !warning.empty()) plan_.warnings.push_back(std::move(warning));
  plan_.calls.push_back(std::move(call));
  eltwise_.push_back({spec, plan_.calls.back().get()});
  return eltwise_.back().call;
}

}  // namespace graphrun::runtime
