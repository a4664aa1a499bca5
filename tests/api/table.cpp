// Tables from a host's memory: fitting, encoding, and back.
#include "graphrun/table.hpp"

#include <cmath>
#include <limits>

#include "graphrun/predictor.hpp"
#include "graphrun/session.hpp"
#include "graphrun/table_predictor.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

constexpr const char* text = R"(
graphrun: 1
name: rows
data:
  train: {table: nowhere.csv}
  columns: {categories: [kind], target: price, weight: often}
  missing: mask
inputs: {x: {from: cells}, seen: {from: mask}, t: {from: target}}
nodes:
  one: {op: param, shape: [1], init: {constant: {value: 1}}}
  row: x * one
  guess: sum(x, axis=1)
outputs: {row: row, target: guess}
loss: {r: "mean(seen * (row - x) ** 2, axis=1) + (guess - t) ** 2"}
train: {optimizer: {op: sgd, lr: 0}, batch: 2, epochs: 1}
)";

const double missing = std::numeric_limits<double>::quiet_NaN();

Table rows() {
  Table table;
  table.add("temp", {1, 3, missing, 5})
      .add("kind", std::vector<std::string>{"a", "b, \"c\"", "", "a"})
      .add("price", {10, 20, 30, 40})
      .add("often", {1, 1, 1, 5});
  return table;
}

}  // namespace

TEST_CASE("a model is fitted to a host's rows, and given what files would give it") {
  const Table table = rows();
  const Model model = Model::parse(text, table);
  const EncodedRows encoded(model, table);
  REQUIRE(encoded.rows() == 4);
  const Inputs inputs = encoded.inputs();
  REQUIRE(inputs.size() == 4);
  CHECK(inputs[0].name == "x");
  const auto x = std::get<std::span<const float>>(inputs[0].values);
  const auto deviation = static_cast<float>(std::sqrt(8.0 / 3));
  const std::vector<float> wanted = {-2 / deviation, 1, 0, 0, 0, 1, 0, 0, 0, 2 / deviation, 1, 0};
  REQUIRE(x.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(std::abs(x[i] - wanted[i]) < 1e-6F);
  const auto seen = std::get<std::span<const float>>(inputs[1].values);
  CHECK(std::vector<float>(seen.begin(), seen.end()) ==
        std::vector<float>{1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1});
  const auto weights = std::get<std::span<const float>>(inputs[3].values);
  CHECK(std::vector<float>(weights.begin(), weights.end()) == std::vector<float>{0.5F, 0.5F, 0.5F, 2.5F});
}

TEST_CASE("rows learn, and what is predicted comes back in names and units") {
  const Table table = rows();
  const Model model = Model::parse(text, table);
  Session session(model);
  const EncodedRows encoded(model, table);
  session.fit(encoded.inputs());
  CHECK(session.evaluate(encoded.inputs()).front().value > 0);
  const Predictor predictor(model, session.weights(), {.outputs = {"row"}, .inputs = {}});
  Table others;
  others.add("kind", std::vector<std::string>{"b, \"c\""}).add("temp", std::vector<double>{7});
  std::vector<float> drawn(3);
  const std::vector<OutputSpan> into = {std::span(drawn)};
  predictor.predict(EncodedRows(model, others).inputs(predictor), into);
  const Table back = decoded(model, "row", drawn);
  CHECK(back.names() == std::vector<std::string>{"temp", "kind"});
  CHECK(std::abs(back.numbers("temp").front() - 7) < 1e-5);
  CHECK(back.texts("kind").front() == "b, \"c\"");
  const std::vector<float> guesses = {12, 13};
  CHECK(decoded(model, "target", guesses).numbers("price") == std::vector<double>{12, 13});
  CHECK(throws([&] { decoded(model, "code", guesses); }, ErrorCode::usage, "'code' is no output"));
}

TEST_CASE("a row of texts is scored as it is, and as it is among others") {
  // What is drawn is 0, so that the score of a row is the mean of its squared cells.
  std::string zero = text;
  zero.replace(zero.find("value: 1"), 8, "value: 0");
  const Model model = Model::parse(zero, rows());
  const Session session(model);
  const TablePredictor predictor(model, session.weights());
  CHECK(predictor.columns() == std::vector<std::string>{"temp", "kind"});
  CHECK(predictor.scored_columns() == std::vector<std::string>{"temp", "kind"});
  RowScore score;
  predictor.score(std::vector<std::string_view>{" 1", "a"}, score);
  CHECK(std::abs(score.score - 2.5 / 3) < 1e-6);
  REQUIRE(score.parts.size() == 2);
  CHECK(std::abs(score.parts[0] - 0.5) < 1e-6);
  CHECK(std::abs(score.parts[1] - 1.0 / 3) < 1e-6);
  predictor.score(std::vector<std::string_view>{"NA", "a"}, score);
  CHECK(score.score == 0.5);
  predictor.score(std::vector<std::string_view>{"", ""}, score);
  CHECK(score.score == 0);
  const std::vector<RowScore> all = predictor.scores(rows());
  REQUIRE(all.size() == 4);
  CHECK(all[2].score == 0);
  const TablePredictor other(model, session.weights(), {.columns = {"kind", "price", "temp"}});
  other.score(std::vector<std::string_view>{"a", "12", "5"}, score);
  CHECK(score.score == all[3].score);
  CHECK(score.parts == all[3].parts);
}

TEST_CASE("a score that is one number a row has no parts") {
  std::string whole = text;
  whole.replace(whole.find("{row: row, target: guess}"), 25, "{score: guess}");
  const Model model = Model::parse(whole, rows());
  const TablePredictor predictor(model, Session(model).weights());
  CHECK(predictor.scored_columns().empty());
  RowScore score;
  predictor.score(std::vector<std::string_view>{"3", "a"}, score);
  CHECK(std::abs(score.score - 1) < 1e-6);
  CHECK(score.parts.empty());
}

TEST_CASE("outputs of rows come as columns, in names and units") {
  const Table table = rows();
  const Model model = Model::parse(text, table);
  const Session session(model);
  const Table back =
      TablePredictor(model, session.weights(), {.outputs = {"row", "target", "x"}}).predict(table);
  CHECK(back.names() == std::vector<std::string>{"temp", "kind", "price", "x_0", "x_1", "x_2"});
  CHECK(back.rows() == 4);
  CHECK(std::abs(back.numbers("temp")[3] - 5) < 1e-5);
  CHECK(back.texts("kind")[1] == "b, \"c\"");
  CHECK(back.numbers("x_1") == std::vector<double>{1, 0, 0, 1});
  CHECK(TablePredictor(model, session.weights()).predict(table).names() == std::vector<std::string>{"price"});
}

TEST_CASE("a predictor of rows tells what it cannot answer") {
  const Model model = Model::parse(text, rows());
  const Session session(model);
  const Weights weights = session.weights();
  const TablePredictor predictor(model, weights);
  RowScore score;
  const auto scored = [&](std::vector<std::string_view> cells) { predictor.score(cells, score); };
  CHECK(throws(
      [&] {
        scored({"1", "z"});
      },
      ErrorCode::data, "row:1:2: error: column 'kind': the model has learnt nothing of 'z'"));
  CHECK(throws(
      [&] {
        scored({"warm", "a"});
      },
      ErrorCode::data, "row:1:1: error: column 'temp': 'warm' is no number"));
  const TablePredictor turned(model, weights, {.columns = {"kind", "temp"}});
  const std::string_view a = "a";  // one text for two cells, of which the second is wrong
  CHECK(throws(
      [&] {
        turned.score(std::vector{a, a}, score);
      },
      ErrorCode::data, "row:1:2: error: column 'temp': 'a' is no number"));
  CHECK(throws([&] { scored({"1"}); }, ErrorCode::usage, "a row has 2 cells, 1 are given"));
  CHECK(throws([&] { predictor.threshold(); }, ErrorCode::data, "without scores of held-out rows"));
  CHECK(throws([&] { predictor.threshold(1); }, ErrorCode::usage, "1 is no share"));
  CHECK(throws([&] { TablePredictor(model, weights, {.columns = {"kind"}}); }, ErrorCode::data,
               "row:1:1: error: there is no column 'temp'"));
  CHECK(throws(
      [&] {
        TablePredictor(model, weights, {.columns = {"kind", "temp", "temp"}});
      },
      ErrorCode::data, "row:1:1: error: two columns are called 'temp'"));
  Table wrong;
  wrong.add("kind", std::vector<std::string>{"a", "z"}).add("temp", std::vector<double>{1, 2});
  CHECK(throws([&] { predictor.scores(wrong); }, ErrorCode::data, "table:3:1: error: column 'kind'"));
  std::string blind = text;
  blind.replace(blind.find("{row: row, target: guess}"), 25, "{code: row}");
  const Model unscored = Model::parse(blind, rows());
  const TablePredictor silent(unscored, Session(unscored).weights());
  CHECK(silent.scored_columns().empty());
  CHECK(throws(
      [&] {
        silent.score(std::vector<std::string_view>{"1", "a"}, score);
      },
      ErrorCode::usage, "so it scores no rows"));
  CHECK(throws([&] { silent.predict(rows()); }, ErrorCode::usage, "no output `target` or `row`"));
}

TEST_CASE("a host's table that fits no model is told") {
  Table table;
  table.add("temp", {1, 2});
  CHECK(throws([&] { table.add("temp", {1, 2}); }, ErrorCode::usage, "two columns are called 'temp'"));
  CHECK(throws([&] { table.add("other", std::vector<double>{1}); }, ErrorCode::usage,
               "column 'other' has 1 rows, the others 2"));
  CHECK(throws([&] { table.add("7", {1, 2}); }, ErrorCode::usage, "needs a name that is no number, not '7'"));
  CHECK(throws([&] { table.texts("temp"); }, ErrorCode::usage, "column 'temp' is of numbers"));
  CHECK(throws([&] { table.numbers("tmp"); }, ErrorCode::usage, "the table has no column 'tmp'"));
  const Model model = Model::parse(text, rows());
  CHECK(throws([&] { EncodedRows(model, table); }, ErrorCode::data,
               "table:1:1: error: there is no column 'kind'"));
  table.add("kind", std::vector<std::string>{"a", "z"});
  CHECK(throws([&] { EncodedRows(model, table); }, ErrorCode::data,
               "table:3:3: error: column 'kind': the model has learnt "
               "nothing of 'z'"));
  const Model other =
      Model::parse("graphrun: 1\nname: m\ninputs: {x: {shape: [batch, 2]}}\nnodes: {y: x * 2}\n");
  CHECK(
      throws([&] { EncodedRows(other, table); }, ErrorCode::usage, "model 'm' has not learnt from a table"));
}

TEST_CASE("what answers rows says so when it was moved from") {
  const Table table = rows();
  const Model model = Model::parse(text, table);
  TablePredictor predictor(model, Session(model).weights());
  EncodedRows encoded(model, table);
  const TablePredictor taken = std::move(predictor);
  const EncodedRows taken_rows = std::move(encoded);
  CHECK(taken.predict(table).rows() == taken_rows.rows());
  // NOLINTBEGIN(bugprone-use-after-move): what is tested
  const auto is_refused = [](const auto& call) {
    return throws(call, ErrorCode::usage, "this table predictor was moved to another one");
  };
  RowScore score;
  CHECK(is_refused([&] { predictor.columns(); }));
  CHECK(is_refused([&] { predictor.scored_columns(); }));
  CHECK(is_refused([&] { predictor.predict(table); }));
  CHECK(is_refused([&] { predictor.scores(table); }));
  CHECK(is_refused([&] { predictor.score(std::vector<std::string_view>{"1", "a"}, score); }));
  CHECK(is_refused([&] { predictor.threshold(); }));
  CHECK(throws([&] { encoded.rows(); }, ErrorCode::usage, "moved to another one"));
  CHECK(throws([&] { encoded.inputs(); }, ErrorCode::usage, "moved to another one"));
  // NOLINTEND(bugprone-use-after-move)
}
