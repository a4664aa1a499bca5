/// \file
/// Rows of a host as the inputs of its model.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graphrun/model.hpp"
#include "graphrun/predictor.hpp"
#include "language/recipe/definition.hpp"
#include "train/datasets/examples.hpp"
#include "train/datasets/read_examples.hpp"

namespace graphrun::api {

/// Of a model that looks at rows of a table one by one; Error{usage} for any other.
const DataRecipe& row_data_of(const Model& model);

class BoundRows {
 public:
  BoundRows(const Model& model, train::ImageSet rows);

  std::size_t count() const { return static_cast<std::size_t>(examples_.count); }
  /// This object's values for an input; nothing where the rows have none.
  std::optional<InputSpan> values_of(const std::string& input) const;
  /// Error{usage} where they have none.
  InputSpan needed_values_of(const std::string& input) const;

 private:
  train::Examples examples_;
  std::map<std::string, std::vector<float>> ones_;
};

}  // namespace graphrun::api
