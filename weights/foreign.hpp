/// \file
/// Weights that another program has trained, put into a model: which tensor of a safetensors file is which
/// variable, by name, else by kind, shape and order.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "files/safetensors.hpp"
#include "train/learn/learner.hpp"
#include "weights/convention.hpp"

namespace graphrun::weights {

/// What goes where: "encoder.{0,2}=enc.{0,1}" is two of them. On the left a module or a tensor of the file,
/// on the right a layer or a variable of the model.
struct Correspondence {
  std::string theirs;
  std::string ours;
};
/// Braces stand for each of the words in them, in order, alike on both sides. Error{usage}, at `where` if it
/// stands in a model file.
std::vector<Correspondence> correspondences(const std::string& text, const SourceLocation& where = {});

/// One variable and where its values come from.
struct Assignment {
  const files::StoredTensor* tensor = nullptr;
  const files::StoredTensor* added = nullptr;  ///< a second bias; null: there is none
  const Layer* layer = nullptr;
  const LayerVariable* variable = nullptr;
};

/// Assignments point into the layers: it is moved, not copied.
struct ForeignWeights {
  ForeignWeights() = default;
  ForeignWeights(ForeignWeights&&) = default;
  ForeignWeights& operator=(ForeignWeights&&) = default;
  Convention convention = Convention::torch;
  std::vector<Layer> layers;            ///< of the model
  std::vector<Assignment> assignments;  ///< in the order of the layers
  std::vector<std::string> left_out;    ///< tensors of the file that nothing needs
};

struct ForeignOptions {
  Convention convention = Convention::torch;
  std::vector<Correspondence> map = {};
  const std::set<std::string>* needed = nullptr;  ///< the variables that must have a value; null: all
  bool is_part = false;                           ///< the file may have only some of them
};

/// Finds each variable's tensor. Names that are equal and those of the map decide first; other modules are
/// matched by kind and shape, numbered ones of a prefix in their order. Error{data} names what is not found,
/// and, where several ways fit, what each module may be.
ForeignWeights match(const ModelDefinition& model, const files::SafetensorsFile& file,
                     const ForeignOptions& options);

/// "encoder.0.weight  bf16[128, 784] -> enc.0.w [784, 128], axes 1, 0", a line each.
std::string table_of(const ForeignWeights& weights);

/// The values of the variables as the model has them. Error{data} for a tensor that is no numbers.
train::Learner::Weights read(const ForeignWeights& weights, const files::SafetensorsFile& file);

/// Has the file a module or a tensor of this name?
bool has_module_or_tensor(const files::SafetensorsFile& file, Convention convention, const std::string& name);

/// Is the file named as this program names, and not as the model?
std::optional<Convention> guessed(const ModelDefinition& model, const files::SafetensorsFile& file);

}  // namespace graphrun::weights
