#include "train/measure/draw_statistics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace graphrun::train {

namespace {

const PhaseResult* find(const std::vector<PhaseResult>& results, const std::string& phase,
                        std::uint64_t draw) {
  const auto found = std::find_if(results.begin(), results.end(), [&](const PhaseResult& result) {
    return result.phase == phase && result.draw == draw;
  });
  return found == results.end() ? nullptr : &*found;
}

const Figure* find(const PhaseResult& result, const std::string& name) {
  const auto found = std::find_if(result.figures.begin(), result.figures.end(),
                                  [&](const Figure& figure) { return figure.name == name; });
  return found == result.figures.end() ? nullptr : &*found;
}

}  // namespace

double t_quantile_975(std::int64_t degrees) {
  static constexpr std::array<double, 30> table = {
      12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281,
      2.2010,  2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860,
      2.0796,  2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423};
  if (degrees < 1) return std::numeric_limits<double>::quiet_NaN();
  if (degrees <= 30) return table[static_cast<std::size_t>(degrees - 1)];
  // Cornish and Fisher: the normal quantile and its first two corrections.
  const double z = 1.959964;
  const auto n = static_cast<double>(degrees);
  const double z3 = z * z * z;
  return z + (z3 + z) / (4 * n) + (5 * z3 * z * z + 16 * z3 + 3 * z) / (96 * n * n);
}

Estimate estimate(std::string name, std::span<const double> values) {
  const auto count = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value;
  const double mean = sum / count;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double error = std::sqrt(squares / (count - 1) / count);
  return {std::move(name), mean, error * t_quantile_975(static_cast<std::int64_t>(values.size()) - 1)};
}

std::vector<PhaseSummary> summaries(const TrainRecipe& train, const std::vector<PhaseResult>& results) {
  std::vector<PhaseSummary> all;
  for (const PhaseRecipe& phase : train.phases) {
    const PhaseResult* first = find(results, phase.name, 0);
    if (first == nullptr) continue;
    PhaseSummary summary{phase.name, 0, {}};
    for (const Figure& figure : first->figures) {
      std::vector<double> values;
      for (const PhaseResult& result : results)
        if (const Figure* same = result.phase == phase.name ? find(result, figure.name) : nullptr)
          values.push_back(same->value);
      summary.draws = static_cast<std::int64_t>(values.size());
      summary.figures.push_back(estimate(figure.name, values));
    }
    all.push_back(std::move(summary));
  }
  return all;
}

std::vector<PhaseDifference> differences(const TrainRecipe& train, const std::vector<PhaseResult>& results) {
  std::vector<PhaseDifference> all;
  for (const PhaseRecipe& phase : train.phases) {
    const PhaseResult* first = phase.same_as.empty() ? nullptr : find(results, phase.name, 0);
    if (first == nullptr) continue;
    PhaseDifference difference{phase.name, phase.same_as, 0, {}};
    for (const Figure& figure : first->figures) {
      std::vector<double> values;
      for (const PhaseResult& result : results) {
        if (result.phase != phase.name) continue;
        const PhaseResult* other = find(results, phase.same_as, result.draw);
        const Figure* minuend = find(result, figure.name);
        const Figure* subtrahend = other == nullptr ? nullptr : find(*other, figure.name);
        if (minuend != nullptr && subtrahend != nullptr) values.push_back(minuend->value - subtrahend->value);
      }
      difference.pairs = static_cast<std::int64_t>(values.size());
      if (!values.empty()) difference.figures.push_back(estimate(figure.name, values));
    }
    if (!difference.figures.empty()) all.push_back(std::move(difference));
  }
  return all;
}

}  // namespace graphrun::train
