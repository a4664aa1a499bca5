// Rows of the op table for images: convolutions, pooling, upsampling.
#include <limits>

#include "graph/op.hpp"
#include "ops/op.hpp"
#include "tests/ops/op_case.hpp"
#include "tests/support/catch.hpp"

namespace graphrun::op_table {
namespace {

Operand images(std::int64_t height, std::int64_t width, std::int64_t channels) {
  return {
      .low = -1, .high = 1, .type = {DType::f32, {batch, number(height), number(width), number(channels)}}};
}

Operand weights(std::int64_t height, std::int64_t width, std::int64_t first, std::int64_t second) {
  return {.low = -1,
          .high = 1,
          .type = {DType::f32, {number(height), number(width), number(first), number(second)}}};
}

Attributes window(std::int64_t stride, std::int64_t pad) {
  return {{"stride", stride}, {"pad", pad}};
}

Attributes with(Attributes attributes, const char* name, std::vector<std::int64_t> values) {
  attributes.set(name, std::move(values));
  return attributes;
}

/// A convolution and what has the same x, k and y: its gradients. `more` than stride and pad: the attributes
/// of uneven ones, by which stride and pad are replaced, and the numbers of windows.
struct Geometry {
  std::int64_t height, width, channels, kernel_height, kernel_width, output_channels, stride, pad;
  Attributes more = {};
  std::int64_t rows = 0, columns = 0;
};

std::vector<OpCase> convolutions(const Geometry& g, bool second) {
  const std::int64_t rows = g.rows != 0 ? g.rows : (g.height + 2 * g.pad - g.kernel_height) / g.stride + 1;
  const std::int64_t columns =
      g.columns != 0 ? g.columns : (g.width + 2 * g.pad - g.kernel_width) / g.stride + 1;
  const std::int64_t groups = g.more.find("groups") != nullptr ? g.more.integer("groups") : 1;
  const Operand x = images(g.height, g.width, g.channels);
  const Operand y = images(rows, columns, g.output_channels);
  const Operand k = weights(g.kernel_height, g.kernel_width, g.channels / groups, g.output_channels);
  Attributes attributes = window(g.stride, g.pad);
  for (const auto& [name, value] : g.more.entries()) attributes.set(name, value);
  std::vector<OpCase> cases = {
      {"convolution", {x, k}, attributes, {}, y.type},
      {"transposed_convolution", {y, k}, with(attributes, "size", {g.height, g.width}), {}, x.type},
      {"convolution_weight_gradient",
       {x, y},
       with(attributes, "kernel", {g.kernel_height, g.kernel_width}),
       {},
       k.type}};
  for (OpCase& one : cases) {
    one.batch = 2;
    one.second = second;
    one.kernel_tolerance = 1e-5;
  }
  return cases;
}

using Integers = std::vector<std::int64_t>;
constexpr std::int64_t two = 2;

/// Kernels, strides and margins that differ by axis and side, dilations, groups.
std::vector<Geometry> uneven_convolutions() {
  return {
      {1, 7, 2, 1, 3, 2, 1, 0, {{"stride", Integers{1, 2}}, {"pad", Integers{0, 1}}}, 1, 4},
      {5, 4, 1, 3, 2, 2, 1, 0, {{"stride", Integers{2, 1}}, {"pad", Integers{0, 2, 1, 0}}}, 3, 4},
      {4, 5, 2, 2, 3, 1, 1, 1, {{"pad", Integers{1, 0, 2, 2}}, {"stride", Integers{3, 2}}}, 2, 4},
      {5, 6, 1, 2, 3, 2, 1, 0, {{"dilation", two}}, 3, 2},
      {6, 7, 2, 3, 2, 1, 2, 0, {{"dilation", Integers{1, 3}}, {"pad", Integers{0, 1, 3, 2}}}, 3, 5},
      {3, 4, 4, 2, 2, 6, 1, 0, {{"groups", two}}, 2, 3},
      {4, 3, 3, 3, 3, 3, 1, 1, {{"groups", std::int64_t{3}}}, 4, 3},
      {4, 5, 2, 2, 3, 4, 2, 1, {{"groups", two}, {"dilation", Integers{2, 1}}}, 2, 3},
      {1,
       8,
       3,
       1,
       2,
       6,
       1,
       0,
       {{"groups", std::int64_t{3}}, {"dilation", Integers{1, 4}}, {"pad", Integers{0, 0, 4, 0}}},
       1,
       8},
  };
}

std::vector<OpCase> convolution_cases() {
  std::vector<OpCase> cases;
  // Small ones, with second derivatives: even and odd kernels, margins, strides that leave a rest.
  const Geometry small[] = {{3, 3, 1, 1, 1, 1, 1, 0}, {4, 5, 2, 3, 2, 2, 1, 1}, {5, 4, 1, 2, 3, 2, 2, 0},
                            {4, 4, 2, 4, 4, 1, 2, 1}, {6, 5, 1, 2, 2, 1, 3, 1}, {3, 4, 1, 3, 4, 3, 1, 0}};
  for (const Geometry& g : small) {
    for (const OpCase& one : convolutions(g, true)) cases.push_back(one);
  }
  for (const Geometry& g : uneven_convolutions())
    for (const OpCase& one : convolutions(g, true)) cases.push_back(one);
  return cases;
}

Attributes pool(std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
  return {{"kernel", kernel}, {"stride", stride}, {"pad", pad}};
}

/// One number a channel that decides where, and has no gradient: drawn, or so that signs differ.
Operand directions(std::int64_t channels) {
  return {.low = -1, .high = 1, .type = {DType::f32, {number(channels)}}, .smooth = false};
}

/// max_pool and its gradients, and the same by channels' directions.
void add_max_pools(std::vector<OpCase>& cases, const Operand& x, const Operand& y,
                   const Attributes& attributes, bool second) {
  Operand place = x;  // decides where, and has no gradient
  place.smooth = false;
  const Operand s = directions(x.type.shape.back().offset);
  cases.push_back({"max_pool", {x}, attributes, {}, y.type, 2, second});
  cases.push_back({"max_pool_gradient", {place, y}, attributes, {}, x.type, 2, second});
  cases.push_back({"max_pool_pick", {place, x}, attributes, {}, y.type, 2, second});
  cases.push_back({"extreme_pool", {x, s}, attributes, {}, y.type, 2, second});
  cases.push_back({"extreme_pool_gradient", {place, s, y}, attributes, {}, x.type, 2, second});
  cases.push_back({"extreme_pool_pick", {place, s, x}, attributes, {}, y.type, 2, second});
}

/// Each pooling op with its gradients: windows that touch, overlap, leave gaps, and hang over the margin.
std::vector<OpCase> pooling_cases() {
  struct Pooling {
    std::int64_t height, width, channels, kernel, stride, pad, rows, columns;
  };
  const Pooling poolings[] = {{4, 6, 3, 2, 0, 0, 2, 3}, {5, 4, 2, 3, 1, 1, 5, 4}, {7, 5, 1, 2, 3, 0, 2, 2},
                              {5, 5, 2, 3, 2, 1, 3, 3}, {3, 3, 1, 1, 1, 0, 3, 3}, {4, 4, 70, 2, 2, 0, 2, 2}};
  std::vector<OpCase> cases;
  for (const Pooling& p : poolings) {
    const Operand x = images(p.height, p.width, p.channels);
    const Operand y = images(p.rows, p.columns, p.channels);
    const Attributes attributes = pool(p.kernel, p.stride, p.pad);
    const bool second = p.channels < 10;
    add_max_pools(cases, x, y, attributes, second);
    cases.push_back({"avg_pool", {x}, attributes, {}, y.type, 2, second});
    cases.push_back(
        {"avg_pool_gradient", {y}, with(attributes, "size", {p.height, p.width}), {}, x.type, 2, second});
  }
  return cases;
}

/// The same with windows that differ by axis and side, and dilated ones.
std::vector<OpCase> uneven_pooling_cases() {
  struct Pooling {
    std::int64_t height, width, channels;
    Attributes attributes;
    std::int64_t rows, columns;
  };
  const Pooling poolings[] = {
      {1, 9, 2, {{"kernel", Integers{1, 3}}}, 1, 3},
      {5, 4, 2, {{"kernel", Integers{3, 2}}, {"stride", Integers{2, 1}}, {"pad", Integers{1, 0}}}, 3, 3},
      {5, 5, 1, {{"kernel", two}, {"stride", two}, {"pad", Integers{0, 1, 0, 1}}}, 3, 3},
      {6,
       5,
       2,
       {{"kernel", Integers{3, 2}}, {"stride", Integers{0, 1}}, {"pad", Integers{2, 1, 1, 0}}},
       3,
       5},
      {6,
       7,
       2,
       {{"kernel", two}, {"stride", std::int64_t{1}}, {"pad", Integers{2, 1}}, {"dilation", Integers{3, 2}}},
       7,
       7},
  };
  std::vector<OpCase> cases;
  for (const Pooling& p : poolings) {
    const Operand x = images(p.height, p.width, p.channels);
    const Operand y = images(p.rows, p.columns, p.channels);
    add_max_pools(cases, x, y, p.attributes, true);
    cases.push_back({"avg_pool", {x}, p.attributes, {}, y.type, 2});
    cases.push_back(
        {"avg_pool_gradient", {y}, with(p.attributes, "size", {p.height, p.width}), {}, x.type, 2});
  }
  return cases;
}

std::vector<OpCase> upsampling_cases() {
  std::vector<OpCase> cases;
  for (const std::string mode : {"nearest", "bilinear"}) {
    for (const std::int64_t factor : {1, 2, 3}) {
      const Attributes attributes = {{"factor", factor}, {"mode", mode}};
      const Operand small = images(3, 2, 2);
      const Operand large = images(3 * factor, 2 * factor, 2);
      cases.push_back({"upsample", {small}, attributes, {}, large.type});
      cases.push_back({"upsample_gradient", {large}, attributes, {}, small.type});
    }
    cases.push_back({"upsample", {images(1, 1, 17)}, {{"factor", std::int64_t{2}}, {"mode", mode}}});
  }
  return cases;
}

/// Larger and smaller, by every rule.
std::vector<OpCase> resizing_cases() {
  std::vector<OpCase> cases;
  const std::vector<Integers> sizes = {{5, 7}, {2, 1}, {3, 4}};
  for (const Integers& size : sizes) {
    for (const std::string coordinates : {"half_pixel", "asymmetric", "align_corners"}) {
      for (const std::string rounding : {"half_down", "half_up", "floor", "ceil", "between"}) {
        const bool between = rounding == "between";
        Attributes attributes = {{"size", size}, {"coordinates", coordinates}};
        attributes.set("mode", std::string(between ? "bilinear" : "nearest"));
        if (!between) attributes.set("rounding", rounding);
        const Operand x = images(3, 4, 2);
        const Operand y = images(size[0], size[1], 2);
        cases.push_back({"resize", {x}, attributes, {}, y.type});
        cases.push_back({"resize_gradient", {y}, with(attributes, "size", {3, 4}), {}, x.type});
      }
    }
  }
  const Operand line = given({number(1), number(1), number(4), number(1)}, {0, 4, 8, 12});
  const auto rule = [](const char* mode, const char* coordinates) {
    return Attributes{
        {"size", Integers{1, 3}}, {"mode", std::string(mode)}, {"coordinates", std::string(coordinates)}};
  };
  cases.push_back({"resize", {line}, rule("bilinear", "align_corners"), {0, 6, 12}});
  cases.push_back({"resize", {line}, rule("bilinear", "asymmetric"), {0, 4 * 4.0 / 3, 8 * 4.0 / 3}});
  cases.push_back({"resize", {line}, rule("nearest", "align_corners"), {0, 4, 12}});
  cases.push_back({"resize", {line}, {{"size", Integers{1, 2}}, {"mode", std::string("bilinear")}}, {2, 10}});
  return cases;
}

/// What images meet in arithmetic: a number a channel, an image, a row, a column, and mixtures.
std::vector<OpCase> broadcasts() {
  const Dim one = number(1);
  const std::vector<Shape> partners = {{number(3)},
                                       {batch, one, one, number(3)},
                                       {batch, one, one, one},
                                       {one, number(5), one, number(3)},
                                       {batch, number(5), one, one},
                                       {number(7), one},
                                       {batch, one, number(7), number(3)}};
  std::vector<OpCase> cases;
  for (const Shape& shape : partners) {
    const Operand partner = {.low = -1, .high = 1, .type = {DType::f32, shape}};
    cases.push_back({"mul", {images(5, 7, 3), partner}, {}, {}, images(5, 7, 3).type, 2, false});
  }
  return cases;
}

/// Images whose gradient is not to be looked at.
Operand rough_images(std::int64_t height, std::int64_t width, std::vector<double> values) {
  Operand operand = given({number(1), number(height), number(width), number(1)}, std::move(values));
  operand.smooth = false;
  return operand;
}

Operand one_direction(double value) {
  Operand operand = given({number(1)}, {value});
  operand.smooth = false;
  return operand;
}

std::vector<OpCase> known_pooling() {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const Operand x = rough_images(2, 4, {1, 5, 5, 2, 3, 5, 0, nan});
  const Operand line = given({number(1), number(1), number(2), number(1)}, {0, 4});
  return {
      {"max_pool", {x}, pool(2, 0, 0), {5, nan}},
      {"max_pool_gradient", {x, rough_images(1, 2, {10, 20})}, pool(2, 0, 0), {0, 10, 0, 0, 0, 0, 0, 20}},
      {"max_pool_pick", {x, rough_images(2, 4, {1, 2, 3, 4, 5, 6, 7, 8})}, pool(2, 0, 0), {2, 8}},
      {"extreme_pool", {x, one_direction(0)}, pool(2, 0, 0), {5, nan}},
      {"extreme_pool", {x, one_direction(-3)}, pool(2, 0, 0), {1, nan}},
      {"extreme_pool_gradient",
       {rough_images(2, 4, {1, 1, 5, 2, 3, 1, 0, nan}), one_direction(-1), rough_images(1, 2, {10, 20})},
       pool(2, 0, 0),
       {10, 0, 0, 0, 0, 0, 0, 20}},
      {"extreme_pool_pick",
       {x, one_direction(-1), rough_images(2, 4, {1, 2, 3, 4, 5, 6, 7, 8})},
       pool(2, 0, 0),
       {1, 8}},
      {"avg_pool", {rough_images(2, 2, {1, 2, 3, 6})}, pool(2, 1, 1), {1, 1.5, 2, 2, 3, 4, 3, 4.5, 6}},
      {"upsample", {line}, {}, {0, 0, 4, 4, 0, 0, 4, 4}},
      {"upsample", {line}, {{"mode", "bilinear"}}, {0, 1, 3, 4, 0, 1, 3, 4}},
  };
}

std::vector<OpCase> known_values() {
  const Operand x = given({number(1), number(2), number(3), number(1)}, {1, 2, 3, 4, 5, 6});
  const Operand k = given({number(2), number(2), number(1), number(1)}, {1, 10, 100, 1000});
  return {
      {"convolution", {x, k}, {}, {5421, 6532}},
      {"convolution",
       {x, k},
       window(2, 1),
       {1000, 3200, 10 * 4, 6 * 10 + 5},
       Type{DType::f32, {number(1), number(2), number(2), number(1)}}},
      {"transposed_convolution",
       {given({number(1), number(1), number(2), number(1)}, {1, 2}), k},
       {},
       {1, 12, 20, 100, 1200, 2000}},
      // top 0, bottom 1, left 1, right 0: zeros below and to the left
      {"convolution", {x, k}, {{"pad", Integers{0, 1, 1, 0}}}, {4010, 5421, 6532, 40, 54, 65}},
      {"convolution",
       {x, given({number(1), number(2), number(1), number(1)}, {1, 10})},
       {{"dilation", Integers{1, 2}}},
       {31, 64}},
      // two groups: each of the two last channels sees one of the first
      {"convolution",
       {given({number(1), number(1), number(2), number(2)}, {1, 2, 3, 4}),
        given({number(1), number(1), number(1), number(4)}, {1, 10, 100, 1000})},
       {{"groups", two}},
       {1, 10, 200, 2000, 3, 30, 400, 4000}},
      {"transposed_convolution",
       {given({number(1), number(1), number(1), number(4)}, {1, 2, 3, 4}),
        given({number(1), number(1), number(1), number(4)}, {1, 10, 100, 1000})},
       {{"groups", two}},
       {21, 4300}},
  };
}

}  // namespace

std::vector<OpCase> image_cases() {
  std::vector<OpCase> all = convolution_cases();
  for (const std::vector<OpCase>& group :
       {known_values(), pooling_cases(), uneven_pooling_cases(), known_pooling(), upsampling_cases(),
        resizing_cases(), broadcasts()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

}  // namespace graphrun::op_table

using namespace graphrun;
namespace {

using op_table::Geometry;

Geometry series(std::int64_t length, std::int64_t channels, std::int64_t kernel, std::int64_t made) {
  const std::vector<std::int64_t> pad = {0, 0, kernel / 2, kernel / 2};
  return {1, length, channels, 1, kernel, made, 1, 0, {{"pad", pad}}, 1, length};
}

/// As many channels of the result, in windows of 3 x 3.
Geometry grouped(std::int64_t side, std::int64_t channels, std::int64_t groups) {
  return {side, side, channels, 3, 3, channels, 1, 1, {{"groups", groups}}};
}

}  // namespace
using op_table::batch;
using op_table::number;

TEST_CASE("ops on images: values, kernels and gradients") {
  for (const op_table::OpCase& one : op_table::image_cases()) op_table::check(one);
}

TEST_CASE("convolutions of the sizes that models have: kernels against the reference") {
  const op_table::Geometry sizes[] = {{28, 28, 1, 3, 3, 16, 1, 1},
                                      {14, 14, 16, 3, 3, 32, 1, 1},
                                      {14, 14, 16, 4, 4, 32, 2, 1},
                                      {28, 28, 1, 4, 4, 16, 2, 1},
                                      {7, 9, 5, 3, 5, 7, 2, 1},
                                      {13, 11, 17, 5, 3, 3, 1, 2},
                                      series(64, 8, 5, 16),
                                      series(50, 16, 3, 16),
                                      grouped(14, 32, 32),
                                      grouped(9, 24, 24),
                                      grouped(10, 6, 2),
                                      grouped(8, 32, 4)};
  for (const op_table::Geometry& g : sizes) {
    for (op_table::OpCase one : op_table::convolutions(g, false)) {
      one.kernel_tolerance = 3e-4;  // up to 15,000 products in one sum
      INFO(op_table::describe(one));
      Builder builder(ops::registry());
      builder.output("y", op_table::add_op(builder, one));
      const Graph graph = std::move(builder).finish();
      op_table::check_kernel(one, graph, 1);
      op_table::check_kernel(one, graph, 19);
    }
  }
}

TEST_CASE("ops on images: errors say what is wrong") {
  const Type x = {DType::f32, {batch, number(5), number(5), number(2)}};
  const Type flat = {DType::f32, {batch, number(25)}};
  const Type w = {DType::f32, {number(3), number(3), number(2), number(4)}};
  const std::vector<op_table::ErrorCase> cases = {
      {"convolution",
       {flat, w},
       {},
       "x must be images, [batch, height, width, channels], but is [batch, 25]"},
      {"convolution", {x, flat}, {}, "w must be [kernel height, kernel width, channels, channels], but is"},
      {"convolution",
       {x, {DType::f32, {number(3), number(3), number(1), number(4)}}},
       {},
       "x has 2 channels, but w, [3, 3, 1, 4], is for 1"},
      {"convolution", {x, w}, op_table::window(0, 0), "'stride' is at least 1, not 0"},
      {"convolution", {x, w}, op_table::window(1, 3), "'pad' is below the kernel's 3 x 3, not 3"},
      {"convolution", {x, w}, op_table::window(1, -1), "'pad' is at least 0, not -1"},
      {"convolution", {x, w}, op_table::with({}, "stride", {1, 0}), "'stride' is at least 1, not 0"},
      {"convolution",
       {x, w},
       op_table::with({}, "stride", {1, 1, 1}),
       "'stride' is one number, or a height and a width, not 3 numbers"},
      {"convolution",
       {x, w},
       op_table::with({}, "pad", {1, 1, 1}),
       "'pad' is one number, a height and a width, or top, bottom, left and right, not 3 numbers"},
      {"convolution",
       {x, w},
       op_table::with({}, "pad", {0, 0, 1, 3}),
       "'pad' is below the kernel's 3 x 3, not 3"},
      {"convolution",
       {x, w},
       {{"dilation", std::vector<std::int64_t>{2, 1}}, {"pad", std::int64_t{5}}},
       "'pad' is below the dilated kernel's 5 x 3, not 5"},
      {"convolution",
       {x, w},
       op_table::with({}, "dilation", {3, 1}),
       "a window of 7 does not fit into 5 with a margin of 0 on each side"},
      {"convolution",
       {x, {DType::f32, {number(9), number(3), number(2), number(4)}}},
       op_table::with({}, "pad", {1, 2, 0, 0}),
       "a window of 9 does not fit into 5 with margins of 1 and 2"},
      {"convolution",
       {x, w},
       {{"groups", std::int64_t{2}}},
       "x has 2 channels, but w, [3, 3, 2, 4], in 2 groups is for 4"},
      {"convolution",
       {{DType::f32, {batch, number(5), number(5), number(6)}}, w},
       {{"groups", std::int64_t{3}}},
       "the result has 4 channels, which cannot be cut into 3 groups"},
      {"transposed_convolution",
       {{DType::f32, {batch, number(5), number(5), number(4)}}, w},
       {{"groups", std::int64_t{3}}},
       "x has 4 channels, which cannot be cut into 3 groups"},
      {"transposed_convolution",
       {{DType::f32, {batch, number(5), number(5), number(4)}}, w},
       {{"size", std::vector<std::int64_t>{9, 5}}, {"pad", std::vector<std::int64_t>{0, 1, 2, 0}}},
       "5 windows of 3 with stride 1 and pad 0 and 1 lie over 6 to 6 elements, not 9"},
      {"resize",
       {x},
       {{"size", std::vector<std::int64_t>{7}}},
       "size is a height and a width, not 1 numbers"},
      {"resize",
       {x},
       {{"size", std::vector<std::int64_t>{7, 70'000}}},
       "a resized image has at most 65536 pixels on a side, not 70000"},
      {"max_pool",
       {x},
       {{"kernel", std::vector<std::int64_t>{2, 2, 2}}},
       "'kernel' is one number, or a height and a width, not 3 numbers"},
      {"extreme_pool",
       {x, {DType::f32, {number(3)}}},
       {{"kernel", std::int64_t{2}}},
       "s must be one number a channel, [2], but is [3]"},
      {"extreme_pool_pick",
       {x, {DType::f32, {number(2)}}, {DType::f32, {batch, number(4), number(5), number(2)}}},
       {{"kernel", std::int64_t{2}}},
       "x and v must be alike: x is f32[batch, 5, 5, 2], v is f32[batch, 4, 5, 2]"},
      {"avg_pool",
       {x},
       {{"kernel", std::int64_t{2}}, {"pad", std::int64_t{1}}, {"dilation", std::int64_t{6}}},
       "windows with a dilation of 6 may miss all of 5 pixels"},
      {"convolution",
       {x, {DType::f32, {number(9), number(3), number(2), number(4)}}},
       op_table::window(1, 1),
       "a window of 9 does not fit into 5 with a margin of 1 on each side"},
      {"transposed_convolution", {x, w}, {}, "x has 2 channels, but w, [3, 3, 2, 4], is for 4"},
      {"transposed_convolution",
       {{DType::f32, {batch, number(5), number(5), number(4)}}, w},
       op_table::with(op_table::window(2, 1), "size", {9}),
       "size is a height and a width, not 1 numbers"},
      {"transposed_convolution",
       {{DType::f32, {batch, number(5), number(5), number(4)}}, w},
       op_table::with(op_table::window(2, 1), "size", {11, 9}),
       "5 windows of 3 with stride 2 and pad 1 lie over 9 to 10 elements, not 11"},
      {"convolution_weight_gradient",
       {x, x},
       op_table::with({}, "kernel", {3, 3}),
       "g must be [batch, 3, 3, 2], but is [batch, 5, 5, 2]"},
      {"convolution_weight_gradient",
       {x, x},
       op_table::with({}, "kernel", {3}),
       "kernel is a height and a width"},
  };
  for (const op_table::ErrorCase& one : cases) op_table::check(one);
}
