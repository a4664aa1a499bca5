/// \file
/// A scalar that changes while a model learns: a learning rate, a loss weight, a noise level. The host
/// computes it in f64 before each step and feeds it, so that a schedule never recompiles a plan.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace graphrun {

struct Progress {
  std::uint64_t step = 0;             ///< steps done since the start of the phase
  std::uint64_t steps_per_epoch = 1;  ///< 0: not known
  std::optional<double> epoch = {};   ///< epochs done, where somebody says so: instead of what steps come to
};

/// After `length` the last value is held.
struct Schedule {
  enum class Shape { constant, linear, cosine, step, warmup };
  enum class Unit { steps, epochs };
  Shape shape = Shape::constant;
  double from = 0;  ///< constant: the value; step: the first value; warmup: from 0 to `to`
  double to = 0;
  double length = 1;  ///< in units; step: how long each value holds
  double factor = 1;  ///< step: what each further value is multiplied by
  Unit unit = Unit::epochs;

  static Schedule constant(double value) { return {.from = value, .to = value}; }
};

/// As long as nobody has said how many steps an epoch has, a schedule in epochs stands at its beginning, and
/// a warmup, which begins with nothing, counts as over.
double value_at(const Schedule& schedule, const Progress& progress);
/// The values between which it stays: the first and the last. What grows by each step has no last.
std::vector<double> ends_of(const Schedule& schedule);
std::string to_string(const Schedule& schedule);

}  // namespace graphrun
