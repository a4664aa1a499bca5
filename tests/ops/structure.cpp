// Rows of the op table for everything that is not elementwise: matrices, reductions, shapes, indices, draws.
#include <cmath>
#include <limits>

#include "graph/op.hpp"
#include "ops/op.hpp"
#include "tests/ops/op_case.hpp"
#include "tests/support/catch.hpp"

namespace graphrun::op_table {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

Operand drawn(Shape shape, double low = -2, double high = 2) {
  return {.low = low, .high = high, .type = {DType::f32, std::move(shape)}};
}

/// Values whose gradient is not to be looked at: they are not finite, or their gradient is not the slope.
Operand rough(Shape shape, std::vector<double> values) {
  Operand operand = given(std::move(shape), std::move(values));
  operand.smooth = false;
  return operand;
}

/// These whole numbers.
Operand indexed(Shape shape, std::vector<double> values) {
  return {.type = {DType::i32, std::move(shape)}, .values = std::move(values), .smooth = false};
}

/// Whole numbers from 0 to count - 1.
Operand indices(Shape shape, double count, DType dtype = DType::i32) {
  return {.low = 0, .high = count, .type = {dtype, std::move(shape)}, .smooth = false};
}

Operand labels(std::vector<double> values) {
  return {.type = {DType::i32, {number(static_cast<std::int64_t>(values.size()))}},
          .values = values,
          .smooth = false};
}

Type f32(Shape shape) {
  return {DType::f32, std::move(shape)};
}

Axes axes(std::vector<std::int64_t> list) {
  return {false, std::move(list)};
}

std::vector<OpCase> matmul_cases() {
  const Shape x = {batch, number(4)};
  const Shape w = {number(4), number(5)};
  const Shape w_transposed = {number(5), number(4)};
  const Shape y = {batch, number(5)};
  return {
      {"matmul", {drawn(x), drawn(w)}, {}, {}, f32(y)},
      {"matmul", {drawn(x), drawn(w_transposed)}, {{"transpose_b", true}}, {}, f32(y)},
      {"matmul", {drawn(x), drawn(y)}, {{"transpose_a", true}}, {}, f32(w)},
      {"matmul",
       {drawn({number(4), batch}), drawn({number(3), number(4)})},
       {{"transpose_a", true}, {"transpose_b", true}},
       {},
       f32({batch, number(3)})},
      {"matmul", {drawn({number(1), number(1)}), drawn({number(1), number(1)})}},
      {"matmul",
       {given({number(2), number(2)}, {1, 2, 3, 4}), given({number(2), number(2)}, {5, 6, 7, 8})},
       {},
       {19, 22, 43, 50}},
      {"matmul",
       {given({number(2), number(2)}, {1, 2, 3, 4}), given({number(2), number(2)}, {5, 6, 7, 8})},
       {{"transpose_a", true}, {"transpose_b", true}},
       {5 + 18, 7 + 24, 10 + 24, 14 + 32}},
  };
}

/// Products of many matrices: with one, with as many, with some that are broadcast.
std::vector<OpCase> batched_matmul_cases() {
  const Dim one = number(1);
  const Shape many = {batch, number(2), number(3), number(4)};
  const Shape rows = {batch, number(3), number(4)};
  const Attributes b = {{"transpose_b", true}};
  const Attributes a = {{"transpose_a", true}};
  const Attributes both = {{"transpose_a", true}, {"transpose_b", true}};
  const Shape made = {batch, number(3), number(5)};
  const Shape made_of_many = {batch, number(2), number(3), number(5)};
  return {
      {"matmul", {drawn(rows), drawn({number(4), number(5)})}, {}, {}, f32(made)},
      {"matmul", {drawn(rows), drawn({number(5), number(4)})}, b, {}, f32(made)},
      {"matmul", {drawn({batch, number(4), number(3)}), drawn({number(4), number(5)})}, a, {}, f32(made)},
      {"matmul", {drawn(many), drawn({number(4), number(5)})}, {}, {}, f32(made_of_many)},
      {"matmul", {drawn(rows), drawn({batch, number(4), number(5)})}, {}, {}, f32(made)},
      {"matmul", {drawn(many), drawn({batch, number(2), number(5), number(4)})}, b, {}, f32(made_of_many)},
      {"matmul",
       {drawn({batch, number(2), number(4), number(3)}), drawn({batch, one, number(5), number(4)})},
       both,
       {},
       f32(made_of_many)},
      {"matmul",
       {drawn({batch, one, number(3), number(4)}), drawn({number(2), number(4), number(5)})},
       {},
       {},
       f32(made_of_many)},
      {"matmul", {drawn({number(3), number(4)}), drawn({batch, number(4), number(5)})}, {}, {}, f32(made)},
      {"matmul",
       {drawn({one, number(3), number(4)}), drawn({batch, number(4), number(5)})},
       {},
       {},
       f32(made)},
      {"matmul",
       {drawn({number(2), number(3), batch}), drawn({number(2), batch, number(4)})},
       {},
       {},
       f32({number(2), number(3), number(4)})},
      {"matmul",
       {drawn({batch, batch, number(4)}), drawn({number(4), number(2)})},
       {},
       {},
       f32({batch, batch, number(2)})},
      {"matmul",
       {given({number(2), one, number(2)}, {1, 2, 3, 4}), given({number(2), number(2), one}, {5, 6, 7, 8})},
       {},
       {17, 53}},
  };
}

/// Every way to reduce, for sum and for max.
std::vector<OpCase> reductions_of(const std::string& op) {
  const Shape cube = {batch, number(3), number(4)};
  std::vector<OpCase> cases;
  const std::vector<Axes> choices = {Axes{},       axes({}),     axes({0}),    axes({1}),      axes({-1}),
                                     axes({0, 1}), axes({0, 2}), axes({2, 1}), axes({0, 1, 2})};
  for (const Axes& choice : choices) {
    for (const bool keepdims : {false, true}) {
      cases.push_back({op, {drawn(cube)}, {{"axis", choice}, {"keepdims", keepdims}}});
    }
  }
  cases.push_back({op, {drawn({})}});
  cases.push_back({op, {drawn({batch})}, {{"axis", axes({0})}}});
  cases.push_back({op, {drawn({number(2), number(1), number(3), number(1)})}, {{"axis", axes({1, 2})}}});
  cases.push_back({op, {drawn({batch, number(37)})}, {{"axis", axes({1})}}, {}, f32({batch})});
  cases.push_back({op, {drawn({number(2), number(3), number(2), number(3)})}, {{"axis", axes({1, 3})}}});
  cases.push_back({op, {drawn({number(2), number(3), number(2), number(3)})}, {{"axis", axes({0, 2})}}});
  return cases;
}

std::vector<OpCase> known_reductions() {
  const Operand table = given({number(2), number(3)}, {1, 2, 3, 4, 5, 6});
  return {
      {"sum", {table}, {}, {21}, f32({})},
      {"sum", {table}, {{"axis", axes({0})}}, {5, 7, 9}, f32({number(3)})},
      {"sum", {table}, {{"axis", axes({1})}, {"keepdims", true}}, {6, 15}, f32({number(2), number(1)})},
      {"max", {table}, {{"axis", axes({1})}}, {3, 6}},
      {"max", {rough({number(4)}, {1, not_a_number, 3, 2})}, {}, {not_a_number}},
      {"max", {rough({number(3)}, {-infinity, -infinity, -infinity})}, {}, {-infinity}},
      {"size", {drawn({batch, number(3), number(4)})}, {}, {36}, f32({})},
      {"size", {drawn({batch, number(3), number(4)})}, {{"axis", axes({0, -1})}}, {12}},
      {"size", {drawn({})}, {}, {1}},
  };
}

std::vector<OpCase> along_axis_cases() {
  std::vector<OpCase> cases;
  for (const char* const op : {"softmax", "log_softmax", "logsumexp", "argmax"}) {
    for (const std::int64_t axis : {-1, 0, 1}) {
      cases.push_back({op, {drawn({batch, number(5), number(3)})}, {{"axis", axis}}});
      cases.push_back({op, {drawn({batch, number(40)}, -8, 8)}, {{"axis", axis}}});
    }
    cases.push_back({op, {drawn({number(1)})}});
  }
  cases.push_back(
      {"logsumexp", {drawn({batch, number(3)})}, {{"keepdims", true}}, {}, f32({batch, number(1)})});
  const double e = std::exp(1.0);
  const Operand row = given({number(1), number(2)}, {1000, 999});
  cases.push_back({"softmax", {row}, {}, {e / (1 + e), 1 / (1 + e)}});
  cases.push_back({"log_softmax", {row}, {}, {-std::log1p(1 / e), -1 - std::log1p(1 / e)}});
  cases.push_back({"logsumexp", {row}, {}, {1000 + std::log1p(1 / e)}});
  cases.push_back({"logsumexp", {rough({number(2)}, {-infinity, -infinity})}, {}, {-infinity}});
  cases.push_back({"argmax", {given({number(2), number(3)}, {1, 3, 3, 5, 4, 5})}, {}, {1, 0}});
  cases.push_back({"argmax", {given({number(3)}, {1, not_a_number, infinity})}, {}, {1}});
  // Long enough for lanes: the first of equals in two of them, of NaNs, in the rest, and of nothing but
  // -infinity.
  std::vector<double> equals(40, -1);
  equals[5] = equals[18] = equals[36] = 2;
  std::vector<double> later = equals;
  later[17] = 2;
  later[5] = 0;
  std::vector<double> nans = equals;
  nans[38] = not_a_number;
  nans[21] = -not_a_number;  // what dividing zero by zero makes
  cases.push_back({"argmax", {given({number(40)}, equals)}, {}, {5}});
  cases.push_back({"argmax", {given({number(40)}, later)}, {}, {17}});
  cases.push_back({"argmax", {given({number(40)}, nans)}, {}, {21}});
  std::vector<double> last(35, -infinity);
  cases.push_back({"argmax", {given({number(35)}, last)}, {}, {0}});
  last[34] = 0;
  cases.push_back({"argmax", {given({number(35)}, last)}, {}, {34}});
  std::vector<double> negative(35, -2);
  negative[4] = negative[23] = -1e-3;
  negative[7] = -1e3;
  cases.push_back({"argmax", {given({number(35)}, negative)}, {}, {4}});
  std::vector<double> zeros = negative;
  zeros[5] = -0.0;
  zeros[18] = 0;
  cases.push_back({"argmax", {given({number(35)}, zeros)}, {}, {5}});
  const Attributes two = {{"k", std::int64_t{2}}};
  cases.push_back({"top_k_mask", {drawn({batch, number(40)})}, two, {}, f32({batch, number(40)})});
  cases.push_back({"top_k_mask", {drawn({batch, number(3), number(5)})}, {{"k", std::int64_t{5}}}});
  cases.push_back({"top_k_mask", {drawn({batch, number(131)}, -3, 3)}, {{"k", std::int64_t{100}}}});
  cases.push_back({"top_k_mask", {drawn({number(4)})}, two});
  cases.push_back({"top_k_mask",
                   {given({number(2), number(4)}, {3, 1, 3, 3, -1, -5, -0.0, 0})},
                   two,
                   {1, 0, 1, 0, 0, 0, 1, 1}});
  cases.push_back(
      {"top_k_mask", {rough({number(4)}, {1, not_a_number, infinity, not_a_number})}, two, {0, 1, 0, 1}});
  cases.push_back({"top_k_mask", {rough({number(3)}, {-infinity, infinity, -infinity})}, two, {1, 1, 0}});
  return cases;
}

std::vector<OpCase> shape_cases() {
  const Shape cube = {batch, number(3), number(4)};
  const Shape to = {batch, number(2), number(6)};
  const Shape flat = {batch, number(-1)};
  const Shape folded = {number(2), number(-1)};
  const Operand table = given({number(2), number(3)}, {1, 2, 3, 4, 5, 6});
  return {
      {"reshape", {drawn(cube)}, {{"shape", to}}, {}, f32(to)},
      {"reshape", {drawn(cube)}, {{"shape", flat}}, {}, f32({batch, number(12)})},
      {"reshape", {drawn(cube)}, {{"shape", Shape{number(-1)}}}, {}, f32({Dim{12, 0}})},
      {"reshape", {drawn({Dim{2, 2}})}, {{"shape", folded}}, {}, f32({number(2), Dim{1, 1}})},
      {"reshape", {drawn({})}, {{"shape", Shape{number(1), number(1)}}}},
      {"transpose", {drawn(cube)}, {}, {}, f32({number(4), number(3), batch})},
      {"transpose",
       {drawn(cube)},
       {{"axes", std::vector<std::int64_t>{0, 2, 1}}},
       {},
       f32({batch, number(4), number(3)})},
      {"transpose", {drawn(cube)}, {{"axes", std::vector<std::int64_t>{1, -1, 0}}}},
      {"transpose", {table}, {}, {1, 4, 2, 5, 3, 6}},
      {"transpose", {indices({batch, number(3)}, 200, DType::u8)}},
      {"broadcast_to", {drawn({number(3), number(1)})}, {{"shape", Shape{batch, number(3), number(4)}}}},
      {"broadcast_to", {drawn({})}, {{"shape", cube}}, {}, f32(cube)},
      {"broadcast_to", {drawn({batch, number(1)})}, {{"shape", Shape{batch, number(5)}}}},
      {"broadcast_to", {drawn({number(4)})}, {{"shape", cube}}},
      {"broadcast_to",
       {given({number(2), number(1)}, {1, 2})},
       {{"shape", Shape{number(2), number(2)}}},
       {1, 1, 2, 2}},
      {"concat",
       {drawn({batch, number(2)}), drawn({batch, number(3)}), drawn({batch, number(1)})},
       {},
       {},
       f32({batch, number(6)})},
      {"concat", {drawn({number(2), number(3)}), drawn({number(1), number(3)})}, {{"axis", 0}}},
      {"concat", {drawn({batch, number(2), number(3)}), drawn({batch, number(1), number(3)})}, {{"axis", 1}}},
      {"concat", {drawn({batch, number(2)})}},
      {"concat", {table, given({number(2), number(1)}, {7, 8})}, {}, {1, 2, 3, 7, 4, 5, 6, 8}},
      {"slice", {drawn(cube)}, {{"axis", 1}, {"start", 1}}, {}, f32({batch, number(2), number(4)})},
      {"slice", {drawn(cube)}, {{"start", -3}, {"stop", -1}}, {}, f32({batch, number(3), number(2)})},
      {"slice", {drawn({batch, number(7)})}, {{"start", 1}, {"step", 3}}, {}, f32({batch, number(2)})},
      {"slice", {drawn({number(5), number(2)})}, {{"axis", 0}, {"stop", 2}}},
      {"slice", {drawn(cube)}, {{"axis", 0}}, {}, f32(cube)},
      {"slice", {table}, {{"start", 0}, {"step", 2}}, {1, 3, 4, 6}},
      {"pad_slice",
       {drawn({batch, number(2)})},
       {{"start", 1}, {"step", 3}, {"shape", Shape{batch, number(7)}}}},
      {"pad_slice",
       {drawn({number(2), number(2)})},
       {{"axis", 0}, {"start", 1}, {"shape", Shape{number(3), number(2)}}}},
      {"pad_slice",
       {given({number(2)}, {1, 2})},
       {{"start", 1}, {"step", 2}, {"shape", Shape{number(5)}}},
       {0, 1, 0, 2, 0}},
      {"stop_gradient", {drawn(cube)}, {}, {}, f32(cube)},
  };
}

std::vector<OpCase> index_cases() {
  const Operand table = given({number(3), number(2)}, {1, 2, 3, 4, 5, 6});
  return {
      {"gather", {drawn({number(4), number(3)}), indices({batch}, 4)}, {}, {}, f32({batch, number(3)})},
      {"gather",
       {drawn({number(4)}), indices({batch, number(2)}, 4, DType::u8)},
       {},
       {},
       f32({batch, number(2)})},
      {"gather", {drawn({number(4), number(2), number(2)}), indices({}, 4)}},
      {"gather", {table, labels({2, 0, 2})}, {}, {5, 6, 1, 2, 5, 6}},
      {"gather",
       {rough(table.type.shape, table.values), labels({-1, 3})},
       {},
       {not_a_number, not_a_number, not_a_number, not_a_number}},
      {"scatter_add",
       {indices({batch}, 4), drawn({batch, number(3)})},
       {{"shape", Shape{number(4), number(3)}}}},
      {"scatter_add",
       {labels({1, 0, 1, 7}), rough({number(4)}, {1, 2, 4, 8})},
       {{"shape", Shape{number(3)}}},
       {2, 5, 0}},
      {"gather_elements",
       {drawn({batch, number(4)}), indices({batch, number(3)}, 4)},
       {},
       {},
       f32({batch, number(3)})},
      {"gather_elements",
       {drawn({batch, number(3), number(2)}), indices({batch, number(5), number(2)}, 3, DType::u8)},
       {{"axis", 1}},
       {},
       f32({batch, number(5), number(2)})},
      {"gather_elements", {drawn({number(4), number(2)}), indices({batch, number(2)}, 4)}, {{"axis", 0}}},
      {"gather_elements",
       {rough({number(2), number(2)}, {1, 2, 3, 4}), indexed({number(2), number(3)}, {0, 0, 1, 1, -1, 2})},
       {},
       {1, 1, 2, 4, not_a_number, not_a_number}},
      {"scatter_elements_add",
       {indices({batch, number(5), number(2)}, 3), drawn({batch, number(5), number(2)})},
       {{"shape", Shape{batch, number(3), number(2)}}, {"axis", 1}}},
      {"scatter_elements_add",
       {indices({batch, number(2)}, 4), drawn({batch, number(2)})},
       {{"shape", Shape{number(4), number(2)}}, {"axis", 0}}},
      {"scatter_elements_add",
       {indexed({number(1), number(4)}, {1, 0, 1, 7}), rough({number(1), number(4)}, {1, 2, 4, 8})},
       {{"shape", Shape{number(1), number(3)}}},
       {2, 5, 0}},
      {"one_hot", {indices({batch}, 5)}, {{"depth", 5}}, {}, f32({batch, number(5)})},
      {"one_hot", {indices({}, 5, DType::u8)}, {{"depth", 5}}},
      {"one_hot", {labels({1, 3})}, {{"depth", 3}}, {0, 1, 0, not_a_number, not_a_number, not_a_number}},
  };
}

std::vector<OpCase> value_cases() {
  const std::vector<double> two = {1.5, -2};
  const Shape row = {batch, number(3)};
  return {
      {"constant", {}, {{"values", std::vector{2.5}}}, {2.5}, f32({})},
      {"constant", {}, {{"values", std::vector{0.5}}, {"shape", row}}, std::vector<double>(9, 0.5), f32(row)},
      {"constant", {}, {{"values", two}, {"shape", Shape{number(2)}}}, two},
      {"constant", {}, {{"values", std::vector{7.0}}, {"dtype", "i32"}}, {7}, Type{DType::i32, {}}},
      {"random_normal", {}, {{"shape", row}}, {}, f32(row)},
      {"random_normal", {}, {{"shape", Shape{}}}},
      {"random_uniform", {}, {{"shape", row}, {"low", -1.0}, {"high", 3.0}}},
      {"random_uniform", {}, {{"shape", Shape{number(4), number(9)}}}},
      {"bernoulli", {given({}, {0.3})}, {{"shape", Shape{batch, number(50)}}}},
      {"bernoulli", {given({}, {0})}, {{"shape", row}}, std::vector<double>(9, 0)},
      {"bernoulli", {given({}, {1})}, {{"shape", row}}, std::vector<double>(9, 1)},
      {"straight_through", {rough({number(2)}, two), rough({number(2)}, {7, 8})}, {}, two, f32({number(2)})},
  };
}

}  // namespace

std::vector<OpCase> structure_cases() {
  std::vector<OpCase> all = matmul_cases();
  for (const OpCase& one : batched_matmul_cases()) all.push_back(one);
  for (const std::vector<OpCase>& group : {reductions_of("sum"), reductions_of("max"), known_reductions(),
                                           along_axis_cases(), shape_cases(), index_cases(), value_cases()}) {
    all.insert(all.end(), group.begin(), group.end());
  }
  return all;
}

}  // namespace graphrun::op_table

using namespace graphrun;

TEST_CASE("ops that are not elementwise: values, kernels and gradients") {
  for (const op_table::OpCase& one : op_table::structure_cases()) op_table::check(one);
}
