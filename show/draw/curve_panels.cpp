#include "show/draw/curve_panels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "graphrun/error.hpp"
#include "show/draw/canvas.hpp"

namespace graphrun::show {

namespace {

constexpr std::size_t most_panels = 8;
constexpr std::int64_t panel_width = 640;
constexpr std::int64_t panel_height = 400;
constexpr std::int64_t left_margin = 104;
constexpr std::int64_t right_margin = 36;
constexpr std::int64_t top_margin = 64;
constexpr std::int64_t bottom_margin = 48;
constexpr std::size_t most_dots = 40;
constexpr double decades_for_logarithm = 1.5;
constexpr Colour train_colour{0, 114, 178};
constexpr Colour test_colour{213, 94, 0};
constexpr Colour light{232, 232, 232};
constexpr Colour dark{150, 150, 150};

/// From values to places on the canvas.
class Axis {
 public:
  Axis(std::int64_t begin, std::int64_t end) : begin_(begin), end_(end) {}

  void include(double value) {
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
  /// To be called after the last include(). Room beyond both ends is a share of the whole.
  void finish(bool may_be_logarithmic, double room) {
    if (!(high_ > low_)) {
      const double spare = low_ == 0 ? 1 : std::abs(low_) / 2;
      low_ -= spare;
      high_ += spare;
    }
    logarithmic_ = may_be_logarithmic && low_ > 0 && std::log10(high_ / low_) > decades_for_logarithm;
    const double spare = (scaled(high_) - scaled(low_)) * room;
    const double bottom = scaled(low_) - spare;
    const double top = scaled(high_) + spare;
    low_ = logarithmic_ ? std::exp(bottom) : bottom;
    high_ = logarithmic_ ? std::exp(top) : top;
  }
  std::int64_t place(double value) const {
    const double share = (scaled(value) - scaled(low_)) / (scaled(high_) - scaled(low_));
    return begin_ + std::llround(share * static_cast<double>(end_ - begin_));
  }
  bool is_logarithmic() const { return logarithmic_; }
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  double scaled(double value) const { return logarithmic_ ? std::log(value) : value; }

  std::int64_t begin_;
  std::int64_t end_;
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
  bool logarithmic_ = false;
};

class Panel {
 public:
  Panel(Canvas& canvas, const Curve& curve, const std::vector<LoggedStage>& stages, double last_step,
        std::int64_t left, std::int64_t top)
      : canvas_(canvas),
        stages_(stages),
        left_(left + left_margin),
        right_(left + panel_width - right_margin),
        top_(top + top_margin),
        bottom_(top + panel_height - bottom_margin),
        steps_(left_, right_),
        values_(bottom_, top_) {
    steps_.include(0);
    steps_.include(last_step);
    steps_.finish(false, 0);
    for (const auto* points : {&curve.train, &curve.test})
      for (const Curve::Point& point : *points) values_.include(point.value);
    constexpr double room = 0.04;
    values_.finish(true, room);
    draw_scales();
    draw_stages();
    draw_names(curve);
    draw_line(curve.train, train_colour);
    draw_line(curve.test, test_colour);
  }

 private:
  void draw_scales() {
    for (const double value : values_.is_logarithmic() ? logarithmic_ticks(values_.low(), values_.high())
                                                       : even_ticks(values_.low(), values_.high(), 5)) {
      const std::int64_t y = values_.place(value);
      canvas_.line(left_, y, right_, y, 1, light);
      const std::string text = fmt::format("{:.6g}", value);
      canvas_.text(left_ - 8 - text_width(text), y - text_height / 2 + 1, text, black);
    }
    for (const double step : even_ticks(steps_.low(), steps_.high(), 4)) {
      const std::int64_t x = steps_.place(step);
      canvas_.line(x, bottom_, x, bottom_ + 5, 1, black);
      const std::string text = fmt::format("{:.0f}", step);
      canvas_.text(x - text_width(text) / 2, bottom_ + 10, text, black);
    }
    canvas_.text(right_ - text_width("steps"), bottom_ + 30, "steps", black);
    canvas_.line(left_, bottom_, right_, bottom_, 1, black);
    canvas_.line(left_, top_, left_, bottom_, 1, black);
  }

  /// A stage reaches from the last step of the one before to its own.
  void draw_stages() {
    double begin = 0;
    std::int64_t free_from = left_;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const LoggedStage& stage = stages_[i];
      const bool is_new_phase = i == 0 || stages_[i - 1].phase != stage.phase;
      const bool is_new_layer = i == 0 || stages_[i - 1].layer != stage.layer;
      const std::int64_t x = steps_.place(begin);
      if (i > 0 && is_new_phase) canvas_.line(x, top_ - 18, x, bottom_, 1, dark);
      if (i > 0 && !is_new_phase && is_new_layer) canvas_.line(x, top_, x, bottom_, 1, grey);
      if (is_new_phase && !stage.phase.empty() && x + 4 >= free_from) {
        canvas_.text(x + 4, top_ - 20, stage.phase, dark);
        free_from = x + 4 + text_width(stage.phase) + 8;
      }
      begin = stage.last;
    }
  }

  void draw_names(const Curve& curve) {
    const std::string name = curve.name + (values_.is_logarithmic() ? " (log scale)" : "");
    canvas_.text(left_, top_ - 46, name, black);
    std::int64_t right = right_;
    const auto entry = [&](const char* text, Colour colour) {
      right -= text_width(text);
      canvas_.text(right, top_ - 46, text, colour);
      right -= 24;
    };
    if (!curve.test.empty()) entry("test", test_colour);
    if (!curve.train.empty()) entry("train", train_colour);
  }

  std::size_t stage_of(double step) const {
    std::size_t index = 0;
    while (index < stages_.size() && step > stages_[index].last) ++index;
    return index;
  }

  void draw_line(const std::vector<Curve::Point>& points, Colour colour) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      const std::int64_t x = steps_.place(points[i].step);
      const std::int64_t y = values_.place(points[i].value);
      const bool is_joined = i > 0 && stage_of(points[i - 1].step) == stage_of(points[i].step);
      const bool is_last = i + 1 == points.size() || stage_of(points[i + 1].step) != stage_of(points[i].step);
      if (is_joined)
        canvas_.line(steps_.place(points[i - 1].step), values_.place(points[i - 1].value), x, y, 2, colour);
      if (points.size() <= most_dots || (!is_joined && is_last)) canvas_.disc(x, y, 3, colour);
    }
  }

  Canvas& canvas_;
  const std::vector<LoggedStage>& stages_;
  std::int64_t left_;
  std::int64_t right_;
  std::int64_t top_;
  std::int64_t bottom_;
  Axis steps_;
  Axis values_;
};

double last_step_of(const std::vector<Curve>& curves) {
  double last = 0;
  for (const Curve& curve : curves)
    for (const auto* points : {&curve.train, &curve.test})
      for (const Curve::Point& point : *points) last = std::max(last, point.step);
  return last;
}

}  // namespace

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

files::Image draw_curves(const std::vector<Curve>& curves, const std::vector<LoggedStage>& stages) {
  if (curves.empty()) throw Error(ErrorCode::usage, "there are no figures to draw yet");
  const std::size_t panels = std::min(curves.size(), most_panels);
  const auto columns = static_cast<std::int64_t>(std::min<std::size_t>(panels, 2));
  const std::int64_t rows = (static_cast<std::int64_t>(panels) + columns - 1) / columns;
  const double last_step = last_step_of(curves);
  Canvas canvas(columns * panel_width, rows * panel_height);
  for (std::size_t i = 0; i < panels; ++i) {
    const auto index = static_cast<std::int64_t>(i);
    const Panel panel(canvas, curves[i], stages, last_step, index % columns * panel_width,
                      index / columns * panel_height);
  }
  return canvas.image();
}

}  // namespace graphrun::show
