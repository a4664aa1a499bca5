#include "show/draw/diagram.hpp"

#include <fmt/format.h>

#include <cmath>

#include "show/draw/canvas.hpp"

namespace graphrun::show {

namespace {

constexpr std::int64_t panel_width = 640;
constexpr std::int64_t panel_height = 400;
constexpr std::int64_t left_margin = 104;
constexpr std::int64_t right_margin = 36;
constexpr std::int64_t top_margin = 64;
constexpr std::int64_t bottom_margin = 56;
constexpr Colour light{232, 232, 232};
constexpr Colour mark_colour{214, 64, 43};

using Kind = Diagram::Kind;

constexpr Colour colour_of(Kind kind) {
  return kind == Kind::first ? Colour{0, 114, 178} : Colour{213, 94, 0};
}
constexpr Colour shade_of(Kind kind) {
  return kind == Kind::first ? Colour{249, 216, 209} : Colour{255, 231, 186};
}

class Panel {
 public:
  Panel(Canvas& canvas, const Diagram& diagram, std::int64_t left, std::int64_t top)
      : canvas_(canvas),
        diagram_(diagram),
        left_(left + left_margin),
        right_(left + (diagram.is_wide ? 2 : 1) * panel_width - right_margin),
        top_(top + top_margin),
        bottom_(top + panel_height - bottom_margin) {}

  void draw() {
    // What is observed lies over what is flagged of it.
    for (const Kind kind : {Kind::second, Kind::first})
      for (const Diagram::Stretch& stretch : diagram_.stretches)
        if (stretch.kind == kind) shade(stretch);
    draw_scales();
    for (const Diagram::Bar& bar : diagram_.bars) draw_bar(bar);
    for (const Diagram::Line& line : diagram_.lines) draw_line(line);
    for (const double at : diagram_.x_marks) canvas_.line(x(at), top_, x(at), bottom_, 2, mark_colour);
    for (const double at : diagram_.y_marks) canvas_.line(left_, y(at), right_, y(at), 2, mark_colour);
    draw_names();
  }

 private:
  std::int64_t x(double value) const {
    return left_ + std::llround(diagram_.x.share(value) * static_cast<double>(right_ - left_));
  }
  std::int64_t y(double value) const {
    return bottom_ - std::llround(diagram_.y.share(value) * static_cast<double>(bottom_ - top_));
  }

  void shade(const Diagram::Stretch& stretch) {
    const std::int64_t from = x(stretch.from);
    canvas_.rectangle(from, top_, std::max<std::int64_t>(x(stretch.to) - from, 1), bottom_ - top_,
                      shade_of(stretch.kind));
  }

  void draw_scales() {
    for (const double value : diagram_.y.ticks) {
      canvas_.line(left_, y(value), right_, y(value), 1, light);
      const std::string text = fmt::format("{:.6g}", value);
      canvas_.text(left_ - 8 - text_width(text), y(value) - text_height / 2 + 1, text, black);
    }
    for (const double value : diagram_.x.ticks) {
      canvas_.line(x(value), bottom_, x(value), bottom_ + 5, 1, black);
      const std::string text = fmt::format("{:.6g}", value);
      canvas_.text(x(value) - text_width(text) / 2, bottom_ + 10, text, black);
    }
    canvas_.line(left_, bottom_, right_, bottom_, 1, black);
    canvas_.line(left_, top_, left_, bottom_, 1, black);
  }

  void draw_bar(const Diagram::Bar& bar) {
    const std::int64_t from = x(bar.from);
    const std::int64_t width = std::max<std::int64_t>(x(bar.to) - from - 1, 1);
    const std::int64_t middle = y(bar.first);
    const std::int64_t end = y(bar.first + bar.second);
    canvas_.rectangle(from, middle, width, bottom_ - middle, colour_of(Kind::first));
    canvas_.rectangle(from, end, width, middle - end, colour_of(Kind::second));
  }

  void draw_line(const Diagram::Line& line) {
    for (std::size_t i = 1; i < line.points.size(); ++i) {
      const Diagram::Point& from = line.points[i - 1];
      const Diagram::Point& to = line.points[i];
      if (std::isnan(from.y) || std::isnan(to.y)) continue;
      canvas_.line(x(from.x), y(from.y), x(to.x), y(to.y), 2, colour_of(line.kind));
    }
  }

  void draw_names() {
    canvas_.text(left_, top_ - 46, diagram_.title, black);
    canvas_.text(left_, top_ - 20, diagram_.y_name, black);
    canvas_.text(right_ - text_width(diagram_.x_name), bottom_ + 32, diagram_.x_name, black);
    std::int64_t right = right_;
    for (std::size_t i = diagram_.names.size(); i-- > 0;) {
      right -= text_width(diagram_.names[i]);
      canvas_.text(right, top_ - 46, diagram_.names[i], colour_of(i == 0 ? Kind::first : Kind::second));
      right -= 24;
    }
  }

  Canvas& canvas_;
  const Diagram& diagram_;
  std::int64_t left_;
  std::int64_t right_;
  std::int64_t top_;
  std::int64_t bottom_;
};

/// Places of panels, in panels.
struct Place {
  std::int64_t column = 0;
  std::int64_t row = 0;
};

std::vector<Place> places_of(std::span<const Diagram> diagrams) {
  std::vector<Place> places;
  Place next;
  for (const Diagram& diagram : diagrams) {
    if (diagram.is_wide && next.column > 0) next = {0, next.row + 1};
    places.push_back(next);
    next = diagram.is_wide || next.column == 1 ? Place{0, next.row + 1} : Place{1, next.row};
  }
  return places;
}

}  // namespace

files::Image draw_diagrams(std::span<const Diagram> diagrams) {
  const std::vector<Place> places = places_of(diagrams);
  const bool is_narrow = diagrams.size() == 1 && !diagrams.front().is_wide;
  Canvas canvas((is_narrow ? 1 : 2) * panel_width, (places.back().row + 1) * panel_height);
  for (std::size_t i = 0; i < diagrams.size(); ++i)
    Panel(canvas, diagrams[i], places[i].column * panel_width, places[i].row * panel_height).draw();
  return canvas.image();
}

}  // namespace graphrun::show
