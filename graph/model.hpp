/// \file
/// A model as the language delivers it: the forward graph and what its nodes are for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "graph/schedule.hpp"

namespace graphrun {

/// What an input is bound to when a data set is read. Integers for labels, pixels in [0, 1] for images.
enum class InputSource { images, labels };

struct ModelInput {
  std::string name;  ///< of its node
  InputSource source = InputSource::images;
  SourceLocation where;
};

/// A scalar input node whose value follows a schedule (loss weights, noise amounts, whole nodes).
struct ScheduledInput {
  std::string name;  ///< of its node, an `input` of shape []
  Schedule schedule;
};

/// A term of the loss or a metric: a scalar node, the mean over the batch. `loss.NAME` and `metric.NAME` are
/// named outputs of the graph; `loss` is the weighted sum of the terms.
struct ModelTerm {
  std::string name;
  std::string output;  ///< "loss.bce"
  SourceLocation where;
};

struct OptimizerSpec {
  std::string op = "adam";  ///< sgd, adam, adamw, rmsprop, adagrad
  Schedule learning_rate = Schedule::constant(1e-3);
  std::map<std::string, double>
      settings;  ///< beta1, beta2, eps, weight_decay, momentum, nesterov (0 or 1), …
  std::optional<double> clip_value;
  std::optional<double> clip_norm;
  SourceLocation where;
};

struct TrainSpec {
  OptimizerSpec optimizer;
  std::int64_t batch = 128;
  std::optional<std::int64_t> epochs;  ///< exactly one of epochs and steps is set
  std::optional<std::int64_t> steps;
  std::uint64_t seed = 1;
  bool keep_partial = true;        ///< partial: keep | drop
  std::vector<std::string> train;  ///< node paths: their parameters, and those below; empty: all
  std::vector<std::string> loss;   ///< names of terms; empty: all
  SourceLocation where;
};

/// Where the images come from: a data set by name, or files by path (already relative to the model file).
struct DataSpec {
  std::string name;
  struct Files {
    std::string images;
    std::string labels;  ///< may be empty
  };
  std::optional<Files> train;
  std::optional<Files> test;
  SourceLocation where;
};

/// The forward graph in its mode-free form: `grad` not yet expanded, `when: train` not yet chosen.
/// Named outputs: the roles of `outputs:` by name ("code", "image", …), "loss", "loss.NAME", "metric.NAME".
struct ModelDefinition {
  std::string name;
  std::string about;
  Graph graph;
  std::vector<ModelInput> inputs;
  std::vector<ScheduledInput> scheduled;
  std::vector<std::string> roles;  ///< names of `outputs:`, in the order of the file
  std::vector<ModelTerm> loss;
  std::vector<std::string> loss_weights;  ///< for each term: a named output of the graph, its weight (scalar)
  std::vector<ModelTerm> metrics;
  std::optional<DataSpec> data;
  std::optional<TrainSpec> train;
  std::string resolved;  ///< the model as YAML that stands alone: includes inlined, --set applied
};

}  // namespace graphrun
