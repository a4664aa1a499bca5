#include "train/curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "graphrun/error.hpp"
#include "train/canvas.hpp"
#include "train/file.hpp"

namespace graphrun::train {

namespace {

constexpr std::uint64_t largest_log = std::uint64_t{1} << 30;
constexpr std::size_t most_panels = 8;
constexpr std::int64_t panel_width = 560;
constexpr std::int64_t panel_height = 380;
constexpr std::int64_t left_margin = 116;
constexpr std::int64_t right_margin = 28;
constexpr std::int64_t top_margin = 44;
constexpr std::int64_t bottom_margin = 48;
constexpr Colour train_colour{0, 114, 178};
constexpr Colour test_colour{213, 94, 0};

/// The fields of a line; none of them that is a number is quoted, and commas in quotes part nothing.
std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] != ',' || quoted) continue;
    fields.push_back(line.substr(begin, i - begin));
    begin = i + 1;
  }
  fields.push_back(line.substr(begin));
  return fields;
}

std::optional<double> number_in(std::string_view field) {
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || !std::isfinite(value)) return {};
  return value;
}

Curve& curve_named(std::vector<Curve>& curves, std::string_view name) {
  const auto found =
      std::find_if(curves.begin(), curves.end(), [&](const Curve& curve) { return curve.name == name; });
  if (found != curves.end()) return *found;
  curves.push_back({std::string(name), {}, {}});
  return curves.back();
}

void add_cell(std::vector<Curve>& curves, std::string_view column, Curve::Point point) {
  constexpr std::string_view train = "train.";
  constexpr std::string_view test = "test.";
  if (column.starts_with(train)) curve_named(curves, column.substr(train.size())).train.push_back(point);
  if (column.starts_with(test)) curve_named(curves, column.substr(test.size())).test.push_back(point);
}

bool same(const std::vector<Curve::Point>& a, const std::vector<Curve::Point>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Curve::Point& p, const Curve::Point& q) {
    return p.step == q.step && p.value == q.value;
  });
}

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  std::int64_t place(double value, std::int64_t begin, std::int64_t end) const {
    const double share = high > low ? (value - low) / (high - low) : 0.5;
    return begin + std::llround(share * static_cast<double>(end - begin));
  }
};

class Panel {
 public:
  Panel(Canvas& canvas, const Curve& curve, const Range& steps, std::int64_t left, std::int64_t top)
      : canvas_(canvas),
        steps_(steps),
        left_(left + left_margin),
        right_(left + panel_width - right_margin),
        top_(top + top_margin),
        bottom_(top + panel_height - bottom_margin) {
    for (const auto* points : {&curve.train, &curve.test})
      for (const Curve::Point& point : *points) values_.include(point.value);
    frame(curve);
    line(curve.train, train_colour);
    line(curve.test, test_colour);
  }

 private:
  void frame(const Curve& curve) {
    for (int tick = 0; tick <= 4; ++tick) {
      const double value = values_.low + (values_.high - values_.low) * tick / 4;
      const std::int64_t y = values_.high > values_.low ? values_.place(value, bottom_, top_) : bottom_;
      canvas_.line(left_, y, right_, y, 1, grey);
      if (tick > 0 && values_.high <= values_.low) break;
      const std::string text = fmt::format("{:.4g}", value);
      canvas_.text(left_ - 8 - text_width(text), y - text_height / 2, text, black);
    }
    canvas_.line(left_, bottom_, right_, bottom_, 1, black);
    canvas_.text(left_, top_ - 34, curve.name, black);
    legend(curve);
    const std::string last = fmt::format("step {:.0f}", steps_.high);
    if (steps_.high > steps_.low) canvas_.text(left_, bottom_ + 12, fmt::format("{:.0f}", steps_.low), black);
    canvas_.text(right_ - text_width(last), bottom_ + 12, last, black);
  }

  void legend(const Curve& curve) {
    std::int64_t right = right_;
    const auto entry = [&](const char* name, Colour colour) {
      right -= text_width(name);
      canvas_.text(right, top_ - 34, name, colour);
      right -= 24;
    };
    if (!curve.test.empty()) entry("test", test_colour);
    if (!curve.train.empty()) entry("train", train_colour);
  }

  void line(const std::vector<Curve::Point>& points, Colour colour) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      const std::int64_t x = steps_.place(points[i].step, left_, right_);
      const std::int64_t y = values_.place(points[i].value, bottom_, top_);
      if (i > 0)
        canvas_.line(steps_.place(points[i - 1].step, left_, right_),
                     values_.place(points[i - 1].value, bottom_, top_), x, y, 2, colour);
      if (points.size() <= 40) canvas_.disc(x, y, 3, colour);
    }
  }

  Canvas& canvas_;
  const Range& steps_;
  Range values_;
  std::int64_t left_;
  std::int64_t right_;
  std::int64_t top_;
  std::int64_t bottom_;
};

}  // namespace

std::vector<Curve> read_curves(const std::filesystem::path& metrics) {
  const std::string text = read_text_file(metrics, largest_log);
  std::string_view rest = text;
  std::vector<std::string_view> columns;
  std::vector<Curve> curves;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::vector<std::string_view> fields = fields_of(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (columns.empty()) {
      columns = fields;
      continue;
    }
    const std::optional<double> step = number_in(fields.front());
    if (!step || fields.size() != columns.size())
      throw data_error(metrics, fmt::format("has a line of {} fields, which begins with '{}', for {} columns",
                                            fields.size(), fields.front(), columns.size()));
    for (std::size_t i = 1; i < fields.size(); ++i)
      if (const std::optional<double> value = number_in(fields[i]))
        add_cell(curves, columns[i], {*step, *value});
  }
  if (!curves.empty()) {
    const Curve first = curves.front();
    curves.erase(std::remove_if(curves.begin() + 1, curves.end(),
                                [&](const Curve& curve) {
                                  return same(curve.train, first.train) && same(curve.test, first.test);
                                }),
                 curves.end());
  }
  return curves;
}

Image draw_curves(const std::vector<Curve>& curves) {
  if (curves.empty()) throw Error(ErrorCode::usage, "there are no figures to draw yet");
  const std::size_t panels = std::min(curves.size(), most_panels);
  const auto columns = static_cast<std::int64_t>(std::min<std::size_t>(panels, 2));
  const std::int64_t rows = (static_cast<std::int64_t>(panels) + columns - 1) / columns;
  Range steps;
  for (const Curve& curve : curves)
    for (const auto* points : {&curve.train, &curve.test})
      for (const Curve::Point& point : *points) steps.include(point.step);
  Canvas canvas(columns * panel_width, rows * panel_height);
  for (std::size_t i = 0; i < panels; ++i) {
    const auto index = static_cast<std::int64_t>(i);
    const Panel panel(canvas, curves[i], steps, index % columns * panel_width,
                      index / columns * panel_height);
  }
  return canvas.image();
}

}  // namespace graphrun::train
