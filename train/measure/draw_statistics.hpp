/// \file
/// What the draws of phases come to: means with confidence intervals, and the differences between phases that
/// were drawn in pairs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "language/recipe/definition.hpp"
#include "train/learn/state.hpp"

namespace graphrun::train {

/// The true mean lies within mean ± half_width with 95 % confidence, by Student's t; NaN for one value alone.
struct Estimate {
  std::string name;
  double mean = 0;
  double half_width = 0;
};
Estimate estimate(std::string name, std::span<const double> values);

struct PhaseSummary {
  std::string phase;
  std::int64_t draws = 0;
  std::vector<Estimate> figures;
};
/// Of every phase with a result, in the order of the model.
std::vector<PhaseSummary> summaries(const TrainRecipe& train, const std::vector<PhaseResult>& results);

/// Of each pair of draws: a figure of `of` less the same of `minus`, which `of` is the same as.
struct PhaseDifference {
  std::string of;
  std::string minus;
  std::int64_t pairs = 0;
  std::vector<Estimate> figures;
};
std::vector<PhaseDifference> differences(const TrainRecipe& train, const std::vector<PhaseResult>& results);

/// The value that Student's t with so many degrees of freedom exceeds with a probability of 2.5 %; to 3e-4.
double t_quantile_975(std::int64_t degrees);

}  // namespace graphrun::train
