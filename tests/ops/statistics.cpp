// Rows of the op table for statistics of channels, and what batch normalisation is made of.
#include <cmath>

#include "graph/op.hpp"
#include "ops/op.hpp"
#include "tests/ops/op_case.hpp"
#include "tests/support/catch.hpp"

namespace graphrun::op_table {
namespace {

Operand drawn(Shape shape, double low = -1, double high = 1) {
  return {.low = low, .high = high, .type = {DType::f32, std::move(shape)}};
}

/// Channels below, at and beyond a vector; pixels below, at and beyond what is summed at once; rows alone.
std::vector<Shape> shapes() {
  return {{batch, number(3), number(5), number(4)},
          {batch, number(3)},
          {batch, number(2), number(1)},
          {batch, number(5), number(16)},
          {batch, number(8), number(9), number(17)},
          {batch, number(2), number(64), number(2)},
          {number(3), number(4), number(2)},
          {batch, number(13), number(11), number(35)}};
}

std::vector<OpCase> of_shapes() {
  std::vector<OpCase> cases;
  for (const Shape& shape : shapes()) {
    const Dim c = shape.back();
    const Operand x = drawn(shape);
    const Operand channel = drawn({c});
    const bool small = c.offset < 10 && shape.size() < 4;
    const auto add = [&](std::string op, std::vector<Operand> operands, Shape result) {
      OpCase one{std::move(op), std::move(operands), {}, {}, Type{DType::f32, std::move(result)}};
      one.second = small;
      one.kernel_tolerance = 1e-5;
      cases.push_back(std::move(one));
    };
    add("moments", {x}, {number(2), c});
    add("normalise", {x, channel, channel, channel}, shape);
    if (shape.size() < 3) continue;
    add("centred_sums", {x, x, channel}, {shape.front(), number(2), c});
    Operand made_late = x;
    made_late.smooth = false;
    add("row_moments", {made_late}, {shape.front(), number(2), c});
    made_late = drawn({shape.front(), number(2), c}, 0, 2);
    made_late.smooth = false;
    add("pooled_moments", {made_late}, {number(2), c});
  }
  return cases;
}

/// Drawn, and without a gradient.
Operand rough(Shape shape) {
  Operand operand = drawn(std::move(shape));
  operand.smooth = false;
  return operand;
}

/// Channels below, at and beyond a vector.
std::vector<OpCase> normalised_pools() {
  std::vector<OpCase> cases;
  for (const std::int64_t channels : {3, 16, 48}) {
    const Operand x = rough({batch, number(4), number(6), number(channels)});
    const Operand g = rough({batch, number(2), number(3), number(channels)});
    const Operand c = rough({number(channels)});
    cases.push_back({"normalised_pool_gradient", {x, c, g, c, c, c}, {}, {}, x.type, 2, false});
  }
  const auto one_channel = [](std::int64_t height, std::int64_t width, std::vector<double> values) {
    return given({number(1), number(height), number(width), number(1)}, std::move(values));
  };
  const auto channel = [](double value) { return given({number(1)}, {value}); };
  // The smallest of each window, the first of equals.
  OpCase smallest{"normalised_pool_gradient",
                  {one_channel(2, 4, {1, 1, 5, 2, 3, 1, 0, 4}), channel(-1), one_channel(1, 2, {10, 20}),
                   channel(1), channel(2), channel(0.5)},
                  {},
                  {10.5, 0.5, 8.5, 2.5, 4.5, 0.5, 18.5, 6.5}};
  for (Operand& operand : smallest.operands) operand.smooth = false;
  cases.push_back(smallest);
  return cases;
}

std::vector<OpCase> known() {
  const Operand pixels = given({number(2), number(2), number(2)}, {1, 10, 3, 10, 5, 30, 7, 10});
  const Operand centre = given({number(2)}, {1, 10});
  return {{"moments", {pixels}, {}, {4, 15, 5, 75}},
          {"normalise",
           {given({number(2), number(2)}, {1, 10, 3, 30}), centre, given({number(2)}, {2, 0.5}), centre},
           {},
           {1, 10, 5, 20}},
          {"centred_sums", {pixels, pixels, centre}, {}, {4, 20, 6, 0, 12, 40, 62, 600}}};
}

}  // namespace

std::vector<OpCase> statistics_cases() {
  std::vector<OpCase> all = of_shapes();
  for (const OpCase& one : known()) all.push_back(one);
  for (const OpCase& one : normalised_pools()) all.push_back(one);
  const Operand any;
  for (const OpCase& one : over_shapes({"normalise", {any, any, any, any}})) all.push_back(one);
  return all;
}

}  // namespace graphrun::op_table

using namespace graphrun;
using op_table::batch;
using op_table::number;

TEST_CASE("statistics of channels: values, kernels and gradients") {
  for (const op_table::OpCase& one : op_table::statistics_cases()) op_table::check(one);
}

TEST_CASE("a variance keeps its digits far away from zero") {
  for (const std::int64_t pixels : {3, 200}) {
    op_table::OpCase one{"moments", {op_table::drawn({batch, number(pixels), number(18)}, 999, 1001)}};
    // The mean is as exact as f32; of the variance, 1/3, the numbers themselves leave some four digits.
    one.kernel_tolerance = 2e-4;
    Builder builder(ops::registry());
    builder.output("y", op_table::add_op(builder, one));
    const Graph graph = std::move(builder).finish();
    op_table::check_kernel(one, graph, 1);
    op_table::check_kernel(one, graph, 40);
  }
}

TEST_CASE("statistics of channels: errors say what is wrong") {
  const Type x = {DType::f32, {batch, number(5), number(2)}};
  const Type row = {DType::f32, {number(2)}};
  const Type other = {DType::f32, {number(3)}};
  const Type integers = {DType::i32, {batch, number(2)}};
  const auto images = [](std::int64_t height, std::int64_t width) {
    return Type{DType::f32, {batch, number(height), number(width), number(2)}};
  };
  const std::vector<op_table::ErrorCase> cases = {
      {"moments", {row}, {}, "x must have rows and channels, but is [2]"},
      {"moments", {integers}, {}, "it computes with f32, but x is i32[batch, 2]"},
      {"centred_sums", {x, x, other}, {}, "g and x must be alike, [n, ..., c], and centre [c], but are"},
      {"row_moments", {integers}, {}, "it computes with f32"},
      {"row_moments", {row}, {}, "x must have rows, pixels and channels"},
      {"pooled_moments", {x}, {}, "x must be means and variances, [n, 2, c]"},
      {"normalised_pool_gradient",
       {images(4, 5), row, images(2, 2), row, row, row},
       {},
       "windows of 2 x 2 do not cover x, [batch, 4, 5, 2]"},
      {"normalised_pool_gradient",
       {images(4, 6), other, images(2, 3), row, row, row},
       {},
       "s must be one number a channel, [2], but is [3]"},
      {"normalised_pool_gradient",
       {images(4, 6), row, images(4, 6), row, row, row},
       {},
       "g must be [batch, 2, 3, 2], but is [batch, 4, 6, 2]"},
      {"normalised_pool_gradient",
       {images(4, 6), row, images(2, 3), row, other, row},
       {},
       "scale must be one number a channel, [2], but is [3]"},
  };
  for (const op_table::ErrorCase& one : cases) op_table::check(one);
}
