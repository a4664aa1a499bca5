#include "show/draw/curve_panels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "graphrun/error.hpp"
#include "show/draw/canvas.hpp"
#include "show/draw/scales.hpp"

namespace graphrun::show {

namespace {

constexpr std::size_t most_panels = 8;
constexpr std::int64_t panel_width = 640;
constexpr std::int64_t panel_height = 400;
constexpr std::int64_t left_margin = 104;
constexpr std::int64_t right_margin = 36;
constexpr std::int64_t top_margin = 64;
constexpr std::int64_t bottom_margin = 48;
constexpr Colour train_colour{0, 114, 178};
constexpr Colour test_colour{213, 94, 0};
constexpr Colour light{232, 232, 232};
constexpr Colour dark{150, 150, 150};

/// From values to places on the canvas.
struct Axis {
  Scale scale;
  std::int64_t begin = 0;
  std::int64_t end = 0;

  std::int64_t place(double value) const {
    return begin + std::llround(scale.share(value) * static_cast<double>(end - begin));
  }
};

class Panel {
 public:
  Panel(Canvas& canvas, const Curve& curve, const std::vector<LoggedStage>& stages, const Scale& steps,
        std::int64_t left, std::int64_t top)
      : canvas_(canvas),
        stages_(stages),
        left_(left + left_margin),
        right_(left + panel_width - right_margin),
        top_(top + top_margin),
        bottom_(top + panel_height - bottom_margin),
        steps_{steps, left_, right_},
        values_{value_scales(curve).preferred(), bottom_, top_} {
    draw_scales();
    draw_stages();
    draw_names(curve);
    draw_line(curve.train, train_colour);
    draw_line(curve.test, test_colour);
  }

 private:
  void draw_scales() {
    for (const double value : values_.scale.ticks) {
      const std::int64_t y = values_.place(value);
      canvas_.line(left_, y, right_, y, 1, light);
      const std::string text = fmt::format("{:.6g}", value);
      canvas_.text(left_ - 8 - text_width(text), y - text_height / 2 + 1, text, black);
    }
    for (const double step : steps_.scale.ticks) {
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
    const std::string name = curve.name + (values_.scale.logarithmic ? " (log scale)" : "");
    canvas_.text(left_, top_ - 46, name, black);
    std::int64_t right = right_;
    const auto entry = [&](std::string_view text, Colour colour) {
      right -= text_width(text);
      canvas_.text(right, top_ - 46, text, colour);
      right -= 24;
    };
    if (!curve.test.empty()) entry(curve.measured, test_colour);
    if (!curve.train.empty()) entry("train", train_colour);
  }

  void draw_line(const std::vector<Curve::Point>& points, Colour colour) {
    for (const Part& part : parts_of(points, stages_)) {
      for (std::size_t i = part.begin; i < part.end; ++i) {
        const std::int64_t x = steps_.place(points[i].step);
        const std::int64_t y = values_.place(points[i].value);
        if (i > part.begin)
          canvas_.line(steps_.place(points[i - 1].step), values_.place(points[i - 1].value), x, y, 2, colour);
        if (points.size() <= most_dots || part.end - part.begin == 1) canvas_.disc(x, y, 3, colour);
      }
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

}  // namespace

files::Image draw_curves(const std::vector<Curve>& curves, const std::vector<LoggedStage>& stages) {
  if (curves.empty()) throw Error(ErrorCode::usage, "there are no figures to draw yet");
  const std::size_t panels = std::min(curves.size(), most_panels);
  const auto columns = static_cast<std::int64_t>(std::min<std::size_t>(panels, 2));
  const std::int64_t rows = (static_cast<std::int64_t>(panels) + columns - 1) / columns;
  const Scale steps = step_scale(curves);
  Canvas canvas(columns * panel_width, rows * panel_height);
  for (std::size_t i = 0; i < panels; ++i) {
    const auto index = static_cast<std::int64_t>(i);
    const Panel panel(canvas, curves[i], stages, steps, index % columns * panel_width,
                      index / columns * panel_height);
  }
  return canvas.image();
}

}  // namespace graphrun::show
