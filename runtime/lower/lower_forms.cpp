#include <algorithm>

#include "runtime/lower/lowering.hpp"

namespace graphrun::runtime {
namespace {

constexpr NodeId unbound = ~NodeId{0};

class Matcher {
 public:
  Matcher(const BoundGraph& bound, const Group& group, std::size_t names)
      : bound_(bound), group_(group), values_(names, unbound) {}

  /// The inputs of `id`, in the order that fits.
  bool inputs_match(const PatternTerm& term, NodeId id) {
    const std::vector<NodeId>& inputs = bound_.node(id).inputs;
    if (inputs.size() != term.inputs.size()) return false;
    const std::vector<NodeId> before = values_;
    if (in_order(term, inputs)) return true;
    values_ = before;
    if (!bound_.node(id).op->traits.bitwise_commutative) return false;
    if (in_order(term, {inputs.rbegin(), inputs.rend()})) return true;
    values_ = before;
    return false;
  }

  std::vector<NodeId> take() { return std::move(values_); }

 private:
  bool in_order(const PatternTerm& term, const std::vector<NodeId>& inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!matches(term.inputs[i], inputs[i])) return false;
    }
    return true;
  }

  bool matches(const PatternTerm& term, NodeId input) {
    if (term.op.empty()) return bind(values_[term.name], input);
    const std::optional<NodeId> id = value_inside(bound_, group_, input);
    if (!id || bound_.node(*id).op->name != term.op) return false;
    const KernelDef& kernel = *bound_.info(*id).kernel;
    return kernel.vector && kernel.immediates == nullptr && inputs_match(term, *id);
  }

  bool bind(NodeId& value, NodeId input) const {
    if (value == unbound) value = input;
    const BoundInfo& known = bound_.info(value);
    const BoundInfo& given = bound_.info(input);
    return known.root == given.root && known.extents == given.extents;
  }

  const BoundGraph& bound_;
  const Group& group_;
  std::vector<NodeId> values_;  // by name
};

/// What is read is as large as the result, and made elsewhere.
bool is_operand(const BoundGraph& bound, const Group& group, NodeId input) {
  return !value_inside(bound, group, input) && bound.info(input).extents == group.shape;
}

bool is_one(const BoundGraph& bound, NodeId input) {
  const std::optional<HostTensor>& known = bound.info(input).known;
  return known && known->values.size() == 1 && known->values.front() == 1;
}

std::optional<LoneFunction> lone_gradient(const BoundGraph& bound, const Group& group, NodeId id) {
  for (const FusedForm<VectorKernel>& form : bound.info(id).kernel->forms) {
    const auto names = match_form(form.pattern, bound, group, id);
    if (!names) continue;
    if (!form.gradient) return std::nullopt;
    const NodeId values = (*names)[form.gradient->result];
    const NodeId cotangents = (*names)[form.gradient->cotangent];
    const bool fits = is_operand(bound, group, values) && is_operand(bound, group, cotangents) &&
                      is_one(bound, (*names)[form.gradient->one]);
    if (!fits) return std::nullopt;
    return LoneFunction{{{form.gradient->kind}, true, element_count(group.shape)}, values, cotangents};
  }
  return std::nullopt;
}

}  // namespace

std::optional<LoneFunction> lone_function(const BoundGraph& bound, const Group& group) {
  if (group.kind != GroupKind::elementwise || group.reduced != 0 || group.stored.size() != 1) return {};
  const NodeId id = group.stored.front();
  const KernelDef& kernel = *bound.info(id).kernel;
  if (kernel.post_op == nullptr) return lone_gradient(bound, group, id);
  const NodeId input = bound.node(id).inputs[0];
  const std::optional<PostOpSpec> function = kernel.post_op(bound.node(id));
  if (!function || !is_operand(bound, group, input)) return {};
  return LoneFunction{{*function, false, element_count(group.shape)}, input, {}};
}

std::optional<NodeId> value_inside(const BoundGraph& bound, const Group& group, NodeId input) {
  const NodeId root = bound.info(input).root;
  const bool inside = std::ranges::binary_search(group.members, root);
  if (!inside || bound.info(root).extents != bound.info(input).extents) return std::nullopt;
  return root;
}

std::optional<std::vector<NodeId>> match_form(const Pattern& pattern, const BoundGraph& bound,
                                              const Group& group, NodeId root) {
  Matcher matcher(bound, group, pattern.names());
  if (!matcher.inputs_match(pattern.root(), root)) return std::nullopt;
  return matcher.take();
}

}  // namespace graphrun::runtime
