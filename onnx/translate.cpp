#include "onnx/translate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "graph/op.hpp"
#include "layers/patterns.hpp"
#include "onnx/translation.hpp"

namespace graphrun::onnx {

namespace {

Diagnostic mistake(const Node& node, std::string message, std::string fix) {
  const Origin origin = node.origin ? *node.origin : Origin{};
  return {origin.where, node.name, node.op->name, std::move(message), {}, std::move(fix), origin.notes};
}

Diagnostic not_in_onnx(const Node& node) {
  if (node.op->traits.random)
    return mistake(node, "it draws random numbers, which would be others in ONNX",
                   fmt::format("Make it an input of the file with `--given {}`, or export a part without it.",
                               node.name));
  return mistake(node, fmt::format("ONNX has no op that is {}", node.op->name),
                 node.op->internal ? "It is made for a gradient; export a part without it."
                                   : "Export a part without it.");
}

bool is_leaf(const Node& node) {
  return node.op->traits.input || layers::is_stored(node);
}

void require_translations(const Graph& graph) {
  std::vector<Diagnostic> mistakes;
  for (const Node& node : graph.nodes())
    if (!is_leaf(node) && translation_of(*node.op) == nullptr) mistakes.push_back(not_in_onnx(node));
  if (!mistakes.empty()) throw ModelError(std::move(mistakes));
}

class Translator {
 public:
  Translator(const Graph& graph, const Surroundings& surroundings, std::int64_t opset)
      : graph_(graph), emitter_(graph, surroundings, opset), failed_(graph.size()) {}

  GraphRecord run() {
    for (NodeId id = 0; id < graph_.size(); ++id) attempt(id);
    if (!mistakes_.empty()) throw ModelError(std::move(mistakes_));
    return emitter_.finish();
  }

 private:
  /// What follows from a mistake is not reported again.
  void attempt(NodeId id) {
    const Node& node = graph_.node(id);
    failed_[id] = std::ranges::any_of(node.inputs, [&](NodeId input) { return failed_[input]; });
    if (failed_[id]) return;
    try {
      emitter_.begin(id);
      // Weights are written when somebody asks for them; a constant with the batch in it is computed.
      if (const Translation translation = translation_of(*node.op); translation != nullptr)
        translation(emitter_, id);
      else if (node.op->traits.constant)
        emitter_.value(id);
    } catch (const OpError& error) {
      failed_[id] = true;
      mistakes_.push_back(mistake(node, error.message(), error.fix()));
    }
  }

  const Graph& graph_;
  Emitter emitter_;
  std::vector<bool> failed_;
  std::vector<Diagnostic> mistakes_;
};

}  // namespace

GraphRecord translate(const Graph& graph, const Surroundings& surroundings, std::int64_t opset) {
  require_translations(graph);
  return Translator(graph, surroundings, opset).run();
}

}  // namespace graphrun::onnx
