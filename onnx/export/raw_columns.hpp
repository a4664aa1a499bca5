/// \file
/// A model of a table that takes the columns of the table themselves.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "graph/op.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun::onnx {

/// The columns that the model is given, in the order in which the input `columns` has them.
std::vector<std::string> raw_columns(const ModelDefinition& model);

/// The graph with one input `columns`, f32 [batch, columns] (of windows [batch, size, columns]), in place of
/// those for cells, mask and single columns: numbers in their own units, categories as the places of their
/// values from 0, NaN where a cell is missing. What the columns become is computed in f32, which holds
/// numbers far from 0 and near each other less well than reading a file does. A value of no category has
/// cells of 0. Error{usage} when the graph takes nothing of a table.
Graph with_raw_columns(Graph graph, const ModelDefinition& model, const OpRegistry& registry);

}  // namespace graphrun::onnx
