/// \file
/// Merges nodes that compute the same: the same op of the same inputs and attributes (bit by bit); operands
/// of ops that are bitwise commutative in either order. The first of them stays.
///
/// Safe because ops are functions of these alone, but for those that are never merged: random ops (each draws
/// for its own path), variables, inputs and effects. Runs among the exact passes; linear, by hashing.
#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "graph/hash_table.hpp"
#include "graph/passes/apply_rules.hpp"

namespace graphrun {
namespace {

/// The bytes of all that a value depends on. Two nodes with one key compute the same.
class Key {
 public:
  /// The key of a node, until the next one is asked for.
  const std::string& of(const Node& node) {
    bytes_.clear();
    put(node.op);
    inputs_ = node.inputs;
    if (node.op->traits.bitwise_commutative) std::sort(inputs_.begin(), inputs_.end());
    put(inputs_);
    for (const auto& [name, value] : node.attributes.entries()) {
      std::visit([this](const auto& alternative) { put(alternative); }, value);
    }
    return bytes_;
  }
  const std::string& text() const { return bytes_; }

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
  std::vector<NodeId> inputs_;
};

bool mergeable(const Traits& traits) {
  return !traits.random && !traits.variable && !traits.input && !traits.effect;
}

}  // namespace

Graph merge_common_subexpressions(Graph graph, const OpRegistry& registry) {
  HashTable first;  // one more than the id, by the hash of the key
  first.reserve(graph.size());
  Key key;
  Key earlier;
  const auto merge = [&](RuleContext& context) -> std::optional<NodeId> {
    if (!mergeable(context.node.op->traits)) return std::nullopt;
    std::uint32_t& known = first[hash_of(key.of(context.node))];
    if (known == 0) {
      // Node by node the next id is the one this node gets when it is kept.
      known = static_cast<NodeId>(context.builder.size()) + 1;
      return std::nullopt;
    }
    // Keys that differ and have one hash are as good as never seen; then both nodes stay.
    const bool same = earlier.of(context.builder.node(known - 1)) == key.text();
    return same ? std::optional(known - 1) : std::nullopt;
  };
  return apply_once(std::move(graph), registry,
                    std::array{Rule{"common_subexpression", Phase::exact, merge}});
}

}  // namespace graphrun
