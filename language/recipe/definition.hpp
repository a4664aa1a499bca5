/// \file
/// A model as the language delivers it: the forward graph and what its nodes are for. A node is meant by its
/// id; a name is what the file calls something, for reports and for what users ask for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "errors/budget.hpp"
#include "graph/graph.hpp"
#include "graph/precision.hpp"
#include "language/expand/inputs.hpp"
#include "language/recipe/table_recipe.hpp"
#include "language/values/schedule.hpp"

namespace graphrun {

/// A metric, or a term of the loss: a scalar node, the mean over the batch. No two have one name, probes
/// included, and none is called as what stands beside them in reports: "loss", "epoch", …
struct ModelTerm {
  std::string name;
  NodeId node = 0;
  SourceLocation where;
};

struct LossTerm : ModelTerm {
  NodeId weight = 0;  ///< a scalar node
};

/// A metric that is measured on whole sets, not batch by batch, at the end of a phase: what can be told from
/// the codes of the examples.
struct ProbeRecipe {
  enum class Kind {
    knn,                ///< accuracy of a vote of the nearest training codes
    linear,             ///< accuracy of a linear classifier of the codes
    kmeans,             ///< normalised mutual information of clusters and labels
    active_units,       ///< how many units of the code vary over the examples
    roc_auc,            ///< how well a score tells examples with label 1 from others
    average_precision,  ///< the same
    f1,                 ///< the same, with the best threshold
    confusion,          ///< what classes are taken for
    mae,                ///< mean absolute difference of a guess and the target, in the unit of the table
    rmse,               ///< root of the mean squared one
    r2                  ///< the share of the target's variance that is explained
  };
  /// Does it look at test data alone, at what the model says of each example?
  static bool is_of_scores(Kind kind) { return kind >= Kind::roc_auc; }
  static bool is_of_numbers(Kind kind) { return kind >= Kind::mae; }
  std::string name;
  Kind kind = Kind::knn;
  NodeId code = 0;             ///< a row for each example, or a score or guess
  std::string labels;          ///< the input with the labels, or the target or cells; empty for active_units
  std::int64_t k = 0;          ///< knn: neighbours; kmeans: clusters, 0: as many as there are labels
  std::int64_t first = 10000;  ///< knn, linear: how many training examples are used at most
  double above = 0.01;         ///< active_units: the variance from which a unit counts
  SourceLocation where;
};

struct OptimizerRecipe {
  std::string op = "adam";  ///< a name of optimizer_kinds()
  Schedule learning_rate = Schedule::constant(1e-3);
  std::map<std::string, double>
      settings;  ///< beta1, beta2, eps, weight_decay, momentum, nesterov (0 or 1), …
  std::optional<double> clip_value;
  std::optional<double> clip_norm;
  SourceLocation where;
};

/// What one optimizer learns from a batch: these terms, by these variables.
struct StepRecipe {
  OptimizerRecipe optimizer;
  std::vector<NodeId> train;      ///< variables that it moves: parameters and running averages; empty: all
  std::vector<std::size_t> loss;  ///< terms of the loss, by number; empty: all
  std::int64_t every = 1;         ///< only on every so many-th batch
  SourceLocation where;
};

/// Which training examples a phase learns from: `sample` of the `first`; all that is not said.
struct SubsetRecipe {
  std::optional<std::int64_t> first;
  std::optional<std::int64_t> sample;  ///< chosen at random, others in each draw
  bool balanced = false;               ///< as many of each label
  SourceLocation where;
};

/// Layers that are trained one after the other. Layer i of the encoder and layer i of the decoder, counted
/// from its end, are a pair: together they reconstruct what the encoder's layer is given.
struct GreedyRecipe {
  struct Layer {
    NodeId input = 0;
    NodeId output = 0;
  };
  std::vector<Layer> encoder;
  std::vector<Layer> decoder;
  std::vector<NodeId> corrupted;  ///< of each encoder layer's input: the node that corrupts it, or none
  SourceLocation where;
};

/// Ends a phase when a figure of the test data has not improved for `patience` measurements, and keeps the
/// weights of its best one.
struct StopRule {
  std::string metric;  ///< "loss", a term or a metric
  std::int64_t patience = 1;
  bool highest = false;  ///< is a higher figure better?
  SourceLocation where;
};

/// A part of the training with a fresh optimizer. A model without `phases:` has one, without a name.
struct PhaseRecipe {
  std::string name;
  OptimizerRecipe optimizer;
  std::int64_t batch = 128;
  std::optional<std::int64_t> epochs;  ///< exactly one of epochs and steps is set
  std::optional<std::int64_t> steps;
  bool keep_partial = true;            ///< partial: keep | drop
  std::vector<NodeId> train;           ///< as in StepRecipe
  std::vector<std::size_t> loss;       ///< as in StepRecipe
  std::vector<StepRecipe> alternate;   ///< on each batch, in this order; empty: the one of train and loss
  std::optional<GreedyRecipe> greedy;  ///< instead of train and loss
  std::optional<SubsetRecipe> subset;
  std::optional<StopRule> stop;
  std::int64_t draws = 1;
  std::string start = "init";  ///< "init", or the phase at whose end it begins
  std::string same_as;         ///< the phase it is compared with, draw by draw; may be empty
  SourceLocation where;
};

/// The steps that a phase does on a batch. Not for a greedy phase.
std::vector<StepRecipe> steps_of(const PhaseRecipe& phase);

/// The keys of `train:`, which phases inherit, and the phases themselves.
struct TrainRecipe : PhaseRecipe {
  std::uint64_t seed = 1;
  Precision precision = Precision::f32;        ///< of products, wherever the model is computed
  std::optional<std::int64_t> shards;          ///< ranges of rows in a batch whose sums are added in order
  bool gather_rows = false;                    ///< with shards: what mixes rows is given those of all
  std::optional<std::int64_t> pictures_every;  ///< epochs; 0: none while learning; nothing: ever more rarely
  std::vector<PhaseRecipe> phases;             ///< never empty
  bool has_phases() const { return !phases.front().name.empty(); }
};

/// Where the examples come from: a data set by name, or files by path (already relative to the model file).
struct DataRecipe {
  std::string name;
  struct Files {
    std::string images;            ///< or the table
    std::string labels;            ///< a file; may be empty
    std::string label_column;      ///< of a CSV file: of `labels`, or of `images` when that is empty
    std::int64_t first_label = 0;  ///< the number that stands for 0
    std::string targets;           ///< a file; may be empty
    std::string weights;           ///< the same
    std::map<std::string, std::string> arrays = {};  ///< files by the names of the arrays
    std::string all_arrays = {};                     ///< an NPZ file, instead of these
  };
  std::optional<Files> train;
  std::optional<Files> test;
  std::vector<std::int64_t> shape;       ///< of an example: height, width, maybe channels; may be empty
  std::optional<std::int64_t> channels;  ///< of pictures: 1 or 3
  std::optional<double> divide_by;       ///< values are divided by it
  bool transposed = false;               ///< pictures have height and width exchanged in their files
  std::vector<std::int64_t> resize;      ///< of pictures: the shorter side, or height and width; may be empty
  std::vector<std::int64_t> crop;        ///< of pictures: height and width of their middle; may be empty
  std::vector<std::string> classes;      ///< names of the labels 0, 1, …; may be empty
  std::vector<std::string> names;    ///< of the columns of CSV files, as the model takes them; may be empty
  std::optional<TableRecipe> table;  ///< the files are tables, whose columns have names
  SourceLocation where;
};

/// A file of weights that learning begins with; later ones fill in and override what earlier ones have.
struct WeightsRecipe {
  std::string file;              ///< absolute where a model names it
  std::string from;              ///< who wrote it: "torch", "keras", "graphrun"; empty: by the names in it
  std::vector<std::string> map;  ///< "MODULE=LAYER", as after --map
  SourceLocation where;
};

/// The forward graph in its mode-free form: `grad` not yet expanded, `when: train` not yet chosen.
/// Its named outputs, for whoever reads it: "outputs.NAME", "loss", "loss.NAME", "metric.NAME".
struct ModelDefinition {
  SourceLocation where;  ///< the beginning of the file
  std::string name;
  std::string about;
  Graph graph;
  std::vector<ModelInput> inputs;
  std::vector<ScheduledInput> scheduled;
  std::vector<NamedOutput> roles;   ///< `outputs:`, in the order of the file
  std::optional<NodeId> objective;  ///< the weighted sum of the terms of the loss, if there are any
  std::vector<LossTerm> loss;
  std::vector<ModelTerm> metrics;
  std::vector<ProbeRecipe> probes;
  std::optional<DataRecipe> data;
  std::vector<WeightsRecipe> weights;
  std::optional<TrainRecipe> train;
  std::vector<Diagnostic> notices;  ///< what is allowed, and hardly meant
  Budget budget;                    ///< what is left of it, for gradients
  std::string resolved;             ///< the model as YAML that stands alone: includes inlined, --set applied

  /// Of products, as `train:` says.
  Precision precision() const { return train ? train->precision : Precision::f32; }

  /// The node that `outputs:` gives this role, if it does.
  std::optional<NodeId> role(std::string_view name) const;
};

}  // namespace graphrun
