// What is wrong with tables is told where it is, by its true cause.
#include <string>
#include <vector>

#include "tests/train/datasets/tables.hpp"
#include "train/datasets/load_table.hpp"
#include "train/datasets/tables/table_text.hpp"

using namespace graphrun;
using namespace graphrun::train;
using namespace graphrun::testing;

namespace {

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("what is wrong with a table is said at its cell or name") {
  const Tables tables;
  tables.write("train.csv", four_rows);
  const DataRecipe data = tables.data();
  const auto new_table = [&](const std::string& text) {
    return [&tables, &data, text] { tables.write("new.csv", text).read("new.csv", data); };
  };
  CHECK(refused(new_table("t,kind\n1,c\n"),
                "new.csv:2:3: error: column 'kind': the model has learnt nothing of 'c'"));
  CHECK(refused(new_table("t,kind\n1,a\nhot,a\n"), "new.csv:3:1: error: column 't': 'hot' is no number"));
  CHECK(refused(new_table("t,kind\n\"1,234\",a\n"), "'1,234' is no number: write it without the comma"));
  CHECK(refused(new_table("t,kind\n1 234,a\n"), "'1 234' is no number: write it without the marks"));
  CHECK(refused(new_table("t,kind\n12 %,a\n"), "'12 %' is no number: write the number alone"));
  CHECK(refused(new_table("t,kind\n2020-01-31,a\n"), "'2020-01-31' is a date, and no number"));
  CHECK(refused(new_table("t,kind\n1e39,a\n"), "'1e39' is beyond what f32 holds"));
  CHECK(refused(new_table("t,Kind\n1,a\n"),
                "new.csv:1:1: error: there is no column 'kind', which the model learnt from"));
  CHECK(refused(new_table("t,kind,flow\n1,a,2\n"),
                "the column 'flow' is new: the model has not learnt from it"));
  CHECK(refused(new_table("t,kind,t\n1,a,2\n"), "new.csv:1:8: error: two columns are called 't'"));
  CHECK(refused(new_table("t,kind\n"), "holds no rows, only the names of columns"));
  CHECK(refused(new_table("t,kind\n1,a,2\n"), "new.csv:2:1: error: this line has 3 fields, the first has 2"));
  CHECK(refused(new_table("t,kind\n1,caf\xe9\n"), "new.csv:2:6: error: the byte 0xe9 is not UTF-8"));
  CHECK(refused(new_table(std::string("t,kind\n1,\0a\n", 12)), "holds a byte 0"));
  CHECK(refused(new_table("PAR1abc"), "is a Parquet file"));
  CHECK(refused([&] { tables.data("  columns: {ignore: [kin]}\n"); },
                "m.yaml:5:22: error: train.csv has no column 'kin'. Did you mean 'kind'?"));
  CHECK(refused([&] { tables.data("  columns: {numbers: {log: [kind]}}\n"); },
                "train.csv:2:3: error: 'a' is no number, and `numbers:` lists 'kind'"));
}

TEST_CASE("a table of which nothing can be learnt is told why") {
  const Tables tables;
  std::string text = "a:b\n";
  for (int row = 0; row < 12; ++row) text += std::to_string(row) + ":1\n";
  tables.write("train.csv", text);
  CHECK(refused([&] { tables.data(); },
                "has one column, 'a:b', of texts that say nothing: are its cells parted by commas"));
  tables.write("train.csv", "a\n1\n1e300\n3\n");
  CHECK(
      refused([&] { tables.data(); }, "train.csv:3:1: error: column 'a': '1e300' is beyond what f32 holds"));
}

TEST_CASE("a few texts among numbers are a mistake, many are a category") {
  const Tables tables;
  std::string text = "a,g\n";
  for (int row = 0; row < 30; ++row) text += std::to_string(row * 3 % 7) + (row % 2 == 0 ? ",4\n" : ",4G\n");
  tables.write("train.csv", text + "broken,4\n");
  CHECK(refused([&] { tables.data(); },
                "train.csv:32:1: error: 'broken' is no number, as the other cells of 'a' are"));
  tables.write("train.csv", text);
  CHECK(column(tables.data(), "g").values == Names{"4", "4G"});
}

TEST_CASE("numbers as people write them are no category by chance") {
  const Tables tables;
  tables.write("train.csv", "share,a\n12 %,1\n7,2\n9.5 %,3\n");
  CHECK(refused(
      [&] { tables.data(); },
      "train.csv:2:1: error: '12 %' is no number, though it looks like one: write it without the sign "
      "beside it; or list 'share' under `categories:`"));
  CHECK(column(tables.data("  columns: {categories: [share]}\n"), "share").values.size() == 3);
  tables.write("train.csv", "paid,a\n1'200,1\n900,2\n2'000,3\n");
  CHECK(refused([&] { tables.data(); },
                "'1'200' is no number, though it looks like one: write it without the marks"));
  std::string weights = "weight,volt,a\n";
  for (int row = 0; row < 12; ++row)
    weights +=
        std::to_string(row) + ".5 kg," + (row % 2 == 0 ? "12V," : "24V,") + std::to_string(row % 5) + "\n";
  tables.write("train.csv", weights);
  CHECK(refused(
      [&] { tables.data(); },
      "train.csv:2:1: error: '0.5 kg' is a number with 'kg' behind it, as the others of 'weight' are"));
  CHECK(column(tables.data("  columns: {ignore: [weight]}\n"), "volt").values == Names{"12V", "24V"});
  tables.write("train.csv", "kind,a\n5 %,1\nrest,2\n5 %,3\n");
  CHECK(column(tables.data(), "kind").values == Names{"5 %", "rest"});
}

TEST_CASE("a first line that may be a header is said to be a row") {
  const auto note = [](const std::string& text) { return TableText(text, "a.csv").note(); };
  CHECK(note("country,2019,2020\na,1,2\n")
            .starts_with("the first line is taken for a row, since '2019' is a number"));
  CHECK(throws([&] { note("a,,b\n1,2,x\n"); }, ErrorCode::data, "a.csv:1:3: error: a column without a name"));
  CHECK(note("1,,b\n1,2,x\n").starts_with("the first line is taken for a row, since '1' is a number"));
  CHECK(note("1,2,3\n4,5,6\n").empty());
  CHECK(note("a,b\n1,2\n").empty());
}

TEST_CASE("a column that is a label, a target or a weight is nothing else too") {
  const Tables tables;
  tables.write("train.csv", four_rows);
  const auto both = [&](const std::string& keys, const std::string& part) {
    return refused([&] { tables.model("  columns: " + keys + "\n", ", label: kind"); }, part);
  };
  const std::string start = "'kind' is both the label, which the model never sees, and ";
  CHECK(both("{categories: [kind]}", start + "a category that it is given"));
  CHECK(both("{numbers: {as_is: [kind]}}", start + "a number that it is given"));
  CHECK(both("{weight: kind}", start + "the weight of a row"));
  CHECK(both("{target: kind}", start + "the target, which it learns"));
  CHECK(both("{target: t, ignore: [t]}", "'t' is the target, and listed under `ignore:` too"));
  CHECK(both("{target: t, weight: t}", "'t' is the target, and the weight too"));
}

TEST_CASE("what is no number is told by its true cause") {
  const Tables tables;
  const auto wrong = [&](const std::string& text, const std::string& keys, const std::string& part) {
    tables.write("train.csv", text);
    return refused([&] { tables.model(keys); }, part);
  };
  CHECK(wrong("a;b\n2.345,5;1\n1,5;2\n", "",
              "train.csv:2:1: error: '2.345,5' is a number with points between"));
  CHECK(
      wrong("a,b\n1,1\n-inf,2\n", "", "train.csv:3:1: error: '-inf' is infinite, and finite numbers alone"));
  CHECK(wrong("a,b\n1,1\ninf,2\n", "  columns: {numbers: {log: [a]}}\n", "'inf' is no finite number, and"));
  CHECK(wrong("a,b\n1,1\n2,heavy\n", "  columns: {weight: b}\n",
              "train.csv:3:3: error: 'heavy' is no number, and 'b' is the weight of a row: mend it"));
  tables.write("train.csv", four_rows);
  CHECK(refused([&] { load_table_data(*tables.model("", ", label: kid")->data); },
                "has no column 'kid' of labels. Did you mean 'kind'?"));
  const DataRecipe data = tables.data();
  const auto asked = [&](const std::string& text, const std::string& part) {
    tables.write("asked.csv", text);
    return refused([&] { tables.read("asked.csv", data); }, part);
  };
  CHECK(asked("t;kind\n1.234,5;a\n", "is no number: write it without the points between its thousands"));
  CHECK(asked("t;kind\ninf;a\n", "'inf' is infinite; write NA where a value is missing"));
  CHECK(asked("1,a\n3,b\n", "asked.csv:1:1: error: the first line is a row, and no names of columns"));
}
