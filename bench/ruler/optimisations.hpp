/// \file
/// What makes a step fast, by name, each with its off-switch: for measuring what it brings.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/passes/pipeline.hpp"
#include "runtime/execute/session.hpp"

namespace graphrun::bench {

/// All that decides how a model is compiled and run.
struct Tuning {
  runtime::SessionOptions session;
  PassOptions passes;
};

struct Optimisation {
  std::string_view name;
  std::string_view about;  ///< what it does, in a few words
  /// Whether training without it gives the same bits, on a machine where products run in register tiles.
  /// Where it does not, sums are added in another order.
  bool same_bits = true;
  void (*switch_off)(Tuning&) = nullptr;
};

/// All of them, in the order in which a step meets them.
std::span<const Optimisation> optimisations();

/// Error{usage} with the nearest name, or with all of them.
const Optimisation& find_optimisation(std::string_view name);

/// The tuning with these off. Errors as above.
Tuning without(Tuning tuning, const std::vector<std::string>& names);

}  // namespace graphrun::bench
