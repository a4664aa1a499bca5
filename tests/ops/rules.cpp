// Every rule and every pass on every op: graphs that tempt it, with it and without it.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "graph/op.hpp"
#include "graph/passes/dead_nodes.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/term.hpp"
#include "ops/op.hpp"
#include "tests/ops/op_case.hpp"
#include "tests/ops/rule_check.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;
using namespace graphrun::op_table;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
const std::vector<double> special = {0.0,      -0.0, 1.0,   -1.0,  0.5,    std::nan(""),
                                     infinity, 3e38, -1e30, 1e-30, -0.75F, -infinity};

/// The values of f32 operands give way to numbers from a list, so that two operands meet in all pairs after
/// as many turns as it has.
Values with_numbers(Values values, const std::vector<Operand>& operands, const std::vector<double>& numbers,
                    std::size_t turn) {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].type.dtype != DType::f32) continue;
    std::vector<double>& list = values.at(operand_name(i)).values;
    for (std::size_t k = 0; k < list.size(); ++k) list[k] = numbers[(k + i * turn + turn) % numbers.size()];
  }
  return values;
}

Example example_of(Graph graph, const OpCase& one) {
  const Values drawn = operand_values(one, one.batch);
  // Where floors, ceilings and slopes matter, and no difference cancels more than a few bits.
  const std::vector<double> wide = {-4.5, -0.3, 2.25, 4, -2, 0.7, -3.2, 1.1, 3.5};
  Example example{std::move(graph), one.batch, {drawn, with_numbers(drawn, one.operands, wide, 1)}, {}};
  for (std::size_t turn = 0; turn < special.size(); ++turn) {
    example.special_points.push_back(with_numbers(drawn, one.operands, special, turn));
  }
  return example;
}

/// What stands for the operands of an op; an empty list where it does not suit them.
using Dress = std::vector<Term> (*)(const OpCase& one, std::vector<Term> operands, std::size_t variant);

std::vector<Term> plain(const OpCase&, std::vector<Term> operands, std::size_t variant) {
  return variant == 0 ? operands : std::vector<Term>();
}

/// One operand behind each op of one input that keeps its type, and behind one minus that.
std::vector<Term> behind_ops(const OpCase&, std::vector<Term> operands, std::size_t variant) {
  std::vector<std::string> names;
  for (const OpDef& op : ops::registry().ops()) {
    if (op.inputs.size() == 1 && op.traits.elementwise && !op.internal) names.push_back(op.name);
  }
  for (Term& operand : operands) {
    if (operand.type().dtype != DType::f32) continue;
    const std::size_t choice = variant % (2 * names.size());
    if (variant >= 2 * names.size() * operands.size()) return {};
    if (&operand - operands.data() != static_cast<std::ptrdiff_t>(variant / (2 * names.size()))) continue;
    const Term through = call(names[choice / 2], {operand});
    operand = choice % 2 == 0 ? through : 1.0 - through;
    return operands;
  }
  return {};
}

/// One operand moved: turned, and reshaped to and fro.
std::vector<Term> moved(const OpCase&, std::vector<Term> operands, std::size_t variant) {
  if (variant >= 4 * operands.size()) return {};
  Term& operand = operands[variant / 4];
  const Shape shape = operand.type().shape;
  Shape longer = shape;
  longer.insert(longer.begin(), Dim::number(1));
  Shape backwards(shape.rbegin(), shape.rend());
  switch (variant % 4) {
    case 0:
      operand = call("transpose", {call("reshape", {operand}, {{"shape", backwards}})});
      break;
    case 1:
      operand = call("transpose", {call("transpose", {operand})});
      break;
    case 2:
      operand = call("reshape", {call("reshape", {operand}, {{"shape", longer}})}, {{"shape", shape}});
      break;
    default:
      operand = call("broadcast_to", {operand}, {{"shape", shape}});
  }
  return operands;
}

/// One operand that is one number in every element: a scalar, a scalar repeated, a filled constant.
std::vector<Term> uniform(const OpCase&, std::vector<Term> operands, std::size_t variant) {
  static const double numbers[] = {0.0, -0.0, 1.0, -1.0, 2.0, 3.0, 0.5};
  constexpr std::size_t forms = 3;
  const std::size_t each = std::size(numbers) * forms;
  if (variant >= each * operands.size()) return {};
  Term& operand = operands[variant / each];
  if (operand.type().dtype != DType::f32) return {};
  const double number = numbers[variant % each / forms];
  const Shape shape = operand.type().shape;
  Builder& builder = operand.builder();
  const Term scalar = constant_like(operand, number);
  const NodeId filled =
      builder.add("constant", {}, {{"values", std::vector<double>{number}}, {"shape", shape}});
  const Term forms_of[] = {scalar, call("broadcast_to", {scalar}, {{"shape", shape}}), {builder, filled}};
  operand = forms_of[variant % forms];
  return operands;
}

/// Operands that a smaller input is repeated to.
std::vector<Term> repeated(const OpCase&, std::vector<Term> operands, std::size_t variant) {
  const std::size_t which = variant + 1;  // one bit an operand
  if (which >= std::size_t{1} << operands.size()) return {};
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Shape shape = operands[i].type().shape;
    if ((which >> i & 1) == 0 || shape.empty() || operands[i].type().dtype != DType::f32) continue;
    const Term row = call("slice", {operands[i]}, {{"axis", -1}, {"stop", 1}});
    operands[i] = call("broadcast_to", {row}, {{"shape", shape}});
  }
  return operands;
}

Term applied(const OpCase& one, const std::vector<Term>& operands) {
  Builder& builder = operands.front().builder();
  return {builder, builder.add(one.op, {operands.begin(), operands.end()}, one.attributes)};
}

std::vector<Term> inputs_of(Builder& builder, const OpCase& one) {
  add_op(builder, one);  // makes the inputs; the op itself is left over
  std::vector<Term> operands;
  for (NodeId id = 0; id < one.operands.size(); ++id) operands.emplace_back(builder, id);
  return operands;
}

/// The op in one dress, or nothing when there is no such variant or it does not suit the op.
enum class Suits { yes, no, ended };
Suits dressed(const OpCase& one, Dress dress, std::size_t variant, Graph& graph) {
  Builder builder(ops::registry());
  try {
    const std::vector<Term> operands = dress(one, inputs_of(builder, one), variant);
    if (operands.empty()) return Suits::ended;
    builder.output("y", applied(one, operands));
    const bool turns =
        dress == plain && operands.size() == 2 && operands[0].type().dtype == operands[1].type().dtype;
    if (turns) {  // what may be merged with it, and what may not
      builder.output("again", applied(one, operands));
      try {
        builder.output("turned", applied(one, {operands[1], operands[0]}));
      } catch (const OpError&) {  // not with these types
      }
    }
  } catch (const OpError&) {
    return Suits::no;
  }
  graph = std::move(builder).finish();
  if (dress != plain) graph = remove_dead_nodes(std::move(graph), ops::registry());
  return Suits::yes;
}

void merge(std::set<std::string>& all, const std::set<std::string>& more) {
  all.insert(more.begin(), more.end());
}

/// The case with its operands as constants; a batch is a number then.
std::set<std::string> check_as_constants(const OpCase& one) {
  Builder builder(ops::registry());
  std::vector<Term> operands;
  const Values values = operand_values(one, one.batch);
  try {
    for (std::size_t i = 0; i < one.operands.size(); ++i) {
      const HostTensor& value = values.at(operand_name(i));
      Shape shape;
      for (const std::int64_t extent : value.extents) shape.push_back(Dim::number(extent));
      const std::string dtype(to_string(one.operands[i].type.dtype));
      const NodeId constant = builder.add(
          "constant", {}, {{"values", value.values}, {"shape", std::move(shape)}, {"dtype", dtype}});
      operands.emplace_back(builder, constant);
    }
    builder.output("y", applied(one, operands));
  } catch (const OpError&) {  // not of these sizes
    return {};
  }
  return check_all({std::move(builder).finish(), one.batch, {{}}, {}});
}

/// One case for each op and attributes, of its first operands.
std::vector<OpCase> first_cases() {
  std::vector<OpCase> cases;
  for (const OpCase& one : all_cases()) {
    if (one.operands.empty() || !has_drawn_operands(one)) continue;
    const bool known = std::ranges::any_of(cases, [&](const OpCase& other) {
      return other.op == one.op && other.attributes == one.attributes &&
             other.operands.front().type.dtype == one.operands.front().type.dtype;
    });
    if (!known) cases.push_back(one);
  }
  const Operand any;
  cases.push_back({.op = "cast", .operands = {any}});
  cases.push_back({.op = "cast", .operands = {any}, .attributes = {{"dtype", std::string("i32")}}});
  return cases;
}

/// t ln(sigmoid(z)) + (1 - t) ln(1 - sigmoid(z)) with its logarithms made stable: what no single op tempts.
Graph cross_entropy() {
  Builder builder(ops::registry());
  const OpCase one{.op = "mul", .operands = {{}, {}}};
  const std::vector<Term> x = inputs_of(builder, one);
  const Term yes = -call("softplus", {-x[1]});
  const Term no = -call("softplus", {x[1]});
  builder.output("y", x[0] * yes + (1.0 - x[0]) * no);
  return std::move(builder).finish();
}

/// The largest of normalised images, in channels that keep the order of pixels and in ones that turn it
/// round.
OpCase normalised_images() {
  const Dim two = Dim::number(2);
  const Operand channels{.low = -1, .high = 1, .type = {DType::f32, {two}}};
  const Operand scales{.type = {DType::f32, {two}}, .values = {0.5, -2}};
  const Operand images{
      .low = -1, .high = 1, .type = {DType::f32, {Dim::batch(), Dim::number(4), Dim::number(6), two}}};
  return {.op = "normalise", .operands = {images, channels, scales, channels}};
}

/// What such images get: through the pool, and by their moments.
OpCase gradients_of_images() {
  const OpCase one = normalised_images();
  const std::vector<Operand>& x = one.operands;
  const Shape windows = {Dim::batch(), Dim::number(2), Dim::number(3), Dim::number(2)};
  const Operand g{.low = -1, .high = 1, .type = {DType::f32, windows}};
  return {.op = "normalised_pool_gradient", .operands = {x[0], x[2], g, x[1], x[2], x[3]}};
}

Graph sum_of_gradients(const OpCase& one, bool pool_first) {
  Builder builder(ops::registry());
  const std::vector<Term> x = inputs_of(builder, one);
  const Term moved = call("normalise", {x[0], x[3], x[4], x[5]});
  const Term chosen = call("extreme_pool_gradient", {x[0], x[1], x[2]}, {{"kernel", std::int64_t{2}}});
  builder.output("y", pool_first ? chosen + moved : moved + chosen);
  return std::move(builder).finish();
}

Graph pooled(const OpCase& one) {
  Builder builder(ops::registry());
  const std::vector<Term> x = inputs_of(builder, one);
  const Term normalised = call("normalise", {x[0], x[1], x[2], x[3]});
  builder.output("y", call("max_pool", {normalised}, {{"kernel", std::int64_t{2}}}));
  return std::move(builder).finish();
}

}  // namespace

TEST_CASE("every rule and pass leaves the bits of every op, or its value where it is a real one") {
  std::set<std::string> tempted;
  for (const OpCase& one : first_cases()) {
    INFO(describe(one));
    for (const Dress dress : {plain, behind_ops, moved, uniform, repeated}) {
      Graph graph;
      for (std::size_t variant = 0;; ++variant) {
        const Suits suits = dressed(one, dress, variant, graph);
        if (suits == Suits::ended) break;
        if (suits == Suits::yes) merge(tempted, check_all(example_of(std::move(graph), one)));
      }
    }
  }
  for (const OpCase& one : all_cases()) {
    if (one.operands.empty()) continue;
    INFO(describe(one));
    merge(tempted, check_as_constants(one));
  }
  merge(tempted, check_all(example_of(cross_entropy(), {.op = "mul", .operands = {{}, {}}})));
  merge(tempted, check_all(example_of(pooled(normalised_images()), normalised_images())));
  for (const bool pool_first : {true, false}) {
    const OpCase one = gradients_of_images();
    const std::set<std::string> found = check_all(example_of(sum_of_gradients(one, pool_first), one));
    CHECK(found.contains("gradient_of_normalised_pool"));
    merge(tempted, found);
  }
  // Whatever has not been tempted is not tested either.
  for (const OpDef& op : ops::registry().ops()) {
    for (const Rule& rule : op.rules) {
      INFO(rule.name);
      CHECK(tempted.contains(rule.name));
    }
  }
  for (const Pass& pass : exact_passes()) {
    INFO(pass.name);
    CHECK((tempted.contains(pass.name) || !pass.optional));
  }
}

TEST_CASE("a constant is what its type holds or an error, and the same folded or not") {
  const double numbers[] = {0, 1, -1, 0.5, 255, 256, -2147483648.0, 2147483648.0, 1e20, 1e39, std::nan("")};
  for (const std::string from : {"f32", "i32", "u8"}) {
    for (const std::string to : {"f32", "i32", "u8"}) {
      for (const double number : numbers) {
        INFO(number << " as " << from << ", then as " << to);
        Builder builder(ops::registry());
        const DType dtype = *dtype_from(from);
        const auto add = [&] {
          return builder.add("constant", {}, {{"values", std::vector<double>{number}}, {"dtype", from}});
        };
        if (!holds(dtype, number)) {
          CHECK_THROWS_AS(add(), OpError);
          continue;
        }
        builder.output("y", builder.add("cast", {add()}, {{"dtype", to}}));
        const Example example{std::move(builder).finish(), 1, {{}}, {}};
        check_all(example);
        const double exact = in_f64(example.graph, example, {})[0][0];
        const double rounded =
            *dtype_from(to) == DType::f32 ? static_cast<double>(static_cast<float>(exact)) : exact;
        CHECK(same_bits(in_f32(example.graph, example, {})[0][0], rounded));
      }
    }
  }
}

TEST_CASE("an error at a constant names the number and what its type holds") {
  check(ErrorCase{
      "constant",
      {},
      {{"values", std::vector<double>{1, 1e20}}, {"shape", Shape{number(2)}}, {"dtype", std::string("i32")}},
      "1e+20 is not in i32, which holds whole numbers from -2147483648 to 2147483647"});
  check(ErrorCase{"constant",
                  {},
                  {{"values", std::vector<double>{256}}, {"dtype", std::string("u8")}},
                  "256 is not in u8, which holds whole numbers from 0 to 255"});
  check(ErrorCase{"constant", {}, {{"values", std::vector<double>{1e39}}}, "1e+39 is not in f32"});
}
