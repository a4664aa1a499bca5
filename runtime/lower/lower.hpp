/// \file
/// From a graph in executable form to a plan for one batch size. The plan is a function of graph, batch and
/// options alone, never of clocks or measurements. Where its bits would follow how it is cut it is the same
/// for any number of workers, so that its bits are the same everywhere.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime/lower/plan.hpp"

namespace graphrun::runtime {

/// Throws Error{model} when sizes overflow, Error{internal} for an op that has no kernel.
std::shared_ptr<const Plan> lower(std::shared_ptr<const Graph> graph, std::int64_t batch,
                                  const KernelRegistry& kernels, const LoweringOptions& options = {});

}  // namespace graphrun::runtime
