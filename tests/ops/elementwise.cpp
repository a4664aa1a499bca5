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

/// A row of the table on operands of many shapes.
struct Drawn {
  std::string op;
  std::vector<Operand> operands;
  Attributes attributes = {};
  bool second = true;
};

/// Whole numbers from `low` to below `high`.
Operand whole(double low, double high) {
  return {.low = low, .high = high, .type = {DType::i32, {}}, .smooth = false};
}

const std::vector<Drawn> drawn = {
    {"abs", {{}}},
    {"add", {{}, {}}},
    {"abs", {whole(-9, 9)}},
    {"add", {whole(-9, 9), whole(-9, 9)}},
    {"div", {whole(-30, 30), whole(-4, 4)}},
    {"equal", {whole(-3, 3), whole(-3, 3)}},
    {"greater", {whole(-3, 3), whole(-3, 3)}},
    {"greater_equal", {whole(-3, 3), whole(-3, 3)}},
    {"less", {whole(-3, 3), whole(-3, 3)}},
    {"less_equal", {whole(-3, 3), whole(-3, 3)}},
    {"logical_and", {whole(0, 2), whole(-1, 2)}},
    {"logical_and", {{.smooth = false}, {.smooth = false}}},
    {"logical_not", {whole(-1, 2)}},
    {"logical_not", {{.smooth = false}}},
    {"logical_or", {whole(0, 2), whole(-1, 2)}},
    {"logical_or", {{.smooth = false}, {.smooth = false}}},
    {"logical_xor", {whole(0, 2), whole(-1, 2)}},
    {"logical_xor", {{.smooth = false}, {.smooth = false}}},
    {"maximum", {whole(-9, 9), whole(-9, 9)}},
    {"minimum", {whole(-9, 9), whole(-9, 9)}},
    {"mod", {whole(-30, 30), whole(-4, 4)}},
    {"mod", {{4.2, 4.4}, {2.02, 2.08}}},
    {"mod", {{-0.9, -0.1}, {1, 2}}},
    {"mul", {whole(-9, 9), whole(-9, 9)}},
    {"neg", {whole(-9, 9)}},
    {"not_equal", {whole(-3, 3), whole(-3, 3)}},
    {"sub", {whole(-9, 9), whole(-9, 9)}},
    {"where", {whole(0, 2), {}, {}}},
    {"where", {whole(0, 2), whole(-9, 9), whole(-9, 9)}},
    {"where", {{.low = -1, .high = 2, .smooth = false}, whole(-9, 9), whole(-9, 9)}},
    {"clip", {{}}, {{"low", -0.5}, {"high", 1.0}}},
    {"cos", {{-7, 7}}},
    {"div", {{}, {0.5, 2}}},
    {"div", {{}, {-2, -0.5}}},
    {"elu", {{}}, {{"alpha", 0.7}}},
    {"equal", {{}, {}}},
    {"erf", {{}}},
    {"exp", {{}}},
    {"gelu", {{-4, 4}}},
    {"greater", {{}, {}}},
    {"greater_equal", {{}, {}}},
    {"leaky_relu", {{}}, {{"slope", 0.2}}},
    {"less", {{}, {}}},
    {"less_equal", {{}, {}}},
    {"linear", {{}}},
    {"log", {{0.1, 4}}},
    {"log", {{0.01, 1}}, {{"floor", -2.0}}},
    {"log", {{0.1, 4}}, {{"at_zero", -100.0}}},
    {"maximum", {{}, {}}},
    {"minimum", {{}, {}}},
    {"mul", {{}, {}}},
    {"neg", {{}}},
    {"not_equal", {{}, {}}},
    {"pow", {{0.2, 3}, {-2, 2}}},
    {"relu", {{}}},
    {"round_bf16", {{.low = -3, .high = 3, .smooth = false}}},
    {"sigmoid", {{-6, 6}}},
    {"sign", {{}}},
    {"silu", {{-6, 6}}},
    {"sin", {{-7, 7}}},
    {"softplus", {{-6, 6}}},
    {"sqrt", {{0.1, 4}}},
    {"square", {{}}},
    {"step", {{}}},
    {"sub", {{}, {}}},
    {"tanh", {{-3, 3}}},
    {"where", {{.low = -1, .high = 2, .smooth = false}, {}, {}}},
};

/// A row of the table with known numbers: one list an operand, then the result.
struct Known {
  std::string op;
  std::vector<std::vector<double>> operands;
  std::vector<double> expected;
  Attributes attributes = {};
  DType dtype = DType::f32;
};

constexpr double most = 2147483647;
constexpr double least = -2147483648;

const std::vector<Known> known = {
    {"abs", {{-7, 0, most, least}}, {7, 0, most, least}, {}, DType::i32},
    {"add", {{most, least, 16777217}, {1, -1, 2}}, {least, most, 16777219}, {}, DType::i32},
    {"sub", {{most, least, 16777217}, {-1, 1, 2}}, {least, most, 16777215}, {}, DType::i32},
    {"mul",
     {{most, 65536, 46341, least}, {most, 65536, 46341, -1}},
     {1, 0, -2147479015, least},
     {},
     DType::i32},
    {"div",
     {{7, -7, 7, -7, 5, least, 16777217}, {2, 2, -2, -2, 0, -1, 1}},
     {3, -3, -3, 3, 0, least, 16777217},
     {},
     DType::i32},
    {"mod",
     {{7, -7, 7, -7, 5, least, 16777217}, {3, 3, -3, -3, 0, -1, 16777216}},
     {1, 2, -2, -1, 0, 0, 1},
     {},
     DType::i32},
    {"mod", {{7, -7, 5.5, 1, 16777216, -0.25}, {3, 3, -2, 0, 3, 1}}, {1, 2, -0.5, not_a_number, 1, 0.75}},
    {"neg", {{5, most, least}}, {-5, -most, least}, {}, DType::i32},
    {"maximum", {{16777217, -3}, {16777216, 4}}, {16777217, 4}, {}, DType::i32},
    {"minimum", {{16777217, -3}, {16777216, 4}}, {16777216, -3}, {}, DType::i32},
    {"equal", {{16777217, least}, {16777216, least}}, {0, 1}, {}, DType::i32},
    {"less", {{16777216, least}, {16777217, most}}, {1, 1}, {}, DType::i32},
    {"logical_and", {{0, 0.5, not_a_number, -0.0}, {1, -2, 1, 1}}, {0, 1, 1, 0}},
    {"logical_or", {{0, 0.5, -0.0, 0}, {1, 0, 0, not_a_number}}, {1, 1, 0, 1}},
    {"logical_xor", {{0, 0.5, 3, 0}, {1, 0, 7, -0.0}}, {1, 1, 0, 0}},
    {"logical_not", {{0, -0.0, 0.5, not_a_number}}, {1, 1, 0, 0}},
    {"logical_xor", {{0, 2, 2}, {1, 0, 1}}, {1, 1, 0}, {}, DType::i32},
    {"abs", {{-2, -0.0, 3, -infinity, not_a_number}}, {2, 0, 3, infinity, not_a_number}},
    {"add", {{1, 2, infinity, infinity}, {4, -2, 1, -infinity}}, {5, 0, infinity, not_a_number}},
    {"clip",
     {{-3, -1, 0, 2, infinity, not_a_number}},
     {-1, -1, 0, 1.5, 1.5, not_a_number},
     {{"low", -1.0}, {"high", 1.5}}},
    {"clip", {{-3, 7}}, {-3, 5}, {{"high", 5.0}}},
    {"cos",
     {{0, 1, -2, 4, 7, 100000, infinity, not_a_number}},
     {1, 0.5403023058681398, -0.4161468365471424, -0.6536436208636119, 0.7539022543433046,
      -0.9993608074382122, not_a_number, not_a_number}},
    {"div", {{1, -6, 1, 0}, {4, 3, 0, 0}}, {0.25, -2, infinity, not_a_number}},
    {"elu",
     {{0, 2, -1, -infinity, not_a_number}},
     {0, 2, 2 * std::expm1(-1.0), -2, not_a_number},
     {{"alpha", 2.0}}},
    {"equal", {{1, 2, 0, infinity, not_a_number}, {1, 3, -0.0, infinity, not_a_number}}, {1, 0, 1, 1, 0}},
    {"erf",
     {{0, 0.5, -1, 3, infinity, not_a_number}},
     {0, 0.5204998778130465, -0.8427007929497149, 0.9999779095030014, 1, not_a_number}},
    {"exp",
     {{0, 1, -1, -infinity, infinity, 80, not_a_number}},
     {1, 2.718281828459045, 0.36787944117144233, 0, infinity, std::exp(80.0), not_a_number}},
    {"gelu",
     {{0, 1, -1, 2, not_a_number}},
     {0, 0.8413447460685429, -0.15865525393145707, 1.9544997361036416, not_a_number}},
    {"greater", {{1, 2, 2, not_a_number}, {2, 1, 2, 1}}, {0, 1, 0, 0}},
    {"greater_equal", {{1, 2, 2, not_a_number}, {2, 1, 2, 1}}, {0, 1, 1, 0}},
    {"leaky_relu", {{-2, 0, 3, not_a_number}}, {-0.5, 0, 3, not_a_number}, {{"slope", 0.25}}},
    {"leaky_relu", {{-1, 1}}, {-0.01, 1}},
    {"less", {{1, 2, 2, not_a_number}, {2, 1, 2, 1}}, {1, 0, 0, 0}},
    {"less_equal", {{1, 2, 2, not_a_number}, {2, 1, 2, 1}}, {1, 0, 1, 0}},
    {"linear", {{-2, 0, infinity, not_a_number}}, {-2, 0, infinity, not_a_number}},
    {"log",
     {{1, 10, 0, -1, infinity, not_a_number}},
     {0, 2.302585092994046, -infinity, not_a_number, infinity, not_a_number}},
    {"log", {{1, 0, 1e-30}}, {0, -100, -69.07755278982137}, {{"floor", -100.0}}},
    {"log",
     {{1, 0, -0.0, 1e-30, -1, not_a_number}},
     {0, -30, -30, -69.07755278982137, not_a_number, not_a_number},
     {{"at_zero", -30.0}}},
    {"maximum",
     {{1, 3, -infinity, not_a_number, 1}, {2, -4, 5, 1, not_a_number}},
     {2, 3, 5, not_a_number, not_a_number}},
    {"minimum",
     {{1, 3, -infinity, not_a_number, 1}, {2, -4, 5, 1, not_a_number}},
     {1, -4, -infinity, not_a_number, not_a_number}},
    {"mul", {{3, -2, 0, infinity}, {4, 5, infinity, -1}}, {12, -10, not_a_number, -infinity}},
    {"neg", {{3, -2, infinity, not_a_number}}, {-3, 2, -infinity, not_a_number}},
    {"not_equal", {{1, 2, 0, not_a_number}, {1, 3, -0.0, not_a_number}}, {0, 1, 0, 1}},
    {"pow",
     {{2, 9, -2, 0, 0, 5, -2, 2}, {10, 0.5, 3, 2, -1, 0, 0.5, -2}},
     {1024, 3, -8, 0, infinity, 1, not_a_number, 0.25}},
    {"relu", {{-2, 0, 3, infinity, -infinity, not_a_number}}, {0, 0, 3, infinity, 0, not_a_number}},
    {"round_bf16",
     {{1.00390625, 1.01171875, -1.00390625, 1.0042, -0.0, infinity, 3.4e38, not_a_number}},
     {1, 1.015625, -1, 1.0078125, -0.0, infinity, infinity, not_a_number}},
    {"sin",
     {{0, 1, -2, 4, 7, 100000, infinity, not_a_number}},
     {0, 0.8414709848078965, -0.9092974268256817, -0.7568024953079282, 0.6569865987187891, 0.0357487979720165,
      not_a_number, not_a_number}},
    {"sigmoid",
     {{0, 2, -2, 100, -100, infinity, -infinity, not_a_number}},
     {0.5, 0.8807970779778823, 0.11920292202211756, 1, 3.720075976020836e-44, 1, 0, not_a_number}},
    {"sign", {{-2, 0, 3, not_a_number}}, {-1, 0, 1, not_a_number}},
    {"silu",
     {{0, 2, -2, 100, not_a_number}},
     {0, 1.7615941559557646, -0.23840584404423512, 100, not_a_number}},
    {"softplus",
     {{0, 2, -2, 100, -1000, infinity, -infinity, not_a_number}},
     {0.6931471805599453, 2.1269280110429727, 0.12692801104297263, 100, 0, infinity, 0, not_a_number}},
    {"sqrt",
     {{0, 4, 2, -1, infinity, not_a_number}},
     {0, 2, 1.4142135623730951, not_a_number, infinity, not_a_number}},
    {"square", {{-3, 0, infinity, not_a_number}}, {9, 0, infinity, not_a_number}},
    {"step", {{-2, 0, 3, not_a_number}}, {0, 0, 1, 0}},
    {"sub", {{1, 2, infinity}, {4, -2, infinity}}, {-3, 4, not_a_number}},
    {"tanh",
     {{0, 1, -0.5, 100, -infinity, not_a_number}},
     {0, 0.7615941559557649, -0.46211715726000973, 1, -1, not_a_number}},
    {"where", {{1, 0, -3, not_a_number}, {1, 2, 3, 4}, {5, not_a_number, 7, 8}}, {1, not_a_number, 3, 4}},
};

OpCase known_case(const Known& row) {
  OpCase one{.op = row.op, .operands = {}, .attributes = row.attributes, .expected = row.expected};
  for (const std::vector<double>& values : row.operands) {
    Operand operand = given({number(static_cast<std::int64_t>(values.size()))}, values);
    operand.smooth = false;  // at corners, infinities and NaN
    operand.type.dtype = row.dtype;
    one.operands.push_back(std::move(operand));
  }
  return one;
}

}  // namespace

std::vector<OpCase> elementwise_cases() {
  std::vector<OpCase> cases;
  for (const Drawn& row : drawn) {
    const OpCase one{
        .op = row.op, .operands = row.operands, .attributes = row.attributes, .second = row.second};
    for (OpCase& shaped : over_shapes(one)) cases.push_back(std::move(shaped));
  }
  for (const Known& row : known) cases.push_back(known_case(row));
  return cases;
}

}  // namespace graphrun::op_table

using namespace graphrun;
using namespace graphrun::op_table;

TEST_CASE("elementwise ops: types, values, kernels, gradients") {
  for (const OpCase& one : elementwise_cases()) check(one);
}

TEST_CASE("elementwise ops refuse what they cannot compute") {
  const Type f32 = {DType::f32, {op_table::batch, op_table::number(3)}};
  const Type i32 = {DType::i32, {op_table::batch, op_table::number(3)}};
  const Type u8 = {DType::u8, {op_table::batch, op_table::number(3)}};
  const Type other = {DType::f32, {op_table::batch, op_table::number(4)}};
  const Type seven = {DType::f32, {op_table::number(7), op_table::number(3)}};
  for (const OpDef& op : ops::registry().ops()) {
    if (!op.traits.elementwise || op.name == "cast") continue;
    const bool takes_integers = ops::kernels().find(op)->make != nullptr;
    const std::vector<Type> integers(op.inputs.size(), takes_integers ? u8 : i32);
    check(ErrorCase{op.name, integers, {}, "it computes with f32"});
    check(ErrorCase{op.name, integers, {}, "cast(y, dtype=f32)"});
    check(ErrorCase{op.name, std::vector<Type>(op.inputs.size() + 1, f32), {}, "takes"});
    if (op.inputs.size() != 2) continue;
    check(ErrorCase{op.name, {f32, i32}, {}, "it computes with f32, but an input is i32[batch, 3]"});
    check(ErrorCase{op.name, {i32, f32}, {}, "it computes with f32, but an input is i32[batch, 3]"});
    check(ErrorCase{op.name, {f32, other}, {}, "the shapes [batch, 3] and [batch, 4] do not broadcast"});
    check(ErrorCase{op.name, {f32, seven}, {}, "the shapes [batch, 3] and [7, 3] do not broadcast"});
  }
}
