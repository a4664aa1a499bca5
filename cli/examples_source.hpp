/// \file
/// Which images a subcommand works on: those of the model's data set, or of a file.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "language/recipe/definition.hpp"
#include "train/datasets/dataset.hpp"
#include "train/datasets/examples.hpp"

namespace graphrun::cli {

class Arguments;
class Console;

struct NamedExamples {
  std::string name;  ///< "fashion_mnist (test)", or the file
  std::shared_ptr<const train::ImageSet> images;
  train::Examples examples;
};

struct ExamplesFlags {
  std::string split = "test";
  std::string images;  ///< a file or folder instead of the model's data
  std::string labels;
  std::string label_column;
  std::string targets;
  std::optional<std::int64_t> first;  ///< only so many
  std::vector<std::string> inputs;    ///< "y=7": a value for all rows

  struct Loaded {
    std::string name;
    std::shared_ptr<const train::ImageSet> images;
  };

  void declare(Arguments& arguments);
  /// Reads the images and binds them to the model's inputs. A warning says when the data set is only the
  /// subset, and which numbers stand for labels by name that the model does not know. Error{usage} for a
  /// split that there is not and labels without images, Error{data}.
  NamedExamples load(const ModelDefinition& model, Console& console) const;

 private:
  void check() const;
  Loaded loaded_from(const ModelDefinition& model, Console& console) const;
  train::ImageFiles files(const ModelDefinition& model) const;
};

/// All images of a model's data, bound to its inputs.
struct SplitExamples {
  std::shared_ptr<const train::Dataset> data;
  train::Examples train;
  train::Examples test;  ///< those of `train` where the data has no others
};

/// Warns as ExamplesFlags::load does. Error{data}.
SplitExamples load_splits(const ModelDefinition& model, Console& console);

/// Columns that hold one value for all rows, from "NAME=VALUE" words. `codes` names the node whose values the
/// command gives itself, if it does. Error{usage}.
void add_constant_inputs(train::Examples& examples, const ModelDefinition& model,
                         const std::vector<std::string>& inputs, std::string_view codes = {});

}  // namespace graphrun::cli
