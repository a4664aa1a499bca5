/// \file
/// Where a subcommand gets its model from: a YAML file, or a checkpoint that carries one.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "language/recipe/definition.hpp"
#include "train/learn/learner.hpp"
#include "train/run/checkpoint_choice.hpp"

namespace graphrun::cli {

class Console;

using SharedModel = std::shared_ptr<const ModelDefinition>;

/// Reads a model file with --set and --seed applied.
SharedModel model_from_file(const std::string& path, const CommonFlags& flags);

/// The model that a checkpoint carries, with --set and --seed applied.
SharedModel model_from_checkpoint(const train::Checkpoint& checkpoint, const CommonFlags& flags);

/// What --precision asks for.
std::optional<Precision> precision_of(const CommonFlags& flags);

runtime::SessionOptions session_options(const CommonFlags& flags);

/// Is it a model file, by its name?
bool is_model_file(const std::string& path);

/// Files of weights, and what those that another program wrote need to be told.
struct WeightsFlags {
  std::vector<std::string> files;
  std::string from;              ///< torch, keras, graphrun; empty: by the names in the files
  std::vector<std::string> map;  ///< "encoder.{0,2}=enc.{0,1}"

  void declare(Arguments& arguments, const std::string& help);
  /// As a model file would say it; a run directory stands for its newest checkpoint.
  std::vector<WeightsRecipe> recipes() const;
};

/// What the commands that use a trained model take: a checkpoint or a run directory, or a model file with
/// weights.
struct TrainedFlags {
  std::string source;         ///< RUN: a run directory, a checkpoint or a model file
  WeightsFlags weights = {};  ///< with a model file
  bool best = false;

  void declare(Arguments& arguments);
};

struct TrainedModel {
  SharedModel model;
  train::Learner learner;  ///< with its weights
  std::string weights;     ///< the file they came from
};

/// What a command asks of a model: these outputs, where those are given. None: all that it has.
struct AskedOf {
  std::vector<std::string> outputs = {};
  std::vector<std::string> given = {};
};

/// Logs what was passed over, and what came from where. Files of weights need no more of them than what is
/// asked for. Error{usage} for a model file without weights, Error{not_finite} for weights that are no
/// numbers.
TrainedModel open_trained(const TrainedFlags& trained, const CommonFlags& flags, Console& console,
                          const AskedOf& asked = {});

/// metrics.csv of the run directory; empty when the source is none.
std::filesystem::path metrics_file(const TrainedFlags& trained);

/// A file in the run directory when the source is one, else in the current folder.
std::string default_output(const TrainedFlags& trained, const std::string& name);

}  // namespace graphrun::cli
