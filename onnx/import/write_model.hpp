/// \file
/// A Graph as a model file that one likes to read: layers as the blocks that they are, arithmetic as
/// formulas, layers that follow each other under one name as `repeat`.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.hpp"
#include "onnx/import/importer.hpp"

namespace graphrun::onnx {

struct Written {
  std::string name;  ///< of the model
  std::string about;
  std::string data;                      ///< a data set; may be empty
  std::map<NodeId, std::string> wanted;  ///< names of nodes, as the file has them
  std::map<NodeId, Variable> variables;  ///< of the graph's params
  /// Names of the weights that learn; null: all that the file calls weights.
  const std::vector<std::string>* trainable = nullptr;
};

struct ModelText {
  std::string text;
  std::map<NodeId, std::string> variables;  ///< the name in the model of each that it has
  std::vector<std::string> inputs;          ///< as the model calls them, in the graph's order
  std::vector<std::string> outputs;         ///< the same
};

/// The graph's named outputs become `outputs:`; what none of them needs is left out.
ModelText write_model(const Graph& graph, const Written& options);

/// A word that a model file takes for a name: "/encoder/encoder.0/Gemm_output_0" is "encoder_0_Gemm".
std::string identifier(const std::string& name);

}  // namespace graphrun::onnx
