#include "language/values/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace graphrun {
namespace {

std::string_view unit_name(Schedule::Unit unit) {
  return unit == Schedule::Unit::steps ? "steps" : "epochs";
}

}  // namespace

double value_at(const Schedule& schedule, const Progress& progress) {
  const bool in_epochs = schedule.unit == Schedule::Unit::epochs;
  if (in_epochs && !progress.epoch && progress.steps_per_epoch == 0)
    return schedule.shape == Schedule::Shape::warmup ? schedule.to : schedule.from;
  const double per_unit = in_epochs ? static_cast<double>(progress.steps_per_epoch) : 1.0;
  const double elapsed =
      in_epochs && progress.epoch ? *progress.epoch : static_cast<double>(progress.step) / per_unit;
  const double fraction = schedule.length > 0 ? std::min(elapsed / schedule.length, 1.0) : 1.0;
  switch (schedule.shape) {
    case Schedule::Shape::constant:
      return schedule.from;
    case Schedule::Shape::linear:
    case Schedule::Shape::warmup:
      return schedule.from + (schedule.to - schedule.from) * fraction;
    case Schedule::Shape::cosine:
      return schedule.to +
             (schedule.from - schedule.to) * 0.5 * (1.0 + std::cos(std::numbers::pi * fraction));
    case Schedule::Shape::step:
      return schedule.from * std::pow(schedule.factor, std::floor(elapsed / schedule.length));
  }
  return schedule.from;
}

std::vector<double> ends_of(const Schedule& schedule) {
  if (schedule.shape != Schedule::Shape::step) return {schedule.from, schedule.to};
  std::vector<double> values = {schedule.from, schedule.from * schedule.factor};
  const bool grows = std::abs(schedule.factor) > 1 && schedule.from != 0;
  if (grows) values.push_back(std::copysign(std::numeric_limits<double>::infinity(), schedule.from));
  return values;
}

std::string to_string(const Schedule& schedule) {
  const std::string_view unit = unit_name(schedule.unit);
  switch (schedule.shape) {
    case Schedule::Shape::constant:
      return fmt::format("{}", schedule.from);
    case Schedule::Shape::linear:
      return fmt::format("{{linear: {{from: {}, to: {}, {}: {}}}}}", schedule.from, schedule.to, unit,
                         schedule.length);
    case Schedule::Shape::cosine:
      return fmt::format("{{cosine: {{from: {}, to: {}, {}: {}}}}}", schedule.from, schedule.to, unit,
                         schedule.length);
    case Schedule::Shape::warmup:
      return fmt::format("{{warmup: {{to: {}, {}: {}}}}}", schedule.to, unit, schedule.length);
    case Schedule::Shape::step:
      return fmt::format("{{step: {{from: {}, factor: {}, {}: {}}}}}", schedule.from, schedule.factor, unit,
                         schedule.length);
  }
  return {};
}

}  // namespace graphrun
