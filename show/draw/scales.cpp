#include "show/draw/scales.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace graphrun::show {

namespace {

constexpr double decades_for_logarithm = 1.5;
constexpr int value_ticks = 5;
constexpr int step_ticks = 4;

double scaled(double value, bool logarithmic) {
  return logarithmic ? std::log(value) : value;
}

/// Room beyond both ends is a share of the whole.
Scale scale_between(double low, double high, bool logarithmic, double room) {
  const double bottom = scaled(low, logarithmic);
  const double top = scaled(high, logarithmic);
  const double spare = (top - bottom) * room;
  Scale scale{bottom - spare, top + spare, logarithmic, {}};
  if (!logarithmic) return scale;
  scale.low = std::exp(scale.low);
  scale.high = std::exp(scale.high);
  return scale;
}

std::size_t stage_of(double step, const std::vector<LoggedStage>& stages) {
  std::size_t index = 0;
  while (index < stages.size() && step > stages[index].last) ++index;
  return index;
}

}  // namespace

double Scale::share(double value) const {
  return (scaled(value, logarithmic) - scaled(low, logarithmic)) /
         (scaled(high, logarithmic) - scaled(low, logarithmic));
}

Scale step_scale(const std::vector<Curve>& curves) {
  double last = 0;
  for (const Curve& curve : curves)
    for (const auto* points : {&curve.train, &curve.test})
      for (const Curve::Point& point : *points) last = std::max(last, point.step);
  Scale scale{0, last, false, {}};
  if (last == 0) scale = {-1, 1, false, {}};
  scale.ticks = even_ticks(scale.low, scale.high, step_ticks);
  return scale;
}

ValueScales value_scales(const Curve& curve) {
  constexpr double room = 0.04;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const auto* points : {&curve.train, &curve.test})
    for (const Curve::Point& point : *points) {
      low = std::min(low, point.value);
      high = std::max(high, point.value);
    }
  ValueScales scales;
  if (low > 0 && high > low) {
    scales.logarithmic = scale_between(low, high, true, room);
    scales.logarithmic->ticks = logarithmic_ticks(scales.logarithmic->low, scales.logarithmic->high);
    scales.is_wide = std::log10(high / low) > decades_for_logarithm;
  }
  if (!(high > low)) {
    const double spare = low == 0 ? 1 : std::abs(low) / 2;
    low -= spare;
    high += spare;
  }
  scales.even = scale_between(low, high, false, room);
  scales.even.ticks = even_ticks(scales.even.low, scales.even.high, value_ticks);
  return scales;
}

std::vector<Part> parts_of(const std::vector<Curve::Point>& points, const std::vector<LoggedStage>& stages) {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i == 0 || stage_of(points[i].step, stages) != stage_of(points[i - 1].step, stages))
      parts.push_back({i, i});
    parts.back().end = i + 1;
  }
  return parts;
}

std::vector<double> even_ticks(double low, double high, int count) {
  const double raw = (high - low) / count;
  if (!(raw > 0) || !std::isfinite(raw)) return {};
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double part = raw / power;
  const double step = (part < 1.5 ? 1 : (part < 3.5 ? 2 : (part < 7.5 ? 5 : 10))) * power;
  std::vector<double> ticks;
  // Counted in steps, so that 0 is 0; what is so large that steps vanish in it has no ticks.
  const double first = std::ceil(low / step);
  for (int i = 0; i <= 2 * count && (first + i) * step <= high; ++i) ticks.push_back((first + i) * step);
  return ticks;
}

std::vector<double> logarithmic_ticks(double low, double high) {
  constexpr int most_with_parts = 3;
  constexpr int most = 6;
  const auto first = static_cast<int>(std::floor(std::log10(low)));
  const auto last = static_cast<int>(std::ceil(std::log10(high)));
  const int every = std::max(1, (last - first + most - 1) / most);
  std::vector<double> ticks;
  for (int power = first; power <= last; power += every)
    for (const double part : {1.0, 2.0, 5.0}) {
      const double tick = part * std::pow(10, power);
      if (tick >= low && tick <= high && (part == 1 || last - first <= most_with_parts))
        ticks.push_back(tick);
    }
  return ticks;
}

}  // namespace graphrun::show
