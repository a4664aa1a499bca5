/// \file
/// From a model's definition to graphs that a runtime::Session runs: one for learning, one for measuring, and
/// one for each use of what `outputs:` names.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/op.hpp"
#include "graph/passes/pipeline.hpp"
#include "language/recipe/definition.hpp"
#include "train/learn/learning_step.hpp"

namespace graphrun::train {

/// What a program must be fed, by name: `input` nodes that its outputs need.
struct ProgramInput {
  std::string name;
  Type type;
};

/// A graph in executable form: no `grad`, no mode nodes, all passes done.
struct Program {
  std::shared_ptr<const Graph> graph;
  std::vector<ProgramInput> inputs;
};

/// What a step differentiates: its forward graph in train mode.
Graph loss_graph(const LearningStep& step, const OpRegistry& registry, const PassOptions& options = {});

/// Forward in train mode, gradients of the loss for the parameters of the step, optimizer updates. Named
/// outputs: those of the step's figures. Throws Error{model} when there is nothing to learn.
Program training_program(const LearningStep& step, const OpRegistry& registry,
                         const PassOptions& options = {});

/// The first step of the first phase: all there is in a model without phases.
Program training_program(const ModelDefinition& model, const OpRegistry& registry,
                         const PassOptions& options = {});

/// Forward in evaluate mode with the outputs "loss", all terms and all metrics.
Program evaluation_program(const ModelDefinition& model, const OpRegistry& registry,
                           const PassOptions& options = {});

/// Forward in evaluate mode with outputs that are nodes of the model. The nodes called `fed` are cut off from
/// their inputs and fed instead. Throws Error{usage} for a name that no node has.
Program role_program(const ModelDefinition& model, const OpRegistry& registry,
                     const std::vector<NamedOutput>& outputs, const std::vector<std::string>& fed,
                     const PassOptions& options = {});

/// The gradient of the sum of one node for each of others, in evaluate mode, as outputs that are called like
/// these. Fed nodes are as above.
Program gradient_program(const ModelDefinition& model, const OpRegistry& registry, NodeId of,
                         const std::vector<NodeId>& wanted, const std::vector<std::string>& fed,
                         const PassOptions& options = {});

/// The value that a user asks for by this name: a role of `outputs:`, else a node, else "loss". Error{usage}
/// for none of them.
NodeId asked_node(const ModelDefinition& model, std::string_view name);

/// The node that a user gives values for by this name: an input, else what asked_node() says.
NodeId given_node(const ModelDefinition& model, std::string_view name);

}  // namespace graphrun::train
