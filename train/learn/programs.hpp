/// \file
/// From a model's definition to graphs that a runtime::Session runs: one for learning, one for measuring, and
/// one for each use of what `outputs:` names.
#pragma once

#include <memory>
#include <string>
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

/// Forward in evaluate mode with the given outputs (roles, or nodes by name), each node of `fed` cut off from
/// its inputs and fed instead. Throws Error{usage} for a name that is neither.
Program role_program(const ModelDefinition& model, const OpRegistry& registry,
                     const std::vector<std::string>& outputs, const std::vector<std::string>& fed,
                     const PassOptions& options = {});

/// The name of the node behind an output, or of a node by its own name. Error{usage} for neither.
std::string node_name(const ModelDefinition& model, const std::string& name);

}  // namespace graphrun::train
