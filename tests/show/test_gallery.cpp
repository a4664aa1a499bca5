// Pictures of what was learnt: where things are drawn, and that nothing else is.
#include <cmath>
#include <filesystem>
#include <limits>

#include "files/file.hpp"
#include "show/draw/canvas.hpp"
#include "show/draw/curves.hpp"
#include "show/draw/filters.hpp"
#include "show/draw/gallery.hpp"
#include "show/draw/scatter.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/known_datasets.hpp"
#include "train/measure/latent_space.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::show;
using namespace graphrun::train;

namespace {

std::size_t coloured(const files::Image& image, Colour colour) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < image.pixels.size(); at += 3)
    if (image.pixels[at] == colour.red && image.pixels[at + 1] == colour.green &&
        image.pixels[at + 2] == colour.blue)
      ++count;
  return count;
}

Codes codes_on_a_line() {
  // Along (3, 4, 0) with a little along (-4, 3, 0), and a constant third unit.
  Codes codes{3, {}};
  for (int i = -10; i <= 10; ++i) {
    const auto far = static_cast<float>(i);
    const float near = i % 2 == 0 ? 0.5F : -0.5F;
    codes.values.insert(codes.values.end(), {0.6F * far - 0.8F * near, 0.8F * far + 0.6F * near, 7.0F});
  }
  return codes;
}

}  // namespace

TEST_CASE("wide codes are seen along their two directions of most variance") {
  const Plane plane = plane_of(codes_on_a_line());
  REQUIRE(plane.x.size() == 21);
  CHECK(plane.x_name == "1st principal component");
  for (int i = 0; i < 21; ++i) {
    CHECK(std::abs(std::abs(plane.x[static_cast<std::size_t>(i)]) - std::abs(static_cast<float>(i - 10))) <
          0.1F);
    CHECK(std::abs(plane.y[static_cast<std::size_t>(i)]) < 0.7F);
  }
  CHECK(plane.x.back() > 9.5F);
}

TEST_CASE("codes of two units are their own places, one unit goes by its number") {
  const Plane two = plane_of({2, {1, 2, 3, 4}});
  CHECK(two.x == std::vector<float>{1, 3});
  CHECK(two.y == std::vector<float>{2, 4});
  CHECK(plane_of({1, {5, 6}}).y == std::vector<float>{0, 1});
}

TEST_CASE("a scatter has every class in its own colour, and passes over what is not finite") {
  Plane plane{{0, 1, 0, std::numeric_limits<float>::quiet_NaN()}, {0, 1, 1, 0}, "a", "b"};
  const std::vector<std::int32_t> labels{0, 1, 2, 3};
  const files::Image image = draw_scatter(plane, labels, class_names("fashion_mnist"));
  for (const std::int64_t label : {0, 1, 2}) CHECK(coloured(image, class_colour(label)) > 200);
  // Only in the legend.
  CHECK(coloured(image, class_colour(3)) > 0);
  CHECK(coloured(image, class_colour(3)) < 200);
  CHECK(coloured(image, class_colour(4)) == 0);
  CHECK(draw_scatter(plane, {}, {}).width < image.width);
  CHECK(class_names("other").empty());
}

TEST_CASE("an image that would hide another is left out") {
  const ImageSet images{3, 2, 2, 1, std::vector<std::uint8_t>(12, 255), {}};
  const Plane plane{{0, 0, 1}, {0, 0, 1}, "", ""};
  const files::Image all = draw_image_scatter(plane, images);
  const files::Image none = draw_image_scatter({}, images);
  CHECK(coloured(all, white) == coloured(none, white) + 2 * 4);
}

TEST_CASE("text is drawn in the built-in font, with boxes for what it lacks") {
  CHECK(text_width("abc") == 36);
  Canvas dot(40, 20);
  dot.text(0, 0, ".", black);
  CHECK(coloured(dot.image(), black) == 4 * 4);
  Canvas box(40, 20);
  box.text(0, 0, "~", black);
  CHECK(coloured(box.image(), black) == 20 * 4);
  Canvas edge(4, 4);
  edge.text(-3, 2, "W", black);
  edge.disc(0, 0, 10, black);
  CHECK(coloured(edge.image(), black) == 16);
}

TEST_CASE("curves are read from the metrics of a run, whatever else stands there") {
  const TemporaryFolder folder;
  const auto path = folder / "metrics.csv";
  files::write_text_file(path,
                         "step,epoch,phase,train.loss,train.mse,test.loss,test.mse,test.psnr\n"
                         "10,1,\"a, b\",0.5,0.5,0.6,0.6,12\n20,2,b,nan,,0.4,0.4,13\n");
  const std::vector<Curve> curves = read_curves(path);
  REQUIRE(curves.size() == 2);  // `mse` is the loss
  CHECK(curves[0].name == "loss");
  REQUIRE(curves[0].train.size() == 1);
  CHECK(curves[0].train[0].value == 0.5);
  REQUIRE(curves[0].test.size() == 2);
  CHECK(curves[0].test[1].step == 20);
  CHECK(curves[1].name == "psnr");
  CHECK(curves[1].train.empty());
  files::write_text_file(path, "step,train.loss\n10,1,2\n");
  CHECK(throws([&] { read_curves(path); }, ErrorCode::data,
               "metrics.csv:2:1: error: this line has 3 fields, the first has 2"));
  files::write_text_file(path, "step,train.loss\n,1\n");
  CHECK(throws([&] { read_curves(path); }, ErrorCode::data,
               "metrics.csv:2:1: error: a row of figures begins with the number of its step"));
}

TEST_CASE("filters are grey at 0, each as strong as can be, the strongest first") {
  // [2 pixels, 3 units]
  const std::vector<float> weights{1.0F, -4.0F, 0.0F, -0.5F, 2.0F, 0.0F};
  const Pictures filters = filters_of(weights, {3, 1, 2, 1, {}});
  CHECK(filters.count == 3);
  // The second unit has the largest norm.
  CHECK(filters.pixels == std::vector<std::uint8_t>{0, 191, 255, 64, 128, 128});
  CHECK(filters_of(std::vector<float>(400), {200, 1, 2, 1, {}}).count == most_filters);
}

TEST_CASE("the way between two codes has both ends") {
  const std::vector<float> from{0, 2};
  const std::vector<float> to{1, 0};
  CHECK(interpolated_codes(from, to, 3).values == std::vector<float>{0, 2, 0.5F, 1, 1, 0});
}
