#include "train/scatter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "train/canvas.hpp"

namespace graphrun::train {

namespace {

constexpr std::int64_t plot_side = 900;
constexpr std::int64_t margin = 48;
constexpr std::int64_t legend_width = 220;
constexpr int power_iterations = 100;

using Direction = std::vector<double>;

Direction means_of(const Codes& codes) {
  Direction means(static_cast<std::size_t>(codes.width));
  for (std::int64_t row = 0; row < codes.count(); ++row)
    for (std::size_t unit = 0; unit < means.size(); ++unit)
      means[unit] += static_cast<double>(codes.row(row)[unit]) / static_cast<double>(codes.count());
  return means;
}

double along(std::span<const float> row, const Direction& means, const Direction& direction) {
  double sum = 0;
  for (std::size_t unit = 0; unit < means.size(); ++unit)
    sum += (static_cast<double>(row[unit]) - means[unit]) * direction[unit];
  return sum;
}

void remove_part(Direction& vector, const Direction& along) {
  const double part = std::inner_product(vector.begin(), vector.end(), along.begin(), 0.0);
  for (std::size_t i = 0; i < vector.size(); ++i) vector[i] -= part * along[i];
}

bool normalise(Direction& vector) {
  const double length = std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0));
  if (!(length > 0) || !std::isfinite(length)) return false;
  for (double& value : vector) value /= length;
  return true;
}

/// The direction of most variance at right angles to another, which may be empty.
Direction principal(const Codes& codes, const Direction& means, const Direction& other) {
  Direction direction(means.size());
  for (std::size_t i = 0; i < direction.size(); ++i) direction[i] = 1.0 / static_cast<double>(i + 1);
  for (int iteration = 0; iteration < power_iterations; ++iteration) {
    Direction next(means.size());
    for (std::int64_t row = 0; row < codes.count(); ++row) {
      const std::span<const float> values = codes.row(row);
      const double weight = along(values, means, direction);
      for (std::size_t i = 0; i < next.size(); ++i)
        next[i] += weight * (static_cast<double>(values[i]) - means[i]);
    }
    if (!other.empty()) remove_part(next, other);
    if (!normalise(next)) break;
    direction = std::move(next);
  }
  const auto largest = std::max_element(direction.begin(), direction.end(),
                                        [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (*largest < 0)
    for (double& value : direction) value = -value;
  return direction;
}

/// From values to pixels; a few outermost places do not press all others together.
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
    low_ = static_cast<double>(sorted[rare]);
    high_ = static_cast<double>(sorted[sorted.size() - 1 - rare]);
    const double spare = high_ > low_ ? 0.03 * (high_ - low_) : 0.5;
    low_ -= spare;
    high_ += spare;
  }
  std::int64_t place(float value) const {
    const double share = std::clamp((static_cast<double>(value) - low_) / (high_ - low_), 0.0, 1.0);
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

bool is_finite(const Plane& plane, std::size_t index) {
  return std::isfinite(plane.x[index]) && std::isfinite(plane.y[index]);
}

void draw_frame(Canvas& canvas, const Plane& plane, const Axis& x, const Axis& y) {
  const std::int64_t end = margin + plot_side;
  canvas.line(margin, end, end, end, 1, black);
  canvas.line(margin, margin, margin, end, 1, black);
  const std::string low_x = fmt::format("{:.3g}", x.low());
  const std::string high_x = fmt::format("{:.3g}", x.high());
  canvas.text(margin, end + 10, low_x, black);
  canvas.text(end - text_width(high_x), end + 10, high_x, black);
  canvas.text(margin + plot_side / 2 - text_width(plane.x_name) / 2, end + 10, plane.x_name, black);
  const std::string range = fmt::format("{} ({:.3g} to {:.3g}, upwards)", plane.y_name, y.low(), y.high());
  canvas.text(margin, margin - 28, range, black);
}

float median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string name_of(std::int64_t label, std::span<const std::string> names) {
  const auto index = static_cast<std::size_t>(label);
  return index < names.size() ? fmt::format("{} {}", label, names[index]) : fmt::format("{}", label);
}

/// The label's number in the middle of its places: a second way to tell classes beside colour.
void mark_classes(Canvas& canvas, const Plane& plane, std::span<const std::uint8_t> labels,
                  const std::set<std::uint8_t>& classes, const Axis& x_axis, const Axis& y_axis) {
  for (const std::uint8_t label : classes) {
    std::vector<float> x;
    std::vector<float> y;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] != label || !is_finite(plane, i)) continue;
      x.push_back(plane.x[i]);
      y.push_back(plane.y[i]);
    }
    if (x.empty()) continue;
    const std::string number = fmt::format("{}", label);
    const std::int64_t left = x_axis.place(median(std::move(x))) - text_width(number) / 2;
    const std::int64_t top = y_axis.place(median(std::move(y))) - text_height / 2;
    canvas.rectangle(left - 5, top - 5, text_width(number) + 8, text_height + 8, class_colour(label));
    canvas.rectangle(left - 3, top - 3, text_width(number) + 4, text_height + 4, white);
    canvas.text(left, top, number, black);
  }
}

}  // namespace

Plane plane_of(const Codes& codes) {
  Plane plane;
  const bool wide = codes.width > 2;
  const Direction means = means_of(codes);
  const Direction first = wide ? principal(codes, means, {}) : Direction{};
  const Direction second = wide ? principal(codes, means, first) : Direction{};
  for (std::int64_t row = 0; row < codes.count(); ++row) {
    const std::span<const float> values = codes.row(row);
    plane.x.push_back(wide ? static_cast<float>(along(values, means, first)) : values[0]);
    if (wide)
      plane.y.push_back(static_cast<float>(along(values, means, second)));
    else
      plane.y.push_back(codes.width == 2 ? values[1] : static_cast<float>(row));
  }
  plane.x_name = wide ? "1st principal component" : "code 0";
  plane.y_name = wide ? "2nd principal component" : (codes.width == 2 ? "code 1" : "number of the image");
  return plane;
}

Image draw_scatter(const Plane& plane, std::span<const std::uint8_t> labels,
                   std::span<const std::string> names) {
  const bool labelled = labels.size() == plane.x.size() && !labels.empty();
  Canvas canvas(2 * margin + plot_side + (labelled ? legend_width : 0), 2 * margin + plot_side);
  const Axis x(plane.x, margin, margin + plot_side);
  const Axis y(plane.y, margin + plot_side, margin);
  draw_frame(canvas, plane, x, y);
  const std::int64_t radius = plane.x.size() > 2'000 ? 2 : 4;
  for (std::size_t i = 0; i < plane.x.size(); ++i)
    if (is_finite(plane, i))
      canvas.disc(x.place(plane.x[i]), y.place(plane.y[i]), radius, class_colour(labelled ? labels[i] : 0));
  if (!labelled) return canvas.image();
  const std::set<std::uint8_t> classes(labels.begin(), labels.end());
  mark_classes(canvas, plane, labels, classes, x, y);
  std::int64_t top = margin;
  for (const std::uint8_t label : classes) {
    canvas.disc(plot_side + margin + 40, top + 7, 7, class_colour(label));
    canvas.text(plot_side + margin + 56, top, name_of(label, names), black);
    top += 30;
  }
  return canvas.image();
}

Image draw_image_scatter(const Plane& plane, const ImageSet& images) {
  Canvas canvas(2 * margin + plot_side, 2 * margin + plot_side);
  const auto width = static_cast<std::int64_t>(images.width);
  const auto height = static_cast<std::int64_t>(images.height);
  canvas.rectangle(margin / 2, margin / 2, margin + plot_side, margin + plot_side, black);
  const Axis x(plane.x, margin, margin + plot_side - width);
  const Axis y(plane.y, margin + plot_side - height, margin);
  std::vector<std::pair<std::int64_t, std::int64_t>> taken;
  for (std::size_t i = 0; i < std::min(plane.x.size(), images.count); ++i) {
    if (!is_finite(plane, i)) continue;
    const std::pair<std::int64_t, std::int64_t> place{x.place(plane.x[i]), y.place(plane.y[i])};
    const bool is_free = std::none_of(taken.begin(), taken.end(), [&](const auto& other) {
      return std::abs(other.first - place.first) < width && std::abs(other.second - place.second) < height;
    });
    if (!is_free) continue;
    taken.push_back(place);
    canvas.paste(place.first, place.second, width, height, images.image(i));
  }
  return canvas.image();
}

std::vector<std::string> class_names(const std::string& dataset) {
  if (dataset != "fashion_mnist") return {};
  return {"T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"};
}

}  // namespace graphrun::train
