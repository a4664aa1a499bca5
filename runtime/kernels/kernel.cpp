#include "runtime/kernels/kernel.hpp"

namespace graphrun::runtime {

KernelRegistry::KernelRegistry(std::vector<std::pair<std::string, KernelDef>> kernels) {
  for (auto& [op, kernel] : kernels) {
    if (!by_op_.emplace(op, std::move(kernel)).second) {
      throw Error(ErrorCode::internal, "the op '" + op + "' has two kernels");
    }
  }
}

const KernelDef* KernelRegistry::find(const OpDef& op) const {
  const auto found = by_op_.find(op.name);
  return found == by_op_.end() ? nullptr : &found->second;
}

}  // namespace graphrun::runtime
