/// \file
/// The gradient checker: compares what autograd writes with central finite differences, both in f64 on the
/// reference interpreter. For authors of ops and models; `graphrun check --grad` prints it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "graph/interpreter.hpp"
#include "graph/op.hpp"

namespace graphrun {

struct GradientCheckOptions {
  /// Of the differences; times |x| for an element beyond 1. Where it disagrees, 10 and 100 times as wide and
  /// a tenth are tried too, under the same tolerances.
  double step = 1e-6;
  /// Analytic a and numeric n agree when |a − n| <= rtol·max(|a|, |n|) + atol.
  double rtol = 1e-5;
  double atol = 1e-7;
  std::uint64_t seed = 1;       ///< of the choice of elements and directions, and of the cotangent
  std::size_t exhaustive = 64;  ///< a tensor of at most so many elements is checked element by element
  std::size_t elements = 4;     ///< of a larger one: so many random elements,
  std::size_t directions = 2;   ///< and so many random directions of ±1, which see every element
  bool unit_cotangent = false;  ///< weigh the elements of the output with 1 and not with random numbers
};

struct GradientCheck {
  std::string name;               ///< of the variable or input
  double max_relative_error = 0;  ///< |a − n| / (max(|a|, |n|) + atol/rtol), the largest
  bool ok = true;                 ///< it is at most rtol, and something could be checked
  std::size_t checked = 0;        ///< elements and directions compared
  std::size_t kinks = 0;          ///< skipped, because the slopes to the left and right differ there
  std::string worst;              ///< where the largest error is: "element [3, 17]", "direction 1"
  double analytic = 0;            ///< the two values there
  double numeric = 0;
};

/// Checks the gradient of the named output (a scalar, or any shape: then of its sum weighted with fixed
/// random numbers) with respect to the nodes of these names: variables, inputs or any others; none means
/// every variable. Where the graph says what a gradient is (stop_gradient, straight_through), the differences
/// take it at its word: the one is a constant, the other moves with its second input. `grad` nodes are
/// expanded first; a mode must be chosen already. `run.feeds` and
/// `variables` hold the point; random ops draw the same numbers at every evaluation. Nodes that are not f32
/// are refused: Error{usage}, as are names that are not there. A gradient of another type than
/// its node is an Error{internal}.
std::vector<GradientCheck> check_gradients(const Graph& graph, const OpRegistry& registry,
                                           std::string_view output, const std::vector<std::string>& wrt,
                                           const HostVariables& variables, const InterpreterRun& run,
                                           const GradientCheckOptions& options = {});

}  // namespace graphrun
