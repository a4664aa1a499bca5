/// \file
/// What a caller hands to a run and takes from it, checked against the plan.
#pragma once

#include <span>

#include "runtime/execute/plan_run.hpp"

namespace graphrun::runtime {

/// Error{usage} for an input that is not fed or has another size.
void bind_feeds(PlanRun& plan_run, std::span<const Feed> feeds);

/// Error{usage} for an output that the plan does not have, or of another size.
void check_fetches(const Plan& plan, std::span<const Fetch> fetches);
/// Prepares what is told of while the run goes on; the fetches were checked.
void hand_out(PlanRun& plan_run, const Run& run) noexcept;
/// The rest, of a run that is done.
void copy_fetches(const PlanRun& plan_run, std::span<const Fetch> fetches) noexcept;

}  // namespace graphrun::runtime
