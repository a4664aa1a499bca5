#include "graph/passes/common_subexpressions.hpp"

#include <algorithm>
#include <type_traits>
#include <unordered_map>

#include "graph/rewrite.hpp"

namespace graphrun {
namespace {

/// The bytes of all that a value depends on. Two nodes with one key compute the same.
class Key {
 public:
  explicit Key(const Node& node) {
    put(node.op);
    std::vector<NodeId> inputs = node.inputs;
    if (node.op->traits.commutative) std::sort(inputs.begin(), inputs.end());
    put(inputs);
    put(node.controls);
    for (const auto& [name, value] : node.attributes.entries()) {
      std::visit([this](const auto& alternative) { put(alternative); }, value);
    }
  }
  std::string take() && { return std::move(bytes_); }

 private:
  // Bits, not values: 0 and -0 are equal, and not the same.
  template <class T>
  requires std::is_arithmetic_v<T> || std::is_pointer_v<T>
  void put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);  // NOLINT: its bytes are meant
  }
  void put(Dim dim) {
    put(dim.factor);
    put(dim.offset);
  }
  void put(const std::string& text) {
    put(text.size());
    bytes_ += text;
  }
  template <class T>
  void put(const std::vector<T>& list) {
    put(list.size());
    for (const T& item : list) put(item);
  }
  void put(const std::pair<std::string, double>& argument) {
    put(argument.first);
    put(argument.second);
  }
  void put(const Axes& axes) {
    put(axes.all);
    put(axes.list);
  }
  void put(const Initializer& initializer) {
    put(initializer.name);
    put(initializer.arguments);
  }

  std::string bytes_;
};

bool mergeable(const Traits& traits) {
  return !traits.random && !traits.variable && !traits.input && !traits.effect;
}

}  // namespace

Graph merge_common_subexpressions(const Graph& graph, const OpRegistry& registry) {
  std::unordered_map<std::string, NodeId> first;
  const auto merge = [&first](Builder& builder, const Node& node, NodeId) -> std::optional<NodeId> {
    if (!mergeable(node.op->traits)) return std::nullopt;
    // Node by node the next id is the one this node gets when it is kept.
    const auto [entry, fresh] = first.emplace(Key(node).take(), static_cast<NodeId>(builder.size()));
    return fresh ? std::nullopt : std::optional(entry->second);
  };
  return rewrite(graph, registry, merge);
}

}  // namespace graphrun
