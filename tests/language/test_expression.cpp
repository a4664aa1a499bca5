// `$(…)`: values, and the grammar shared with formulas.
#include <clocale>
#include <map>
#include <string>
#include <vector>

#include "language/values/evaluate.hpp"
#include "tests/support/catch.hpp"

using graphrun::Expression;
using graphrun::ExpressionError;
using graphrun::Grammar;
using graphrun::Value;
using graphrun::ValueList;
using graphrun::ValueScope;

namespace {

ValueScope scope() {
  const ValueList sizes = {{std::int64_t{100}}, {std::int64_t{30}}, {std::int64_t{5}}};
  const std::map<std::string, Value> values = {{"n", {std::int64_t{7}}},
                                               {"x", {2.5}},
                                               {"sizes", {sizes}},
                                               {"act", {std::string("relu")}},
                                               {"yes", {true}}};
  ValueScope result;
  result.names = [values] {
    std::vector<std::string> names;
    for (const auto& [name, value] : values) names.push_back(name);
    return names;
  };
  result.value = [values](const std::string& name) -> std::optional<Value> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
  return result;
}

Value evaluated(const std::string& text) {
  graphrun::Budget budget;
  return graphrun::evaluate(graphrun::parse_expression(text, graphrun::Grammar::formula, budget), scope(),
                            budget);
}

std::string computed(const std::string& text) {
  return graphrun::to_string(evaluated(text));
}

/// "OFFSET: MESSAGE | FIX" of what is wrong, or "fine".
std::string mistake(const std::string& text, Grammar grammar = Grammar::formula) {
  graphrun::Budget budget;
  try {
    graphrun::evaluate(graphrun::parse_expression(text, grammar, budget), scope(), budget);
  } catch (const ExpressionError& error) {
    return std::to_string(error.offset()) + ": " + error.what() +
           (error.fix().empty() ? "" : " | " + error.fix());
  }
  return "fine";
}

}  // namespace

TEST_CASE("expressions compute values") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"$n", "7"},
      {"$(7 * 7 * 32)", "1568"},
      {"$(1 + 2 * 3 ** 2)", "19"},
      {"$(-2 ** 2)", "-4"},
      {"$(2 ** -1)", "0.5"},
      {"$(2 ** -1 * 4)", "2"},
      {"$(2 ** 3 ** 2)", "512"},
      {"$(-2 ** -2)", "-0.25"},
      {"$(2 - 3 - 4)", "-5"},
      {"$(- - + -3 * -2)", "6"},
      {"$(not 1 + 1 == 3 and yes or n < 2)", "true"},
      {"$(not not yes)", "true"},
      {"$(1 if n < 2 else 2 if n < 8 else 3)", "2"},
      {"$((1 + 2) * 3)", "9"},
      {"$(7 / 2)", "3.5"},
      {"$(7 // 2)", "3"},
      {"$(-7 // 2)", "-4"},
      {"$(-7 % 3)", "2"},
      {"$(7.5 // 2)", "3"},
      {"$(10 - 4 - 3)", "3"},
      {"$(2 ** 3 ** 2)", "512"},
      {"$(1.0e-3 * 2)", "0.002"},
      {"$(6 / 3)", "2"},
      {"$(reverse(sizes))", "[5, 30, 100]"},
      {"$(reverse(sizes[:-1]))", "[30, 100]"},
      {"$(sizes[0] + sizes[-1])", "105"},
      {"$(sizes[1:])", "[30, 5]"},
      {"$(sizes[1:2] + [x, act])", "[30, 2.5, relu]"},
      {"$(sizes[5:])", "[]"},
      {"$(len(sizes) - 1)", "2"},
      {"$(min(sizes))", "5"},
      {"$(max(1, x, 2))", "2.5"},
      {"$(sum(sizes))", "135"},
      {"$(range(3))", "[0, 1, 2]"},
      {"$(range(2, 4))", "[2, 3]"},
      {"$(sqrt(16))", "4"},
      {"$(int(sqrt(17)))", "4"},
      {"$(round(2.6))", "3"},
      {"$(abs(-3))", "3"},
      {"$('a' if n > 5 else 'b')", "a"},
      {"$(1 if not yes else 2)", "2"},
      {"$(n == 7.0 and act != 'tanh')", "true"},
      {"$(n < 3 or x <= 2.5)", "true"},
      {"$(false and nothing)", "false"},
      {"$([1, [2]] == [1, [2]])", "true"},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    CHECK(computed(text) == expected);
  }
}

TEST_CASE("integers stay integers and division makes floats") {
  CHECK(evaluated("$(6 // 3)").integer() != nullptr);
  CHECK(evaluated("$(6 / 3)").integer() == nullptr);
}

TEST_CASE("mistakes in expressions point at the piece that is wrong") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"$(m + 1)", "2: there is no value 'm' here | Did you mean 'n'?"},
      {"$(1 / 0)", "4: division by zero"},
      {"$(1 % 0)", "4: division by zero"},
      {"$(9223372036854775807 + 1)", "22: the integer result is too large | Use floats: 1.0 instead of 1."},
      {"$(10 ** 30)", "5: the integer result is too large | Use floats: 1.0 instead of 1."},
      {"$(99999999999999999999)",
       "2: the integer 99999999999999999999 is too large | Write it as a float: with a point."},
      {"$(1e999)", "2: the number 1e999 is out of range | Write a finite number."},
      {"$(exp(1000))", "2: the result is no finite number"},
      {"$(log(0))", "2: the result is no finite number"},
      {"$(010 + 1)", "2: '010' starts with a zero, which some readers take as octal | Write 10."},
      {"$(sizes + 1)", "8: '+' does not work on the list [100, 30, 5] and the integer 1"},
      {"$(act * 2)", "6: '*' does not work on the text 'relu' and the integer 2"},
      {"$(sizes[3])", "8: index 3 is outside a list of 3"},
      {"$(sizes[x])",
       "8: an integer is expected, not the number 2.5 | `//` divides integers; int(…) makes one."},
      {"$(n[0])", "3: a list is expected, not the integer 7"},
      {"$(len(n))", "2: a list is expected, not the integer 7"},
      {"$(length(sizes))", "2: there is no function 'length' for values | Did you mean 'len'?"},
      {"$(len(sizes, 2))", "2: len takes one argument, not 2"},
      {"$(min([]))", "2: min of nothing"},
      {"$(1 if n else 2)", "7: true or false is expected, not the integer 7"},
      {"$(act < 1)", "6: '<' does not compare the text 'relu' and the integer 1"},
      {"$(1 < 2 < 3)", "8: comparisons cannot be chained | Write `a < b and b < c`."},
      {"$(batch * 2)",
       "2: the batch is not known before the model runs | In a formula `batch` is the count; in a shape it "
       "is the axis."},
      {"$(enc.w)", "2: a node has no value before the model runs | dim(node, axis) is its size."},
      {"$(n", "1: the '(' is never closed"},
      {"$(n))", "4: ')' closes nothing"},
      {"$()", "2: ')' closes nothing"},
      {"$(1 +)", "5: ')' closes nothing"},
      {"$(2 n)", "4: unexpected 'n' | An operator is missing."},
      {"$($n)", "2: inside $( ) names stand without '$' | Leave the '$' out."},
      {"$1", "0: a name or '(' must follow '$' | Write $name or $(expression)."},
      {"$(n = 7)", "4: unexpected '=' | Compare with `==`; name an argument with `name=value`."},
      {"$(n ^ 2)", "4: unexpected '^' | The power is `**`."},
      {"$(n & 2)", "4: unexpected '&' | Write `and`, `or`, `not`."},
      {"$(1 if yes)", "10: an `else` is missing | Write `a if condition else b`."},
      {"$('a)", "2: this quote is never closed"},
      {"$(a.)", "4: a name or number must follow the '.' | Write e.g. enc.0 or code.w."},
      {"$(n \xC3\xA9)", "4: unexpected '\xC3\xA9'"},
      {"f(a=1, a=2)", "7: 'a' is given twice"},
      {"f(a=1, 2)", "7: an argument without a name after one with a name | Put it in front."},
      {"", "0: the formula ends too early"},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    CHECK(mistake(text) == expected);
  }
}

TEST_CASE("expression bombs are errors") {
  std::string sum = "1";
  for (int i = 0; i < 100000; ++i) sum += "+1";
  CHECK(mistake(sum).find("nested too deeply") != std::string::npos);
  CHECK(mistake(std::string(100000, '(')).find("nested too deeply") != std::string::npos);
  CHECK(mistake(std::string(100000, '[')).find("nested too deeply") != std::string::npos);
  CHECK(mistake(std::string(100000, '-') + "1").find("nested too deeply") != std::string::npos);
  std::string power = "2";
  for (int i = 0; i < 100000; ++i) power += "**2";
  CHECK(mistake(power).find("nested too deeply") != std::string::npos);
  CHECK(mistake("range(1000000000)").find("more than 100000 elements") != std::string::npos);
  CHECK(mistake("0 ** 9000000000000000000") == "fine");
}

TEST_CASE("a formula becomes a tree with the column of every piece") {
  graphrun::Budget budget;
  const Expression e = graphrun::parse_expression("mu + exp(0.5 * logvar, axis=[0, 1]) * enc.$(n - 1).w",
                                                  Grammar::formula, budget);
  REQUIRE(e.kind == Expression::Kind::binary);
  CHECK(e.name == "+");
  CHECK(e.offset == 3);
  const Expression& product = e.children.at(1);
  CHECK(product.name == "*");
  const Expression& call = product.children.at(0);
  CHECK(call.kind == Expression::Kind::call);
  CHECK(call.offset == 5);
  REQUIRE(call.keywords.size() == 1);
  CHECK(call.keywords[0].name == "axis");
  CHECK(call.keywords[0].offset == 23);
  CHECK(call.keywords[0].value.kind == Expression::Kind::list);
  const Expression& reference = product.children.at(1);
  CHECK(reference.kind == Expression::Kind::reference);
  REQUIRE(reference.children.size() == 3);
  CHECK(reference.children[0].name == "enc");
  CHECK(reference.children[1].kind == Expression::Kind::host);
  CHECK(*reference.children[2].value.text() == "w");
}

TEST_CASE("a text that is one value is told from a formula") {
  CHECK(graphrun::is_value_reference("$x"));
  CHECK(graphrun::is_value_reference("$(a + (b))"));
  CHECK(graphrun::is_value_reference("$(len(')'))"));
  CHECK_FALSE(graphrun::is_value_reference("$(a) + x"));
  CHECK_FALSE(graphrun::is_value_reference("$x * 2"));
  CHECK_FALSE(graphrun::is_value_reference("x"));
  CHECK_FALSE(graphrun::is_value_reference("$"));
}

TEST_CASE("numbers do not depend on the locale") {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  std::setlocale(LC_ALL, "de_DE.UTF-8");  // where it is installed
  CHECK(computed("$(1.5 * 2)") == "3");
  CHECK(*graphrun::read_number("-2.5e-1").value->number() == -0.25);
  CHECK_FALSE(graphrun::read_number("1,5").value.has_value());
  std::setlocale(LC_ALL, before.c_str());
}

TEST_CASE("unquoted scalars: numbers, words and the traps of YAML") {
  using graphrun::YamlNode;
  const auto read = [](const std::string& text, bool quoted = false) {
    graphrun::Sources sources;
    sources.add("m.yaml", text);
    graphrun::Diagnostics diagnostics(sources);
    YamlNode node;
    node.kind = YamlNode::Kind::scalar;
    node.text = text;
    node.quoted = quoted;
    node.place = {0, 1, 1};
    const Value value = graphrun::read_scalar(node, diagnostics);
    try {
      diagnostics.throw_if_any();
    } catch (const graphrun::ModelError& error) {
      return "error: " + error.message() + " | " + error.diagnostics().front().fix;
    }
    return graphrun::described(value);
  };
  CHECK(read("12") == "the integer 12");
  CHECK(read("+12") == "the integer 12");
  CHECK(read("-0.5") == "the number -0.5");
  CHECK(read("1e-3") == "the number 0.001");
  CHECK(read(".5") == "the number 0.5");
  CHECK(read("true") == "true");
  CHECK(read("12", true) == "the text '12'");
  CHECK(read("relu") == "the text 'relu'");
  CHECK(read("y") == "the text 'y'");
  CHECK(read("-x") == "the text '-x'");
  CHECK(read("1.2.3") == "the text '1.2.3'");
  CHECK(read("no") ==
        "error: 'no' is false to some readers of YAML and a text to others | Write false, or \"no\" for the "
        "text.");
  CHECK(read("On") ==
        "error: 'On' is true to some readers of YAML and a text to others | Write true, or \"On\" for the "
        "text.");
  CHECK(read("010") == "error: '010' starts with a zero, which some readers take as octal | Write 10.");
  CHECK(read("0x1F") == "error: '0x1F' is not decimal | Write the number in decimal.");
  CHECK(read("1_000") == "error: '1_000' has an underscore | Write 1000.");
  CHECK(read(".inf") == "error: '.inf' is no finite number | Write a finite number.");
  CHECK(read("-.NaN") == "error: '-.NaN' is no finite number | Write a finite number.");
}
