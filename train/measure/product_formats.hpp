/// \file
/// What the products of a model read at a precision.
#pragma once

#include <string>
#include <vector>

#include "graph/precision.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun::train {

/// A node of the model, as it is written, that multiplies, and what it reads while it learns. Its gradients
/// read the same.
struct ProductFormat {
  std::string node;
  bool bf16 = false;
};

/// In the order of the model; nothing without a `train:`.
std::vector<ProductFormat> product_formats(const ModelDefinition& model, Precision precision);

}  // namespace graphrun::train
