#include "graph/interpreter.hpp"

#include <fmt/format.h>

#include "graph/needed.hpp"

namespace graphrun {
namespace {

/// Runs the reference of one node.
void apply(const Node& node, const Extents& extents, const RandomState& random,
           std::span<HostTensor* const> written, std::span<const HostTensor* const> inputs,
           HostTensor& output) {
  if (node.op->reference == nullptr) {
    throw Error(ErrorCode::internal, fmt::format("op '{}' has no value here", node.op->name), {}, node.name);
  }
  output.extents = extents;
  if (!node.op->traits.effect) {
    output.values.assign(static_cast<std::size_t>(element_count(extents)), 0.0);
  }
  node.op->reference({node, inputs, output, written, random});
}

std::vector<const HostTensor*> inputs_of(const Node& node, const std::vector<HostTensor>& values) {
  std::vector<const HostTensor*> inputs;
  inputs.reserve(node.inputs.size());
  for (const NodeId input : node.inputs) inputs.push_back(&values[input]);
  return inputs;
}

class Interpreter {
 public:
  Interpreter(const Graph& graph, HostVariables& variables, const InterpreterRun& run)
      : graph_(graph), variables_(variables), run_(run), values_(graph.size()) {}

  std::vector<HostTensor> run() {
    const auto is_fed = [this](NodeId id) { return fed(graph_.node(id)); };
    const std::vector<bool> needed = needed_by(graph_, roots_of(graph_), is_fed);
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (needed[id]) evaluate(id);
    }
    return std::move(values_);
  }

 private:
  bool fed(const Node& node) const { return run_.feeds.contains(node.name); }

  HostTensor feed(const Node& node, const Extents& extents) const {
    const HostTensor& given = run_.feeds.at(node.name);
    if (given.extents != extents) {
      throw Error(ErrorCode::model,
                  fmt::format("it is fed {}, but has the shape {} = {}", to_string(given.extents),
                              to_string(node.type.shape), to_string(extents)),
                  {}, node.name);
    }
    require_all_values(given, node);
    return given;
  }

  static void require_all_values(const HostTensor& given, const Node& node) {
    if (given.values.size() == static_cast<std::size_t>(element_count(given.extents))) return;
    throw Error(ErrorCode::model,
                fmt::format("it is fed {} values for {}", given.values.size(), to_string(given.extents)), {},
                node.name);
  }

  HostTensor& find_variable(const Node& node) {
    const auto found = variables_.find(node.name);
    if (found == variables_.end()) {
      throw Error(ErrorCode::usage, "this variable has no value", {}, node.name);
    }
    return found->second;
  }

  const HostTensor& variable(const Node& node, const Extents& extents) {
    const HostTensor& value = find_variable(node);
    if (value.extents != extents) {
      throw Error(ErrorCode::model,
                  fmt::format("its value has the shape {}, but the variable is {}", to_string(value.extents),
                              to_string(node.type)),
                  {}, node.name);
    }
    require_all_values(value, node);
    return value;
  }

  void evaluate(NodeId id) {
    const Node& node = graph_.node(id);
    const Extents extents = bind(node.type.shape, run_.batch);
    if (fed(node)) {
      values_[id] = feed(node, extents);
    } else if (node.op->traits.variable) {
      values_[id] = variable(node, extents);
    } else if (node.op->traits.input) {
      throw Error(ErrorCode::usage, "this input is not fed", {}, node.name);
    } else {
      compute(id, node, extents);
    }
  }

  void compute(NodeId id, const Node& node, const Extents& extents) {
    std::vector<HostTensor*> written;
    for (const std::size_t input : node.op->writes) {
      written.push_back(&find_variable(graph_.node(node.inputs[input])));
    }
    apply(node, extents, run_.random, written, inputs_of(node, values_), values_[id]);
  }

  const Graph& graph_;
  HostVariables& variables_;
  const InterpreterRun& run_;
  std::vector<HostTensor> values_;
};

}  // namespace

std::vector<HostTensor> interpret(const Graph& graph, HostVariables& variables, const InterpreterRun& run) {
  return Interpreter(graph, variables, run).run();
}

void recompute(const Graph& graph, const InterpreterRun& run, std::span<const NodeId> which,
               std::vector<HostTensor>& values) {
  for (const NodeId id : which) {
    const Node& node = graph.node(id);
    apply(node, bind(node.type.shape, run.batch), run.random, {}, inputs_of(node, values), values[id]);
  }
}

HostTensor compute(const Node& node, std::span<const HostTensor> inputs) {
  std::vector<const HostTensor*> pointers;
  for (const HostTensor& input : inputs) pointers.push_back(&input);
  HostTensor output;
  apply(node, graphrun::bind(node.type.shape, 1), {}, {}, pointers, output);
  return output;
}

}  // namespace graphrun
