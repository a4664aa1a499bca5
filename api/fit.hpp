/// \file
/// What Session::fit() does: the loop or all phases, and what the host sees of them.
#pragma once

#include <functional>
#include <string>

#include "graphrun/session.hpp"
#include "train/datasets/examples.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::api {

/// Learns from the examples. `has_given_weights`: the host has set weights, which the first phase starts from
/// instead of those of the seed. `log` hears what no report says. Errors as Session::fit().
void fit(train::Learner& learner, const train::Examples& examples, const FitOptions& options,
         bool has_given_weights, const std::function<void(const std::string&)>& log);

/// The same from a source.
void fit(train::Learner& learner, Source& source, const FitOptions& options, bool has_given_weights,
         const std::function<void(const std::string&)>& log);

/// Figures as the host sees them.
NamedValues named(const train::Figures& figures);

}  // namespace graphrun::api
