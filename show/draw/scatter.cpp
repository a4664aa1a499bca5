#include "show/draw/scatter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "show/draw/canvas.hpp"
#include "show/draw/pictures.hpp"

namespace graphrun::show {

namespace {

constexpr std::int64_t plot_side = 900;
constexpr std::int64_t margin = 48;
constexpr std::size_t longest_name = 28;
constexpr std::int64_t legend_step = 30;
constexpr std::size_t most_marks = 40;

/// From values to pixels. A few places far outside would press all others together: then they are left out.
class Axis {
 public:
  Axis(const std::vector<float>& values, std::int64_t begin, std::int64_t end)
      : begin_(static_cast<double>(begin)), end_(static_cast<double>(end)) {
    std::vector<float> sorted;
    for (const float value : values)
      if (std::isfinite(value)) sorted.push_back(value);
    std::sort(sorted.begin(), sorted.end());
    if (sorted.empty()) return;
    const std::size_t rare = sorted.size() / 500;
    const auto at = [&](std::size_t index) { return static_cast<double>(sorted[index]); };
    low_ = at(rare);
    high_ = at(sorted.size() - 1 - rare);
    const double most_beyond = 0.3 * (high_ - low_);
    if (low_ - at(0) <= most_beyond) low_ = at(0);
    if (at(sorted.size() - 1) - high_ <= most_beyond) high_ = at(sorted.size() - 1);
    const double spare = high_ > low_ ? 0.03 * (high_ - low_) : 0.5;
    low_ -= spare;
    high_ += spare;
  }
  bool has(float value) const { return value >= low_ && value <= high_; }
  std::int64_t place(float value) const {
    const double share = (static_cast<double>(value) - low_) / (high_ - low_);
    return std::llround(begin_ + share * (end_ - begin_));
  }
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  double begin_;
  double end_;
  double low_ = 0;
  double high_ = 1;
};

/// Both axes. What is not finite has no place.
struct Frame {
  Axis x;
  Axis y;
  bool has(const train::Plane& plane, std::size_t index) const {
    return x.has(plane.x[index]) && y.has(plane.y[index]);
  }
};

void draw_frame(Canvas& canvas, const train::Plane& plane, const Frame& frame) {
  const std::int64_t end = margin + plot_side;
  canvas.line(margin, end, end, end, 1, black);
  canvas.line(margin, margin, margin, end, 1, black);
  const std::string low_x = fmt::format("{:.3g}", frame.x.low());
  const std::string high_x = fmt::format("{:.3g}", frame.x.high());
  canvas.text(margin, end + 10, low_x, black);
  canvas.text(end - text_width(high_x), end + 10, high_x, black);
  canvas.text(margin + plot_side / 2 - text_width(plane.x_name) / 2, end + 10, plane.x_name, black);
  std::string above =
      fmt::format("{} ({:.3g} to {:.3g}, upwards)", plane.y_name, frame.y.low(), frame.y.high());
  std::size_t outside = 0;
  for (std::size_t i = 0; i < plane.x.size(); ++i) outside += frame.has(plane, i) ? 0 : 1;
  if (outside > 0) above += fmt::format(", {} of {} are outside", outside, plane.x.size());
  canvas.text(margin, margin - 28, above, black);
}

float median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string name_of(std::int64_t label, std::span<const std::string> names) {
  const auto index = static_cast<std::size_t>(label);
  return index < names.size() ? fmt::format("{} {}", label, names[index].substr(0, longest_name))
                              : fmt::format("{}", label);
}

/// 0 when there are no classes.
std::int64_t legend_width(const std::set<std::int32_t>& classes, std::span<const std::string> names) {
  std::int64_t width = 0;
  for (const std::int32_t label : classes) width = std::max(width, 64 + text_width(name_of(label, names)));
  return width;
}

/// The number of a label, to be drawn where its places are.
struct Mark {
  std::int32_t label = 0;
  std::string text;
  double x = 0;  ///< of its middle
  double y = 0;
  double home_x = 0;  ///< the middle of its places
  double home_y = 0;
  double half_width() const { return static_cast<double>(text_width(text)) / 2 + 6; }
};

constexpr double half_mark_height = static_cast<double>(text_height) / 2 + 6;

std::vector<Mark> marks_of(const train::Plane& plane, std::span<const std::int32_t> labels,
                           const std::set<std::int32_t>& classes, const Frame& frame) {
  std::vector<Mark> marks;
  for (const std::int32_t label : classes) {
    std::vector<float> x;
    std::vector<float> y;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] != label || !frame.has(plane, i)) continue;
      x.push_back(plane.x[i]);
      y.push_back(plane.y[i]);
    }
    if (x.empty()) continue;
    const auto home_x = static_cast<double>(frame.x.place(median(std::move(x))));
    const auto home_y = static_cast<double>(frame.y.place(median(std::move(y))));
    marks.push_back({label, fmt::format("{}", label), home_x, home_y, home_x, home_y});
  }
  return marks;
}

/// Moves two marks apart, along the axis on which less is wanting; true if they overlapped.
bool part(Mark& a, Mark& b) {
  const double over_x = a.half_width() + b.half_width() - std::abs(a.x - b.x);
  const double over_y = 2 * half_mark_height - std::abs(a.y - b.y);
  if (over_x <= 0 || over_y <= 0) return false;
  if (over_x < over_y) {
    const double step = (a.x <= b.x ? 1 : -1) * (over_x / 2 + 0.5);
    a.x -= step;
    b.x += step;
  } else {
    const double step = (a.y <= b.y ? 1 : -1) * (over_y / 2 + 0.5);
    a.y -= step;
    b.y += step;
  }
  return true;
}

/// None hides another, if there are not too many.
void spread(std::vector<Mark>& marks) {
  constexpr int most_rounds = 200;
  for (int round = 0; round < most_rounds; ++round) {
    bool moved = false;
    for (std::size_t a = 0; a < marks.size(); ++a)
      for (std::size_t b = a + 1; b < marks.size(); ++b) moved = part(marks[a], marks[b]) || moved;
    if (!moved) return;
  }
}

/// The label's number in the middle of its places, or with a line to it: a second way to tell classes beside
/// colour.
void mark_classes(Canvas& canvas, std::vector<Mark> marks) {
  spread(marks);
  for (const Mark& mark : marks)
    canvas.line(std::llround(mark.home_x), std::llround(mark.home_y), std::llround(mark.x),
                std::llround(mark.y), 2, black);
  for (const Mark& mark : marks) {
    const std::int64_t left = std::llround(mark.x) - text_width(mark.text) / 2;
    const std::int64_t top = std::llround(mark.y) - text_height / 2;
    const std::int64_t width = text_width(mark.text);
    canvas.rectangle(left - 5, top - 5, width + 8, text_height + 8, class_colour(mark.label));
    canvas.rectangle(left - 3, top - 3, width + 4, text_height + 4, white);
    canvas.text(left, top, mark.text, black);
  }
}

}  // namespace

files::Image draw_scatter(const train::Plane& plane, std::span<const std::int32_t> labels,
                          std::span<const std::string> names) {
  const bool labelled = labels.size() == plane.x.size() && !labels.empty();
  const std::set<std::int32_t> classes(labels.begin(), labelled ? labels.end() : labels.begin());
  Canvas canvas(2 * margin + plot_side + legend_width(classes, names), 2 * margin + plot_side);
  const Frame frame{{plane.x, margin, margin + plot_side}, {plane.y, margin + plot_side, margin}};
  draw_frame(canvas, plane, frame);
  const std::int64_t radius = plane.x.size() > 2'000 ? 2 : 4;
  for (std::size_t i = 0; i < plane.x.size(); ++i)
    if (frame.has(plane, i))
      canvas.disc(frame.x.place(plane.x[i]), frame.y.place(plane.y[i]), radius,
                  class_colour(labelled ? labels[i] : 0));
  if (!labelled) return canvas.image();
  if (classes.size() <= most_marks) mark_classes(canvas, marks_of(plane, labels, classes, frame));
  std::int64_t top = margin;
  for (const std::int32_t label : classes) {
    if (top + legend_step > margin + plot_side) {
      canvas.text(plot_side + margin + 56, top, "...", black);
      break;
    }
    canvas.disc(plot_side + margin + 40, top + 7, 7, class_colour(label));
    canvas.text(plot_side + margin + 56, top, name_of(label, names), black);
    top += legend_step;
  }
  return canvas.image();
}

files::Image draw_image_scatter(const train::Plane& plane, const train::ImageSet& images) {
  Canvas canvas(2 * margin + plot_side, 2 * margin + plot_side);
  const auto width = static_cast<std::int64_t>(images.width);
  const auto height = static_cast<std::int64_t>(images.height);
  canvas.rectangle(margin / 2, margin / 2, margin + plot_side, margin + plot_side, black);
  const Frame frame{{plane.x, margin, margin + plot_side - width},
                    {plane.y, margin + plot_side - height, margin}};
  std::vector<std::pair<std::int64_t, std::int64_t>> taken;
  for (std::size_t i = 0; i < std::min(plane.x.size(), images.count); ++i) {
    if (!frame.has(plane, i)) continue;
    const std::pair<std::int64_t, std::int64_t> place{frame.x.place(plane.x[i]), frame.y.place(plane.y[i])};
    const bool is_free = std::none_of(taken.begin(), taken.end(), [&](const auto& other) {
      return std::abs(other.first - place.first) < width && std::abs(other.second - place.second) < height;
    });
    if (!is_free) continue;
    taken.push_back(place);
    canvas.paste(place.first, place.second, width, height, pixels_of(images, i, 1));
  }
  return canvas.image();
}

}  // namespace graphrun::show
