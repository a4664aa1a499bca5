// Tables: what their columns become, and which rows are learnt from.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/train/datasets/tables.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/load_table.hpp"
#include "train/datasets/tables/column_scale.hpp"
#include "train/datasets/tables/table_split.hpp"
#include "train/datasets/tables/table_survey.hpp"
#include "train/learn/definition.hpp"

using namespace graphrun;
using namespace graphrun::train;
using namespace graphrun::testing;

namespace {

using Names = std::vector<std::string>;
using Values = std::vector<float>;
using Use = FittedColumn::Use;

}  // namespace

TEST_CASE("columns of a table are told apart, and become cells in its order") {
  const Tables tables;
  tables.write("train.csv", four_rows);
  const DataRecipe data = tables.data();
  CHECK(column(data, "t").scale == ColumnScale::standardise);
  CHECK(column(data, "t").centre == 4);
  CHECK(std::abs(column(data, "t").spread - std::sqrt(5.0)) < 1e-12);
  CHECK(column(data, "kind").values == Names{"a", "b"});
  CHECK(column(data, "id").use == Use::ignored);
  CHECK(described(data.table->fitted) == "t: a number, standardise; kind: a category of 2; id: ignored");
  const Dataset set = load_table_data(data);
  CHECK(set.train.count == 4);
  CHECK(set.train.width == 3);
  CHECK(std::abs(set.train.values[0] + 3 / std::sqrt(5.0F)) < 1e-6F);
  CHECK(Values(set.train.values.begin() + 1, set.train.values.begin() + 3) == Values{1, 0});
  CHECK(set.train.mask.empty());  // all are there
}

TEST_CASE("columns are matched by name, in any order") {
  const Tables tables;
  tables.write("train.csv", four_rows)
      .write("new.csv", "id,kind,t\n9,b,1\n8,a,5\n")
      .write("short.csv", "kind,t\nb,1\n");
  const DataRecipe data = tables.data();
  const ImageSet known = load_table_data(data).train;
  const ImageSet rows = tables.read("new.csv", data);
  CHECK(rows.values[0] == known.values[0]);
  CHECK(Values(rows.values.begin() + 1, rows.values.begin() + 3) == Values{0, 1});
  CHECK(tables.read("short.csv", data).count == 1);
}

TEST_CASE("numbers are scaled as columns say, and come back in their own unit") {
  const Tables tables;
  tables.write("train.csv",
               "a,b,c,d,e,f\n1,1,1,1,0,1\n2,2,2,2,9,2\n3,3,3,3,99,3\n4,4,4,4,-9,4\n50,5,5,5,3,5\n");
  const DataRecipe data = tables.data(
      "  columns: {numbers: {robust: [a], min_max: [b], quantile: [c], as_is: [d], log: [e], standardise: "
      "[f]}}\n");
  CHECK(column(data, "a").centre == 3);
  CHECK(column(data, "a").spread == 2);
  CHECK(scaled(column(data, "b"), 5) == 1);
  CHECK(scaled(column(data, "b"), 3) == 0.5);
  CHECK(scaled(column(data, "c"), 2.5) == 0.375);
  CHECK(scaled(column(data, "c"), -7) == 0);
  CHECK(scaled(column(data, "c"), 70) == 1);
  CHECK(scaled(column(data, "d"), 2.5) == 2.5);
  for (const FittedColumn& one : data.table->fitted)
    for (const double value : {1.0, 2.5, 4.0})
      CHECK(std::abs(unscaled(one, scaled(one, value)) - value) < 1e-9);
}

TEST_CASE("a column that is always the same is no reason to divide by zero") {
  const Tables tables;
  tables.write("train.csv", "a,b\n5,1\n5,2\n5,4\n");
  CHECK(load_table_data(tables.data()).train.values[0] == 0);
}

TEST_CASE("what is fitted is fitted on the rows to learn from alone") {
  const Tables tables;
  std::string text = "a,kind\n";
  for (int row = 0; row < 90; ++row) text += std::to_string(row % 10) + ",x\n";
  for (int row = 0; row < 10; ++row) text += "1e6,late\n";
  tables.write("train.csv", text);
  const DataRecipe data = tables.data("  split: {validation: 0.1, by: time}\n");
  CHECK(column(data, "a").centre == 4.5);
  CHECK(column(data, "kind").values == Names{"x"});
  const Dataset set = load_table_data(data);
  CHECK(set.train.count == 90);
  CHECK(set.validation.count == 10);
  CHECK(set.notes.size() == 1);
  CHECK(contains(set.notes.front(),
                 "10 of the rows kept for measuring have a category that no row to learn from"));
}

TEST_CASE("rows are split at random, by time or by group, the same in every run") {
  TableRecipe::Split split;
  split.validation = 0.2;
  split.test = 0.1;
  const auto count = [](const std::vector<Part>& parts, Part part) {
    return std::ranges::count(parts, part);
  };
  const std::vector<Part> random = parts_of(split, 50, {});
  CHECK(count(random, Part::validation) == 10);
  CHECK(count(random, Part::test) == 5);
  CHECK(random == parts_of(split, 50, {}));
  CHECK(random[49] != random[48]);
  split.by = TableRecipe::Split::By::time;
  const std::vector<Part> ordered = parts_of(split, 10, {});
  CHECK(ordered[6] == Part::train);
  CHECK(ordered[7] == Part::validation);
  CHECK(ordered[9] == Part::test);
  const std::vector<Part> dated =
      parts_of(split, 4, {"2020-03-01", "2020-01-01", "2020-04-01", "2020-02-01"});
  CHECK(dated == std::vector<Part>{Part::validation, Part::train, Part::test, Part::train});
  CHECK(parts_of(split, 3, {"9", "10", "100"})[2] == Part::test);
  const std::vector<Part> of_each =
      parts_of(split, 20, {}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  for (const std::size_t begin : {0U, 10U}) {
    CHECK(of_each[begin + 6] == Part::train);
    CHECK(of_each[begin + 7] == Part::validation);
    CHECK(of_each[begin + 9] == Part::test);
  }
  split.by = TableRecipe::Split::By::group;
  split.test = 0;
  const Names groups = {"a", "a", "b", "b", "c", "c", "d", "d", "e", "e"};
  const std::vector<Part> grouped = parts_of(split, 10, groups);
  CHECK(count(grouped, Part::validation) == 2);
  for (std::size_t row = 0; row < 10; row += 2) CHECK(grouped[row] == grouped[row + 1]);
  CHECK(throws([&] { parts_of(split, 2, {"a", "a"}); }, ErrorCode::data, "leaves none of the 2 rows"));
}

TEST_CASE("rows are put in order by times that everybody reads in the same way") {
  const Tables tables;
  const std::string keys = "  split: {validation: 0.5, by: time, column: day}\n";
  tables.write("train.csv", "day,a\n2026-02-01,1\n2026-01-31,2\n");
  CHECK(load_table_data(tables.data(keys)).validation.count == 1);
  tables.write("train.csv", "day,a\n1.2.2026,1\n31.1.2026,2\n");
  CHECK(refused(
      [&] { tables.data(keys); },
      "train.csv:2:1: error: '1.2.2026' is no time by which 'day' could put rows in order: take numbers"));
}

TEST_CASE("missing cells are refused, masked or filled in") {
  const Tables tables;
  tables.write("train.csv", "a,kind\n1,x\n,y\n4,NA\n7,x\n");
  CHECK(refused([&] { load_table_data(tables.data()); }, "train.csv:3:1: error: the cell of 'a' is missing"));
  const ImageSet masked = load_table_data(tables.data("  missing: mask\n")).train;
  CHECK(Values(masked.mask.begin() + 3, masked.mask.begin() + 9) == Values{0, 1, 1, 1, 0, 0});
  CHECK(masked.values[3] == 0);
  const DataRecipe filled = tables.data("  missing: median\n");
  CHECK(column(filled, "a").fill == 4);
  const ImageSet rows = load_table_data(filled).train;
  CHECK(rows.values[3] == 0);
  CHECK(rows.values[7] == 1);
  CHECK(rows.mask == masked.mask);
}

TEST_CASE("a target is a number or a category, and no cell") {
  const Tables tables;
  tables.write("train.csv", "size,price\n1,100.5\n4,99.5\n3,250.25\n");
  const DataRecipe number = tables.data("  columns: {target: price}\n");
  CHECK(load_table_data(number).train.width == 1);
  CHECK(load_table_data(number).train.targets == Values{100.5F, 99.5F, 250.25F});
  tables.write("train.csv", "size,species\n1,cat\n4,dog\n3,cat\n").write("new.csv", "size\n5\n");
  const DataRecipe category = tables.data("  columns: {target: species}\n");
  const ImageSet rows = load_table_data(category).train;
  CHECK(rows.labels == std::vector<std::int32_t>{0, 1, 0});
  CHECK(rows.class_names == Names{"cat", "dog"});
  CHECK(tables.read("new.csv", category).labels.empty());
}

TEST_CASE("labels and ignored columns may stand in any table, and are never cells") {
  const Tables tables;
  tables.write("train.csv", "a,state,note\n1,ok,x\n5,ok,y\n3,bad,z\n")
      .write("new.csv", "state,a\nbad,2\n")
      .write("other.csv", "a,more,truth\n2,7,bad\n");
  const DataRecipe data = tables.data("  columns: {ignore: [note]}\n", ", label: state");
  const Dataset set = load_table_data(data);
  CHECK(set.train.width == 1);
  CHECK(set.train.class_names == Names{"ok", "bad"});  // of two the rarer is 1
  CHECK(tables.read("new.csv", data, {.label = "state"}).has_labels());
  CHECK(refused([&] { tables.read("other.csv", data); }, "other.csv:1:1: error: the column 'more' is new"));
  CHECK(tables.read("other.csv", data, {.label = "truth", .ignored = {"more"}}).has_labels());
}

TEST_CASE("a label by name has one number in all parts of the data, and in other tables") {
  const Tables tables;
  std::string text = "a,state\n";
  for (int row = 0; row < 40; ++row)
    text += std::to_string(row * 7 % 41) + (row < 38 ? ",fine\n" : ",worn\n");
  tables.write("train.csv", text + "40,burnt\n").write("new.csv", "a,state\n1,worn\n2,worn\n3,fine\n");
  const std::string keys =
      "  test: {table: '" + tables.path("new.csv") + "', label: state}\n  split: {validation: 0.2}\n";
  const Dataset three = load_table_data(tables.data(keys, ", label: state"));
  const Names names = {"burnt", "fine", "worn"};
  CHECK(three.train.class_names == names);
  CHECK(three.validation.class_names == names);
  CHECK(three.test.class_names == names);
  CHECK(three.test.labels == std::vector<std::int32_t>{2, 2, 1});
  tables.write("train.csv", text);
  const SharedDefinition model = tables.model(keys, ", label: state");
  const Dataset two = load_table_data(*model->data);
  CHECK(two.test.labels == std::vector<std::int32_t>{1, 1, 0});  // though fine is the rarer one here
  const SharedDefinition named = with_class_names(model, two);
  CHECK(named->data->classes == Names{"fine", "worn"});
  CHECK(tables.read("new.csv", *named->data, {.label = "state"}).labels ==
        std::vector<std::int32_t>{1, 1, 0});
  tables.write("other.csv", "a,truth\n1,no\n2,yes\n3,yes\n");
  CHECK(tables.read("other.csv", *named->data, {.label = "truth"}).class_names == Names{"yes", "no"});
  tables.write("more.csv", "a,state\n1,lost\n2,fine\n");
  CHECK(tables.read("more.csv", *named->data, {.label = "state"}).class_names ==
        Names{"fine", "worn", "lost"});
}

TEST_CASE("fitted columns are written into the model, and read back to the same bits") {
  const Tables tables;
  tables.write("train.csv", "a,b: c,q\n0.1,'x',1\n0.7,\"y, [z]\",2\n1e-9,'x',7\n");
  const SharedDefinition model = tables.model("  columns: {numbers: {quantile: [q]}}\n  missing: mean\n");
  tables.write("train.csv", "gone\n1\n");
  const SharedDefinition again = parse_definition(model->resolved, "again");
  const std::vector<FittedColumn>& before = model->data->table->fitted;
  const std::vector<FittedColumn>& after = again->data->table->fitted;
  REQUIRE(before.size() == after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(before[i].name == after[i].name);
    CHECK(before[i].values == after[i].values);
    CHECK(before[i].centre == after[i].centre);
    CHECK(before[i].spread == after[i].spread);
    CHECK(before[i].landmarks == after[i].landmarks);
    CHECK(before[i].fill == after[i].fill);
  }
  CHECK(again->resolved == model->resolved);
}

TEST_CASE("columns that say nothing are left out unless they are asked for") {
  const Tables tables;
  std::string text = ",when,name,a\n";
  for (int row = 0; row < 20; ++row)
    text += fmt::format("{},2020-01-{:02},name {},{}\n", row, row + 1, row, row * row % 5);
  tables.write("train.csv", text);
  CHECK(described(tables.data().table->fitted) == "(no name), when, name: ignored; a: a number, standardise");
  CHECK(column(tables.data("  columns: {categories: [name]}\n"), "name").values.size() == 20);
}

TEST_CASE("columns may be inputs of their own, weights, and several targets") {
  const Tables tables;
  tables.write("train.csv", "t,month,size,price,often\n1,may,7,10,1\n3,june,8,20,1\n5,may,9,30,2\n")
      .write("new.csv", "size,month,t\n8,june,3\n")
      .write("july.csv", "size,month,t\n8,july,3\n")
      .write("none.csv", "size,month,t\n8,,3\n");
  const SharedDefinition model = parse_definition(
      "graphrun: 1\nname: m\ndata:\n  train: {table: '" + tables.path("train.csv") +
          "'}\n  columns: {numbers: {as_is: [t]}, target: [size, price], weight: often}\n"
          "inputs:\n  x: {from: cells}\n  month: {from: column}\n  y: {from: target}\n"
          "  price: {from: column}\n"
          "nodes: {guess: {op: dense, in: x, units: 2}}\noutputs: {target: guess}\n"
          "loss: {r: \"sum((guess - y) ** 2, axis=1) + price + sum(one_hot(month, depth=2), axis=1)\"}\n",
      "m.yaml");
  const DataRecipe& data = *model->data;
  CHECK(described(data.table->fitted) ==
        "t: a number, as_is; month: an input, a category of 2; size, price: the target, a number, as_is; "
        "often: the "
        "weight");
  CHECK(to_string(model->graph.node(*model->graph.find("month")).type) == "i32[batch]");
  CHECK(to_string(model->graph.node(*model->graph.find("y")).type) == "f32[batch, 2]");
  const auto set = std::make_shared<const ImageSet>(load_table_data(data).train);
  CHECK(set->width == 1);
  CHECK(set->targets == Values{7, 10, 8, 20, 9, 30});
  CHECK(set->weights == Values{0.75F, 0.75F, 1.5F});
  CHECK(set->columns.at("month").numbers == std::vector<std::int32_t>{1, 0, 1});
  const Examples examples = bind_images(*model, set);
  CHECK(examples.columns.at("y").row_elements == 2);
  CHECK(examples.columns.at("month").kind == ColumnKind::i32_labels);
  CHECK(examples.columns.contains(weights_input));
  const ImageSet rows = tables.read("new.csv", data);
  CHECK(rows.columns.at("month").numbers == std::vector<std::int32_t>{0});
  CHECK(rows.targets.empty());
  CHECK(rows.weights.empty());
  CHECK(refused([&] { tables.read("july.csv", data); },
                "july.csv:2:3: error: column 'month': 'july' is none of the values that were learnt"));
  CHECK(refused([&] { tables.read("none.csv", data); },
                "none.csv:2:3: error: the cell of 'month' is missing, which an input takes by itself"));
  const SharedDefinition again = parse_definition(model->resolved, "again");
  CHECK(described(again->data->table->fitted) == described(data.table->fitted));
  tables.write("train.csv", "t,month,size,price,often\n1,may,7,10,-1\n3,june,8,20,1\n");
  CHECK(refused([&] { load_table_data(data); }, "train.csv:2:12: error: the weight '-1' is below 0"));
}

TEST_CASE("the next value of a series is learnt from those before it") {
  const Tables tables;
  tables.write("train.csv", "a\n1\n2\n3\n4\n5\n");
  const SharedDefinition model = parse_definition(
      "graphrun: 1\nname: m\ndata:\n  train: {table: '" + tables.path("train.csv") +
          "'}\n  columns: {numbers: {as_is: [a]}, target: a}\n  windows: {size: 2, ahead: 1}\n"
          "inputs: {x: {from: cells}, y: {from: target}}\n"
          "nodes: {guess: \"sum(x, axis=[1, 2])\"}\noutputs: {target: guess}\n"
          "loss: {r: (guess - y) ** 2}\n",
      "m.yaml");
  CHECK(to_string(model->graph.node(*model->graph.find("x")).type) == "f32[batch, 2, 1]");
  const ImageSet set = load_table_data(*model->data).train;
  CHECK(set.count == 3);
  CHECK(set.values == Values{1, 2, 2, 3, 3, 4});
  CHECK(set.targets == Values{3, 4, 5});
}
