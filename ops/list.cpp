#include "ops/list.hpp"

namespace graphrun::ops {
namespace {

std::vector<Op> all() {
  std::vector<Op> ops;
  ops.push_back(tanh());
  return ops;
}

OpRegistry make_registry() {
  std::vector<OpDef> definitions;
  for (Op& op : all()) definitions.push_back(std::move(op.definition));
  return OpRegistry(std::move(definitions));
}

runtime::KernelRegistry make_kernels() {
  std::vector<std::pair<std::string, runtime::KernelDef>> kernels;
  for (Op& op : all()) kernels.emplace_back(op.definition.name, std::move(op.kernel));
  return runtime::KernelRegistry(std::move(kernels));
}

}  // namespace

const OpRegistry& registry() {
  static const OpRegistry registry = make_registry();
  return registry;
}

const runtime::KernelRegistry& kernels() {
  static const runtime::KernelRegistry kernels = make_kernels();
  return kernels;
}

}  // namespace graphrun::ops
