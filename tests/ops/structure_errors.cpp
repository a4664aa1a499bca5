// What ops that are not elementwise say of operands and attributes that they cannot take.
#include "graph/op.hpp"
#include "tests/ops/op_case.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;
using op_table::batch;
using op_table::number;

namespace {

Type f32(Shape shape) {
  return {DType::f32, std::move(shape)};
}

}  // namespace

TEST_CASE("ops that are not elementwise: errors say what is wrong") {
  const Type x = {DType::f32, {batch, number(784)}};
  const Type cube = {DType::f32, {batch, number(3), number(4)}};
  const Type w = {DType::f32, {number(780), number(128)}};
  const Type w_transposed = {DType::f32, {number(128), number(784)}};
  const Type scalar = {};
  const Type integers = {DType::i32, {batch}};
  const std::vector<op_table::ErrorCase> cases = {
      {"matmul", {x, w}, {}, "inner sizes differ: x is [batch, 784], w is [780, 128]"},
      {"matmul", {x, w}, {}, "The columns of x must be as many as the rows of w"},
      {"matmul", {x, w_transposed}, {}, "Did you mean transpose_b: true?"},
      {"matmul",
       {w_transposed, x},
       {{"transpose_a", true}, {"transpose_b", true}},
       "Did you mean transpose_a: false?"},
      {"matmul",
       {cube, f32({number(12), number(2)})},
       {},
       "x is [batch, 3, 4], w is [12, 2] Make it a row for each sample"},
      {"matmul",
       {cube, f32({number(2), number(4), number(5)})},
       {},
       "leading axes do not fit: x is [batch, 3, 4]"},
      {"matmul", {x, scalar}, {}, "it multiplies matrices, but w is []"},
      {"gather_elements",
       {cube, {DType::i32, {batch, number(3)}}},
       {},
       "the index must have the sizes of x but along axis 2: x is [batch, 3, 4], index is [batch, 3]"},
      {"gather_elements", {cube, cube}, {}, "index must be integers, but is f32[batch, 3, 4]"},
      {"matmul", {integers, w}, {}, "it computes with f32, but x is i32[batch]"},
      {"sum", {cube}, {{"axis", Axes{false, {3}}}}, "axis 3 is out of range: the input is [batch, 3, 4]"},
      {"sum", {cube}, {{"axis", Axes{false, {1, -2}}}}, "axis 1 is named twice"},
      {"sum", {scalar}, {{"axis", Axes{false, {0}}}}, "a scalar has no axis 0"},
      {"max", {integers}, {}, "it computes with f32"},
      {"softmax", {scalar}, {}, "a scalar has no axis -1"},
      {"softmax", {cube}, {{"axis", 5}}, "Axes count from 0 to 2"},
      {"argmax", {integers}, {}, "it computes with f32"},
      {"top_k_mask", {x}, {{"k", std::int64_t{0}}}, "'k' is at least 1, not 0"},
      {"top_k_mask", {x}, {{"k", std::int64_t{785}}}, "'k' is at most 784, the last extent of x, not 785"},
      {"top_k_mask",
       {scalar},
       {{"k", std::int64_t{1}}},
       "the last axis, which must be a number, but x is []"},
      {"reshape",
       {cube},
       {{"shape", Shape{batch, number(13)}}},
       "[batch, 3, 4] does not have as many elements as [batch, 13]"},
      {"reshape", {cube}, {{"shape", Shape{number(-1), number(5)}}}, "does not have as many elements"},
      {"reshape", {cube}, {{"shape", Shape{number(-1), number(-1)}}}, "only one extent can be -1"},
      {"reshape", {cube}, {{"shape", Shape{number(-1), number(0)}}}, "does not have as many elements"},
      {"reshape", {x}, {{"shape", Shape{number(784)}}}, "The products must be equal at every batch size"},
      {"reshape",
       {cube},
       {{"shape", Shape{batch, number(-3), number(-4)}}},
       "does not have as many elements"},
      {"input",
       {},
       {{"shape", Shape{batch, number(0)}}},
       "extents of a shape are at least 1, but it is [batch, 0]"},
      {"param", {}, {{"shape", Shape{number(-2)}}}, "extents of a shape are at least 1, but it is [-2]"},
      {"random_normal", {}, {{"shape", Shape{batch, number(-1)}}}, "extents of a shape are at least 1"},
      {"param",
       {},
       {{"shape", Shape{number(1), number(INT64_MAX), number(2)}}},
       "has too many elements to count"},
      {"broadcast_to", {scalar}, {{"shape", Shape{number(0)}}}, "extents of a shape are at least 1"},
      {"transpose",
       {cube},
       {{"axes", std::vector<std::int64_t>{1, 0}}},
       "2 axes are named, but the input is [batch, 3, 4]"},
      {"transpose", {cube}, {{"axes", std::vector<std::int64_t>{1, 1, 0}}}, "axis 1 is named twice"},
      {"broadcast_to", {x}, {{"shape", Shape{number(784)}}}, "[batch, 784] does not broadcast to [784]"},
      {"concat", {x, cube}, {}, "it cannot join f32[batch, 784] and f32[batch, 3, 4]"},
      {"concat", {x, w}, {}, "All axes but that one must be equal"},
      {"slice", {x}, {{"axis", 0}, {"stop", 2}}, "as long as the batch, and cannot be cut"},
      {"slice", {x}, {{"start", 800}}, "take nothing of axis 1, which is 784 long"},
      {"slice", {x}, {{"start", 5}, {"stop", 5}}, "take nothing of axis 1"},
      {"slice", {x}, {{"step", 0}}, "'step' is at least 1, not 0"},
      {"pad_slice",
       {x},
       {{"stop", 3}, {"shape", Shape{batch, number(5)}}},
       "the part is [batch, 784], but the range takes [batch, 3]"},
      {"gather", {x, x}, {}, "index must be integers, but is f32[batch, 784]"},
      {"gather", {scalar, integers}, {}, "table must have rows"},
      {"gather", {integers, integers}, {}, "it computes with f32, but table is i32[batch]"},
      {"scatter_add",
       {integers, x},
       {{"shape", Shape{number(4), number(3)}}},
       "rows must be [batch, 3], but is [batch, 784]"},
      {"scatter_add", {integers, x}, {{"shape", Shape{}}}, "the result must have rows"},
      {"one_hot", {x}, {{"depth", 10}}, "y must be integers"},
      {"one_hot", {integers}, {{"depth", 0}}, "'depth' is at least 1, not 0"},
      {"one_hot", {integers}, {}, "one_hot needs the attribute 'depth'"},
      {"constant", {}, {{"values", std::vector{1.0, 2.0}}}, "2 values do not fill the shape []"},
      {"constant", {}, {{"values", std::vector{1.0}}, {"dtype", "f16"}}, "'f16' is no element type"},
      {"param",
       {},
       {{"shape", Shape{batch, number(2)}}},
       "a parameter's shape cannot hold the batch: [batch, 2]"},
      {"random_uniform",
       {},
       {{"shape", Shape{}}, {"low", 1.0}},
       "low must be below high, but they are 1 and 1"},
      {"bernoulli", {x}, {{"shape", Shape{}}}, "p must be a scalar, but is [batch, 784]"},
      {"during",
       {x, cube},
       {},
       "both inputs must be alike: training is f32[batch, 784], otherwise is f32[batch, 3, 4]"},
      {"straight_through", {x, cube}, {}, "both inputs must be alike"},
      {"running_average",
       {x, cube},
       {},
       "both inputs must be alike: value is f32[batch, 784], average is f32[batch, 3, 4]"},
      {"running_average", {x, x}, {{"momentum", 0.0}}, "'momentum' is above 0 and at most 1, not 0"},
      {"grad", {integers, x}, {}, "it computes with f32, but y is i32[batch]"},
      {"assign", {x, cube}, {}, "the variable is f32[batch, 784], the value f32[batch, 3, 4]"},
      {"check_finite", {integers}, {}, "it computes with f32, but x is i32[batch]"},
      {"sgd_update",
       {x, cube, scalar},
       {{"weight_decay", 0.0}},
       "the variable is [batch, 784], but an operand is [batch, 3, 4]"},
  };
  for (const op_table::ErrorCase& one : cases) op_table::check(one);
}
