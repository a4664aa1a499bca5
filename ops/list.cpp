#include "ops/list.hpp"

namespace graphrun::ops {
namespace {

std::vector<Op> all() {
  std::vector<Op> ops;
  // Elementwise.
  ops.push_back(add());
  ops.push_back(div());
  ops.push_back(exp());
  ops.push_back(log());
  ops.push_back(mul());
  ops.push_back(neg());
  ops.push_back(relu());
  ops.push_back(sigmoid());
  ops.push_back(softplus());
  ops.push_back(square());
  ops.push_back(step());
  ops.push_back(sub());
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
