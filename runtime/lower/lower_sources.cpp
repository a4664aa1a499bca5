#include <algorithm>

#include "runtime/lower/lowering.hpp"

namespace graphrun::runtime {
namespace {

template <class T>
void write_as(std::byte* target, const std::vector<double>& values) {
  auto* const typed = reinterpret_cast<T*>(target);
  std::ranges::transform(values, typed, [](double value) { return static_cast<T>(value); });
}

/// Gives a place to all that no task computes: constants, variables, inputs.
class Sources {
 public:
  Sources(const BoundGraph& bound, Plan& plan) : bound_(bound), plan_(plan) {}

  std::vector<Place> run() {
    source_of_.resize(bound_.nodes.size());
    std::size_t constant_bytes = 0;
    std::vector<std::pair<NodeId, std::size_t>> constants;
    for (NodeId id = 0; id < bound_.nodes.size(); ++id) {
      const BoundInfo& info = bound_.info(id);
      if (!info.live || !info.source) continue;
      const Node& node = bound_.node(id);
      if (info.known || node.op->traits.constant) {
        source_of_[id] = {Space::constant, 0, static_cast<std::ptrdiff_t>(constant_bytes)};
        constants.emplace_back(id, constant_bytes);
        constant_bytes += aligned_size(bound_.bytes(id));
      } else if (node.op->traits.variable) {
        source_of_[id] = {Space::variable, static_cast<std::uint32_t>(plan_.variables.size()), 0};
        plan_.variables.push_back({node.name, info.extents});
        if (is_trainable(node)) plan_.statistics.parameters += element_count(info.extents);
      } else {
        source_of_[id] = {Space::feed, static_cast<std::uint32_t>(plan_.inputs.size()), 0};
        plan_.inputs.push_back({node.name, node.type.dtype, info.extents, bound_.bytes(id)});
      }
    }
    plan_.constants = allocate_aligned(constant_bytes);
    for (const auto& [id, offset] : constants) write_constant(id, plan_.constants.get() + offset);
    return std::move(source_of_);
  }

 private:
  static bool is_trainable(const Node& node) {
    const AttributeValue* flag = node.attributes.find("trainable");
    return flag == nullptr || !std::holds_alternative<bool>(*flag) || std::get<bool>(*flag);
  }

  void write_constant(NodeId id, std::byte* target) const {
    const Node& node = bound_.node(id);
    const BoundInfo& info = bound_.info(id);
    HostTensor value;
    if (info.known) {
      value = *info.known;
    } else {
      value = {info.extents, std::vector<double>(static_cast<std::size_t>(element_count(info.extents)))};
      node.op->reference({node, {}, value, {}, {}});
    }
    switch (node.type.dtype) {
      case DType::i32:
        return write_as<std::int32_t>(target, value.values);
      case DType::u8:
        return write_as<std::uint8_t>(target, value.values);
      case DType::f64:
        return write_as<double>(target, value.values);
      default:
        return write_as<float>(target, value.values);
    }
  }

  const BoundGraph& bound_;
  Plan& plan_;
  std::vector<Place> source_of_;
};

}  // namespace

std::vector<Place> place_sources(const BoundGraph& bound, Plan& plan) {
  return Sources(bound, plan).run();
}

}  // namespace graphrun::runtime
