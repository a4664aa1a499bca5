#include <cmath>
#include <cstring>
#include <limits>
#include <locale>

#include "files/csv.hpp"
#include "files/file.hpp"
#include "files/number_text.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::files;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::throws;

namespace {

CsvTable read(const std::string& text) {
  const TemporaryFolder folder;
  write_text_file(folder / "a.csv", text);
  return read_csv(folder / "a.csv");
}

bool refused(const std::string& text, const std::string& part) {
  return throws([&] { read(text); }, ErrorCode::data, part);
}

/// A comma as the decimal mark, as in half of the world.
struct CommaMark : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

}  // namespace

TEST_CASE("CSV: tables as other programs write them") {
  using Names = std::vector<std::string>;
  using Values = std::vector<float>;
  const auto is = [](const std::string& text, const Names& names, const Values& values) {
    const CsvTable table = read(text);
    INFO(text);
    CHECK(table.names == names);
    CHECK(table.values == values);
    return table.note.empty();
  };
  CHECK(is("a;b\n1;2.5\n", {"a", "b"}, {1, 2.5F}));
  CHECK(is("a;b\n1,5;-2,25\n", {"a", "b"}, {1.5F, -2.25F}));
  CHECK(is("1,5;-2,25\n3;4\n", {}, {1.5F, -2.25F, 3, 4}));
  CHECK(is("a\tb\n1\t2\n", {"a", "b"}, {1, 2}));
  CHECK(is("sep=;\r\na;b\r\n1,5;2\r\n", {"a", "b"}, {1.5F, 2}));
  CHECK(is("\"a;b\",c\n1,2\n", {"a;b", "c"}, {1, 2}));
  CHECK(is("a,b,\n1,2,\n3,4,\n", {"a", "b"}, {1, 2, 3, 4}));
  CHECK(is("a,b\r1,2\r3,4\r", {"a", "b"}, {1, 2, 3, 4}));
  CHECK(is(",a,b\n0,5,6\n1,7,8\n", {"a", "b"}, {5, 6, 7, 8}));
  CHECK(is("\"\",\"a\"\n\"7\",5\n\"8\",6\n", {"a"}, {5, 6}));
  CHECK(is("a,b\nTrue,0.5\nFALSE,1\n", {"a", "b"}, {1, 0.5F, 0, 1}));
  CHECK(is("0,1\n1,1\n", {}, {0, 1, 1, 1}));
  CHECK(!is("0,1,2\n5,6,7\n", {"0", "1", "2"}, {5, 6, 7}));
  CHECK(is(",0,1,2\n0,5,6,7\n", {"0", "1", "2"}, {5, 6, 7}));
}

TEST_CASE("CSV: the true cause of what cannot be read") {
  CHECK(refused("a,b\n\"1,234\",2\n",
                "a.csv:2:2: error: '1,234' is no finite number; write it without the comma"));
  CHECK(
      refused("a,b\n1'234,2\n", "a.csv:2:1: error: '1'234' is no finite number; write it without the marks"));
  CHECK(refused("a,b\n12 %,2\n", "'12 %' is no finite number; write the number alone"));
  CHECK(
      refused("# made today\na,b\n1,2\n",
              "a.csv:2:1: error: this line has 2 fields, the first has 1; a line that begins with # is a row "
              "like others: take the first away"));
  CHECK(refused("a,b\n1,2\n# end\n",
                "a.csv:3:1: error: this line has 1 field, the first has 2; a line that "
                "begins with # is a row like others: take it away"));
  CHECK(refused("a,b\n1,2\r3,4\n", "a.csv:2:4: error: a carriage return stands alone here"));
  CHECK(refused(std::string("a\0,\0b\0\n\0", 8), "is text of 16 bits a character (UTF-16)"));
  CHECK(refused("<!DOCTYPE html><html>404</html>\n", "is a web page, not a table; did a download go wrong?"));
  CHECK(refused("[{\"a\":1}]\n", "is JSON, not CSV"));
  CHECK(refused("version https://git-lfs.github.com/spec/v1\noid 1\n", "that Git LFS keeps elsewhere"));
  CHECK(refused("BZh91AY&SY", "is packed by bzip2"));
  CHECK(
      refused("\xfd"
              "7zXZ",
              "is packed by xz"));
  CHECK(refused("when,a\n2020-01-31,1\n", "'2020-01-31' is no finite number; it looks like a date"));
  CHECK(refused("when,a\n1/31/20 12:00,1\n", "it looks like a date"));
  CHECK(refused(",a\n0,5\n7,6\n", "a.csv:3:1: error: the first column has no name, and does not number"));
  CHECK(refused("a,b,\n1,2,3\n", "this line has 3 fields, the first has 2 and a separator behind them"));
  CHECK(
      refused("\xff\xfe"
              "a",
              "is text of 16 bits a character (UTF-16); save it as UTF-8"));
}

TEST_CASE("CSV: what is written is read, bit for bit, whatever the locale") {
  const std::locale old = std::locale::global(std::locale(std::locale::classic(), new CommaMark));
  const TemporaryFolder folder;
  const std::vector<float> values{0.1F,          -0.0F,   std::numeric_limits<float>::denorm_min(),
                                  3.4028235e38F, 1234567, 1e-7F};
  const std::vector<std::string> names{"z0", "z1", "z2"};
  write_csv(folder / "a.csv", names, 3, values);
  const CsvTable table = read_csv(folder / "a.csv");
  std::locale::global(old);
  CHECK(read_text_file(folder / "a.csv", 1000) == "z0,z1,z2\n0.1,-0,1e-45\n3.4028235e+38,1234567,1e-07\n");
  CHECK(table.names == names);
  CHECK(table.rows == 2);
  CHECK(table.columns == 3);
  REQUIRE(table.values.size() == values.size());
  CHECK(std::memcmp(table.values.data(), values.data(), values.size() * sizeof(float)) == 0);
}

TEST_CASE("CSV: text is quoted where it must be, and stays on its line") {
  const std::vector<std::string> fields{"a b", "1,5", "say \"yes\"", "two\nlines", ""};
  CHECK(csv_line(fields) == "a b,\"1,5\",\"say \"\"yes\"\"\",\"two lines\",\n");
  CHECK(csv_line({}).empty());
}

TEST_CASE("CSV: with or without header, final line end, CRLF, byte order mark, spaces") {
  for (const char* text : {"1,2\n3,4", "1,2\n3,4\n\n", "1,2\r\n3,4\r\n",
                           "\xef\xbb\xbf"
                           "1,2\n3,4",
                           " 1 ,\t+2\n3,4.0e0"}) {
    const CsvTable table = read(text);
    CHECK(table.names.empty());
    CHECK(table.values == std::vector<float>{1, 2, 3, 4});
  }
  CHECK(read("a,b c\n1,2").names == std::vector<std::string>{"a", "b c"});
  CHECK(read("7").columns == 1);
}

TEST_CASE("CSV: blank lines are no rows, wherever they stand, but for cells of a single column") {
  for (const char* text : {"\n\na,b\n\n1,2\n \t\n\r\n3,4\n\n", "\r\ra,b\r1,2\r\r3,4\r\r"}) {
    const CsvTable table = read(text);
    CHECK(table.names == std::vector<std::string>{"a", "b"});
    CHECK(table.values == std::vector<float>{1, 2, 3, 4});
  }
  CHECK(read("a\tb\n1\t2\n\n3\t4\n").rows == 2);
  CHECK(refused("a\tb\n\t\n", "a.csv:2:1: error: '' is no finite number"));
  CHECK(refused("a\n1\n\n3\n", "a.csv:3:1: error: '' is no finite number"));
  CHECK(read("a\n1\n3\n\n\n").rows == 2);
}

TEST_CASE("CSV: mistakes are told with line and column") {
  CHECK(refused("", "holds no rows"));
  CHECK(refused("a,b\n", "holds no rows"));
  CHECK(refused("1,2\n3\n", "a.csv:2:1: error: this line has 1 field, the first has 2"));
  CHECK(refused("1,2\n\n3\n", "a.csv:3:1: error: this line has 1 field, the first has 2"));
  CHECK(refused("1,2\n3, x4\n", "a.csv:2:4: error: 'x4' is no finite number"));
  CHECK(refused("1,,2\n", "a.csv:1:3: error: '' is no finite number"));
  CHECK(refused("1,b\n", "a.csv:1:3: error: 'b' is no finite number"));
  CHECK(refused("1,\"2\n", "a.csv:1:3: error: a quote is not closed"));
  CHECK(refused("1,\"a\"\"b\"\n", "a.csv:1:3: error: 'a\"b' is no finite number"));
  CHECK(refused("1,2\"\n", "a.csv:1:4: error: a quote in the middle of a field"));
  CHECK(refused("1,\"2\"3\n", "a.csv:1:3: error: a quote in the middle of a field"));
  for (const char* number : {"nan", "inf", "-inf", "1e99", "0x10", "1.5f", "1 2", "1_000", "--1"}) {
    CHECK(refused(std::string("0\n") + number, "a.csv:2:1: error: '"));
  }
  CHECK(refused("x,y\n1,cat\n",
                "a.csv:2:3: error: 'cat' is no finite number; a column of labels is called `label`"));
  CHECK(refused("1,2\n3;4,5\n",
                "a.csv:2:1: error: '3;4' is no finite number; fields are separated by ',' here"));
  CHECK(refused("1,2\n1,\n",
                "a.csv:2:3: error: '' is no finite number; rows with missing values have to be left"));
  CHECK(refused("a,,b\n1,2,3\n", "a.csv:1:1: error: 'a' is no finite number; if this line is a header"));
  CHECK(refused("0\n" + std::string(50, '9') + "\n", "is no finite number; it is beyond what f32 holds"));
  CHECK(refused(std::string(100001, ','), "more than 100000 columns"));
}

TEST_CASE("CSV: numbers as people write them are known, codes are not taken for such") {
  for (const char* text : {"1'234", "-1 234.5",
                           "1\xc2\xa0"
                           "234",
                           "12\xe2\x80\x99"
                           "345\xe2\x80\x99"
                           "678,90",
                           "1_000"})
    CHECK(is_grouped_by_mark(text));
  for (const char* text : {"1234", "1'23", "1 2345", "12 34", "1234'567", "room 12", "", "1'234x", "'123"})
    CHECK(!is_grouped_by_mark(text));
  for (const char* text : {"12%", "12 %", "-0.5 %", "$1,234.50", "-$5", "3,50 \xe2\x82\xac",
                           "\xc2\xa3"
                           "7",
                           "1'234 %"})
    CHECK(has_sign_of_unit(text));
  for (const char* text : {"12", "%", "$", "12 kg", "a%", "100%ig", ""}) CHECK(!has_sign_of_unit(text));
}

TEST_CASE("CSV: quotes stand around whole fields, with commas in them") {
  const CsvTable table = read("\"a, b\",\"c\"\n\"1\", \"2.5\" \n");
  CHECK(table.names == std::vector<std::string>{"a, b", "c"});
  CHECK(table.values == std::vector<float>{1, 2.5F});
}

TEST_CASE("CSV: one column is read as text, by name or number") {
  const TemporaryFolder folder;
  const auto read_with = [&](const std::string& text, const TextColumn& column) {
    write_text_file(folder / "a.csv", text);
    return read_csv(folder / "a.csv", column);
  };
  const CsvTable named = read_with("x,kind,y\n1,cat,2\n3,dog,4\n", {"kind"});
  CHECK(named.names == std::vector<std::string>{"x", "y"});
  CHECK(named.columns == 2);
  CHECK(named.values == std::vector<float>{1, 2, 3, 4});
  CHECK(named.texts == std::vector<std::string>{"cat", "dog"});
  const CsvTable numbered = read_with("1,cat\n3,dog\n", {"1"});
  CHECK(numbered.values == std::vector<float>{1, 3});
  CHECK(numbered.texts == std::vector<std::string>{"cat", "dog"});
  CHECK(read_with("1,2\n", {"kind", false}).texts.empty());
  const auto wrong = [&](const std::string& text, const TextColumn& column, const std::string& part) {
    return throws([&] { read_with(text, column); }, ErrorCode::data, part);
  };
  CHECK(wrong("x,kind\n1,cat\n", {"kinds"}, "has no column 'kinds'. Did you mean 'kind'?"));
  CHECK(wrong("1,2\n", {"kind"},
              "has no header line with a column 'kind'; columns may also be given by number, 0 to 1"));
  CHECK(wrong("1,2\n", {"2"}, "has no header line with a column '2'"));
  CHECK(wrong("x,kind\n1,\n", {"kind"}, "a.csv:2:3: error: the column 'kind' is empty here"));
}

TEST_CASE("CSV: a column alone, with or without a header") {
  const TemporaryFolder folder;
  const auto column = [&](const std::string& text, const std::string& name = "") {
    write_text_file(folder / "a.csv", text);
    return read_csv_column(folder / "a.csv", name);
  };
  using Texts = std::vector<std::string>;
  CHECK(column("1\n2\n") == Texts{"1", "2"});
  CHECK(column("class\n1\n2\n") == Texts{"1", "2"});
  CHECK(column("label\ncat\ndog\n") == Texts{"cat", "dog"});
  CHECK(column("cat\ndog\n") == Texts{"cat", "dog"});
  CHECK(column("file,label\na.png,cat\nb.png,dog\n") == Texts{"cat", "dog"});
  CHECK(column("file,kind\na.png,cat\nb.png,dog\n", "kind") == Texts{"cat", "dog"});
  CHECK(column("a.png,cat\nb.png,dog\n", "1") == Texts{"cat", "dog"});
  const auto wrong = [&](const std::string& text, const std::string& part) {
    return throws([&] { column(text); }, ErrorCode::data, part);
  };
  CHECK(wrong("", "holds no labels"));
  CHECK(wrong("label\n", "holds no labels"));
  CHECK(wrong("a,b\n1,2\n", "has no column 'label'. There are: a, b."));
  CHECK(wrong("1,2\n", "has no header line with a column 'label'"));
  CHECK(wrong("label\n1\n\n2\n", "a.csv:3:1: error: a label is missing here"));
}

TEST_CASE("CSV: tables that cannot be written") {
  const TemporaryFolder folder;
  const std::vector<float> values(4);
  const std::vector<std::string> name{"a"};
  CHECK(throws([&] { write_csv(folder / "a", name, 2, values); }, ErrorCode::usage,
               "1 names and 4 values do not fit"));
  CHECK(throws([&] { write_csv(folder / "a", {}, 3, values); }, ErrorCode::usage, "a table of 3 columns"));
  CHECK(throws([&] { write_csv(folder / "a", {}, 0, {}); }, ErrorCode::usage, "a table of 0 columns"));
}
