#include <fmt/format.h>

#include <algorithm>

#include "runtime/lower/lowering.hpp"
#include "runtime/lower/rows.hpp"

namespace graphrun::runtime {
namespace {

/// Numbers known beforehand are folded up to this many elements: enough for all scalar arithmetic.
constexpr std::int64_t foldable_elements = 16;

class Binder {
 public:
  Binder(const Graph& graph, std::int64_t batch, const KernelRegistry& kernels,
         const LoweringOptions& options)
      : options_(options) {
    bound_.graph = &graph;
    bound_.batch = batch;
    bound_.nodes.resize(graph.size());
    for (NodeId id = 0; id < graph.size(); ++id) bind_node(id, kernels);
    for (NodeId id = 0; id < graph.size(); ++id) fold(id);
    mark_live();
    for (NodeId id = 0; id < graph.size(); ++id) resolve(id);
    collect_uses();
    if (options_.precision == Precision::bf16 && !options_.keep_values) mark_narrow();
  }

  BoundGraph take() { return std::move(bound_); }

 private:
  void bind_node(NodeId id, const KernelRegistry& kernels) {
    const Node& node = bound_.node(id);
    BoundInfo& info = bound_.nodes[id];
    info.extents = bind(node.type.shape, bound_.batch);
    checked_multiply(element_count(info.extents), 8);
    info.kernel = kernels.find(*node.op);
    info.rows = runs_by_rows(*bound_.graph, node);
    info.root = id;
  }

  /// Sizes, and arithmetic on constants and sizes, by the op's own meaning in f64.
  void fold(NodeId id) {
    const Node& node = bound_.node(id);
    BoundInfo& info = bound_.nodes[id];
    const Traits& traits = node.op->traits;
    const bool computes = !traits.effect && !traits.random && !traits.variable && !traits.input &&
                          !traits.mode && !traits.gradient && node.op->reference != nullptr;
    if (!computes || element_count(info.extents) > foldable_elements) return;
    std::vector<HostTensor> shells(node.inputs.size());
    std::vector<const HostTensor*> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const BoundInfo& input = bound_.info(node.inputs[i]);
      if (!input.known && !traits.size) return;
      shells[i].extents = input.extents;
      inputs.push_back(input.known ? &*input.known : &shells[i]);
    }
    HostTensor value{info.extents,
                     std::vector<double>(static_cast<std::size_t>(element_count(info.extents)))};
    node.op->reference({node, inputs, value, {}, {}});
    info.known = std::move(value);
  }

  void mark_live() {
    const Graph& graph = *bound_.graph;
    for (const NamedOutput& output : graph.outputs()) bound_.nodes[output.node].live = true;
    for (NodeId id = static_cast<NodeId>(graph.size()); id-- > 0;) {
      const Node& node = graph.node(id);
      BoundInfo& info = bound_.nodes[id];
      if (node.op->traits.effect) info.live = options_.updates || node.op->writes.empty();
      if (!info.live || info.known) continue;
      for (const NodeId input : node.inputs) bound_.nodes[input].live = true;
      for (const NodeId control : node.controls) {
        if (!graph.node(control).op->traits.effect) bound_.nodes[control].live = true;
      }
    }
  }

  void resolve(NodeId id) {
    const Node& node = bound_.node(id);
    BoundInfo& info = bound_.nodes[id];
    const Traits& traits = node.op->traits;
    info.source = info.known || traits.variable || traits.input || traits.constant;
    if (!info.live || info.source) return;
    if (info.kernel == nullptr) {
      throw Error(ErrorCode::internal, fmt::format("the op '{}' has no kernel", node.op->name), {},
                  node.name);
    }
    if (info.kernel->alias) info.root = bound_.info(node.inputs[0]).root;
  }

  void collect_uses() {
    const Graph& graph = *bound_.graph;
    for (NodeId id = 0; id < graph.size(); ++id) {
      const BoundInfo& info = bound_.info(id);
      if (!info.live || info.source || info.root != id) continue;
      const Node& node = graph.node(id);
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const NodeId input = node.inputs[i];
        const NodeId root = bound_.info(input).root;
        const bool direct = bound_.info(input).extents == bound_.info(root).extents;
        bound_.nodes[root].uses.push_back({id, static_cast<std::uint32_t>(i), direct});
      }
    }
    for (const NamedOutput& output : graph.outputs()) {
      bound_.nodes[bound_.info(output.node).root].fetched = true;
    }
  }

  // ---- Values that are stored as bf16 ----

  /// A product reads both operands as bf16 or none: what one of them forbids, the other must not do either.
  void mark_narrow() {
    for (BoundInfo& info : bound_.nodes) {
      info.narrow = info.live && !info.source && info.kernel->narrow && !info.fetched &&
                    std::ranges::all_of(info.uses, &Use::direct);
    }
    for (bool changed = true; changed;) {
      changed = false;
      for (BoundInfo& info : bound_.nodes) {
        const auto reads = [this](const Use& use) { return bound_.reads_narrow(use.user); };
        if (!info.narrow || std::ranges::all_of(info.uses, reads)) continue;
        info.narrow = false;
        changed = true;
      }
    }
  }

  const LoweringOptions& options_;
  BoundGraph bound_;
};

}  // namespace

std::size_t BoundGraph::bytes(NodeId id) const {
  return static_cast<std::size_t>(element_count(info(id).extents)) * element_bytes(id);
}

std::size_t BoundGraph::element_bytes(NodeId id) const {
  return info(id).narrow ? sizeof(Bf16) : bytes_of(node(id).type.dtype);
}

bool BoundGraph::is_one_product(NodeId id) const {
  const std::vector<NodeId>& inputs = node(id).inputs;
  return one_product(node(id).attributes, info(inputs[0]).extents, info(inputs[1]).extents, info(id).extents)
      .has_value();
}

bool BoundGraph::reads_narrow(NodeId id) const {
  const KernelDef& kernel = *info(id).kernel;
  const bool may = (kernel.matmul && is_one_product(id)) ||
                   (kernel.narrow_inputs != nullptr && kernel.narrow_inputs(node(id)));
  return may && std::ranges::all_of(node(id).inputs, [this](NodeId input) { return info(input).narrow; });
}

bool BoundGraph::sliced_input(NodeId user, std::size_t i) const {
  if (!info(user).rows) return false;
  const Shape& shape = node(node(user).inputs[i]).type.shape;
  return !shape.empty() && shape[0].is_batch();
}

Cost BoundGraph::cost(NodeId id) const {
  const Extents& output = info(id).extents;
  if (node(id).op->cost == nullptr) {
    const auto count = static_cast<double>(element_count(output));
    return {count, 8 * count};
  }
  std::vector<Extents> inputs;
  for (const NodeId input : node(id).inputs) inputs.push_back(info(input).extents);
  return node(id).op->cost({inputs, output, node(id).attributes});
}

BoundGraph bind_graph(const Graph& graph, std::int64_t batch, const KernelRegistry& kernels,
                      const LoweringOptions& options) {
  return Binder(graph, batch, kernels, options).take();
}

}  // namespace graphrun::runtime
