/// \file
/// Finds which node made the first value that is not finite: runs the forward part again, serially, every
/// node on its own, and looks at all values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "graph/graph.hpp"
#include "runtime/execute/session.hpp"

namespace graphrun::runtime {

/// The Error{not_finite} that names the first such value of a run, with the providers it had; nothing when
/// there is none. No variable is written. `first_row`: the number that the run's first row has in what is
/// said.
std::optional<Error> find_not_finite(const std::shared_ptr<const Graph>& graph, const Run& run,
                                     const KernelRegistry& kernels, ProviderChoice provider,
                                     VariableStore& variables, std::int64_t first_row = 0);

/// The Error{not_finite} for a run that was stopped by one, with the providers it had. No variable is
/// written.
Error explain_not_finite(const std::shared_ptr<const Graph>& graph, const Run& run,
                         const KernelRegistry& kernels, ProviderChoice provider, VariableStore& variables);

}  // namespace graphrun::runtime
