#include "graph/verify.hpp"

#include <fmt/format.h>

#include <array>
#include <unordered_map>
#include <unordered_set>

#include "graph/hash_table.hpp"
#include "graph/op.hpp"

namespace graphrun {
namespace {

struct Rule {
  bool Traits::*trait;
  std::string_view what;
  std::array<bool, 4> legal;  // at the stages, in order
};

constexpr std::array<Rule, 4> table = {{
    // trait, what it is,                              built, specialised, differentiable, executable
    {&Traits::mode, "a choice of mode", {{true, false, false, false}}},
    {&Traits::gradient, "an unexpanded gradient", {{true, true, false, false}}},
    {&Traits::forwards_first, "a mark for gradients", {{true, true, true, false}}},
    {&Traits::effect, "an effect", {{false, false, true, true}}},
}};

constexpr std::array<std::string_view, 4> stage_names = {"built", "specialised", "differentiable",
                                                         "executable"};

class Verifier {
 public:
  Verifier(const Graph& graph, Stage stage, std::string_view after)
      : graph_(graph), stage_(stage), after_(after) {}

  void run() {
    for (const Node& node : graph_.nodes()) check_stage(node);
    if (graph_.is_verified()) return;
    names_.reserve(graph_.size());
    for (NodeId id = 0; id < graph_.size(); ++id) {
      check_links(id);
      check_type(graph_.node(id));
      check_writes(graph_.node(id));
    }
    check_outputs();
  }

 private:
  [[noreturn]] void fail(const Node& node, const std::string& message) const {
    throw Error(ErrorCode::internal, fmt::format("after {}: {}", after_, message), {}, node.name);
  }

  void check_links(NodeId id) {
    const Node& node = graph_.node(id);
    std::uint32_t& named = names_[hash_of(node.name)];  // one more than the id
    const bool taken = named != 0 && graph_.node(named - 1).name == node.name;
    if (node.name.empty() || taken) fail(node, "its name is not unique");
    named = id + 1;
    for (const NodeId input : node.inputs) {
      if (input >= id) fail(node, "an input does not come before it");
      if (graph_.node(input).op->traits.effect) fail(node, "it uses the value of an effect, which has none");
    }
    for (const NodeId control : node.controls) {
      if (control >= id) fail(node, "a control input does not come before it");
    }
  }

  void check_type(const Node& node) {
    types_.clear();
    for (const NodeId input : node.inputs) types_.push_back(graph_.node(input).type);
    const Type inferred = node.op->infer({types_, node.attributes});
    if (inferred != node.type) {
      fail(node, fmt::format("its type is {}, but {} infers {}", to_string(node.type), node.op->name,
                             to_string(inferred)));
    }
    if ((node.type.dtype == DType::none) != node.op->traits.effect) {
      fail(node, "effects have no value, and all else has one");
    }
  }

  void check_stage(const Node& node) const {
    const auto stage = static_cast<std::size_t>(stage_);
    for (const Rule& rule : table) {
      if (!(node.op->traits.*rule.trait) || rule.legal.at(stage)) continue;
      fail(node, fmt::format("{} is {}, which no graph that is {} may hold", node.op->name, rule.what,
                             stage_names.at(stage)));
    }
  }

  void check_writes(const Node& node) {
    for (const std::size_t input : node.op->writes) {
      const NodeId variable = node.inputs.at(input);
      if (!graph_.node(variable).op->traits.variable) {
        fail(node, fmt::format("it writes '{}', which is no variable", graph_.node(variable).name));
      }
      const auto [writer, first] = writers_.emplace(variable, node.name);
      if (!first) {
        fail(node, fmt::format("it writes the variable '{}', and so does '{}'", graph_.node(variable).name,
                               writer->second));
      }
    }
  }

  void check_outputs() const {
    std::unordered_set<std::string_view> names;
    for (const NamedOutput& output : graph_.outputs()) {
      const Node& node = graph_.node(output.node);
      if (!names.insert(output.name).second) fail(node, fmt::format("two outputs are '{}'", output.name));
      if (node.op->traits.effect) fail(node, fmt::format("the output '{}' is an effect", output.name));
    }
  }

  const Graph& graph_;
  Stage stage_;
  std::string_view after_;
  HashTable names_;
  std::unordered_map<NodeId, std::string_view> writers_;
  std::vector<Type> types_;
};

}  // namespace

void verify(const Graph& graph, Stage stage, std::string_view after) {
  Verifier(graph, stage, after).run();
}

}  // namespace graphrun
