/// \file
/// Goes through the nodes of an ONNX graph: what is known is computed, branches whose condition is known and
/// loops whose length is known are unrolled, the rest is translated. What cannot be is collected.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "onnx/import/importer.hpp"

namespace graphrun::onnx {

/// A kind of mistake, and the nodes that have it.
struct Refusal {
  std::string op;
  std::string reason;
  std::vector<std::string> nodes;
};

class GraphImport {
 public:
  explicit GraphImport(Importer& importer) : importer_(importer) {}

  /// Values that the graph takes from outside are defined by then.
  void run(const GraphRecord& graph);
  const std::vector<Refusal>& refusals() const { return refusals_; }
  /// What a node of the model is called in the file.
  const std::map<NodeId, std::string>& names() const { return names_; }
  std::size_t nodes() const { return nodes_; }
  /// The value, or nothing where what makes it was refused. Error{data} when nothing makes it.
  const Value* value(const std::string& name) const;

 private:
  void define_weights(const GraphRecord& graph);
  void node(const NodeRecord& record);
  Results results(const Call& call);
  Results branch(const Call& call);
  Results loop(const Call& call);
  Results scan(const Call& call);
  std::vector<Value> body(const GraphRecord& graph, const std::vector<Value>& inputs);
  void refuse(const NodeRecord& record, const std::string& reason);
  std::vector<Value> inputs_of(const NodeRecord& record, bool& broken) const;
  void finish(const NodeRecord& record, Results results, std::size_t first_new);

  Importer& importer_;
  std::set<std::string> broken_;
  std::vector<Refusal> refusals_;
  std::map<NodeId, std::string> names_;
  std::size_t nodes_ = 0;
  int depth_ = 0;
};

/// How often each value is used, in graphs within too.
std::map<std::string, std::size_t> uses_of(const GraphRecord& graph);

}  // namespace graphrun::onnx
