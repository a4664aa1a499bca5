// Curves: which points are joined, and which values mark an axis.
#include <cmath>

#include "show/draw/canvas.hpp"
#include "show/draw/curve_panels.hpp"
#include "show/draw/scales.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::show;

namespace {

using Values = std::vector<double>;

constexpr Colour train_colour{0, 114, 178};

/// How many pixels have the colour of the lines while learning, the legend's letters left aside.
std::size_t inked(const files::Image& image) {
  std::size_t count = 0;
  for (std::size_t at = 64 * image.width * 3; at < image.pixels.size(); at += 3)
    if (image.pixels[at] == train_colour.red && image.pixels[at + 1] == train_colour.green &&
        image.pixels[at + 2] == train_colour.blue)
      ++count;
  return count;
}

/// Where the line crosses a column, in the middle.
double row_of_line(const files::Image& image, std::size_t column) {
  double sum = 0;
  double count = 0;
  for (std::size_t row = 64; row < image.height; ++row) {
    if (image.pixels[(row * image.width + column) * 3 + 2] != train_colour.blue) continue;
    sum += static_cast<double>(row);
    ++count;
  }
  return sum / count;
}

void check_values(const Values& found, const Values& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]));
}

}  // namespace

TEST_CASE("points are joined within a stage only") {
  const std::vector<Curve> curves{{"loss", {{10, 1}, {20, 1}, {30, 1}, {40, 1}}, {}}};
  const files::Image joined = draw_curves(curves, {{"", 1, 0, 10, 40}});
  const files::Image parted = draw_curves(curves, {{"first", 1, 0, 10, 20}, {"second", 1, 0, 30, 40}});
  const files::Image layers = draw_curves(curves, {{"one", 1, 1, 10, 20}, {"one", 1, 2, 30, 40}});
  const files::Image draws = draw_curves(curves, {{"one", 1, 0, 10, 20}, {"one", 2, 0, 30, 40}});
  CHECK(inked(joined) > inked(parted) + 150);
  CHECK(inked(layers) == inked(parted));
  CHECK(inked(draws) == inked(parted));
}

TEST_CASE("panels stand in two columns, and there are at most eight") {
  const Curve curve{"loss", {{1, 1}}, {{1, 2}}};
  const files::Image one = draw_curves({curve}, {});
  CHECK(one.width > one.height);
  CHECK(draw_curves({curve, curve}, {}).width == 2 * one.width);
  CHECK(draw_curves({curve, curve, curve}, {}).height == 2 * one.height);
  CHECK(draw_curves(std::vector<Curve>(20, curve), {}).height == 4 * one.height);
  CHECK(throws([] { draw_curves({}, {}); }, ErrorCode::usage, "there are no figures to draw"));
}

TEST_CASE("wide spans of positive values are drawn on a logarithmic axis") {
  // There, the middle of a geometric series stands half way between its ends.
  const auto middle = [](double last) {
    const files::Image image = draw_curves({{"loss", {{0, 1000}, {10, 10}, {20, last}}, {}}}, {});
    return row_of_line(image, 354) - (row_of_line(image, 104) + row_of_line(image, 604)) / 2;
  };
  CHECK(std::abs(middle(0.1)) < 3);
  CHECK(middle(0) > 100);
  check_values(logarithmic_ticks(0.009, 0.68), {0.01, 0.02, 0.05, 0.1, 0.2, 0.5});
  check_values(logarithmic_ticks(0.5, 20000), {1, 10, 100, 1000, 10000});
  CHECK(logarithmic_ticks(1e-30, 1e30).size() < 10);
}

TEST_CASE("ticks are round values") {
  check_values(even_ticks(0, 3170, 4), {0, 1000, 2000, 3000});
  check_values(even_ticks(-0.3, 0.9, 5), {-0.2, 0, 0.2, 0.4, 0.6, 0.8});
  check_values(even_ticks(0.0121, 0.0247, 5), {0.014, 0.016, 0.018, 0.02, 0.022, 0.024});
  CHECK(even_ticks(1, 1, 5).empty());
  CHECK(even_ticks(0, 1e300, 5).size() < 12);
}

TEST_CASE("what pictures and the page draw alike: scales, their marks, joined points") {
  const Curve wide{"loss", {{1, 100}, {2, 1}}, {{2, 0.1}}};
  const ValueScales scales = value_scales(wide);
  REQUIRE(scales.logarithmic);
  CHECK(scales.is_wide);
  CHECK(&scales.preferred() == &*scales.logarithmic);
  CHECK(scales.logarithmic->share(std::sqrt(10)) == Approx(0.5));
  CHECK(scales.even.share((100 + 0.1) / 2) == Approx(0.5));
  CHECK(scales.even.low < 0.1);
  CHECK(scales.even.high > 100);
  CHECK_FALSE(value_scales({"loss", {{1, 1}, {2, 0}}, {}}).logarithmic);
  CHECK_FALSE(value_scales({"loss", {{1, 2}, {2, 2}}, {}}).logarithmic);
  CHECK_FALSE(value_scales({"loss", {{1, 2}, {2, 4}}, {}}).preferred().logarithmic);
  check_values(step_scale({wide}).ticks, {0, 0.5, 1, 1.5, 2});
  const std::vector<Part> parts =
      parts_of({{10, 1}, {20, 1}, {30, 1}}, {{"a", 1, 0, 10, 20}, {"b", 1, 0, 30, 40}});
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].end == 2);
  CHECK(parts[1].begin == 2);
  CHECK(parts[1].end == 3);
}
