/// \file
/// The variables that a graph updates as they were before it ran: what alternating steps need to undo those
/// of a batch that came before one that failed.
#pragma once

#include <vector>

#include "graph/graph.hpp"
#include "runtime/state/variables.hpp"

namespace graphrun::train {

class VariableCopies {
 public:
  VariableCopies() = default;
  /// Of what the effects of the graph write; all memory is taken here.
  VariableCopies(const Graph& graph, runtime::VariableStore& variables);

  void take() noexcept;
  void give_back() const noexcept;

 private:
  struct Copy {
    std::span<float> of;
    std::vector<float> values;
  };
  std::vector<Copy> copies_;
};

}  // namespace graphrun::train
