// Tables of several files, and tables that are arrays.
#include <array>
#include <limits>

#include "files/file.hpp"
#include "files/npy.hpp"
#include "files/npz.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/load_table.hpp"
#include "train/datasets/tables/table_text.hpp"
#include "train/learn/definition.hpp"

using namespace graphrun;
using namespace graphrun::train;
using namespace graphrun::testing;

namespace {

using Rows = std::vector<std::vector<std::string>>;
using Sizes = std::vector<std::size_t>;

class Folder {
 public:
  Folder() { std::filesystem::create_directory(path()); }
  const Folder& write(const std::string& name, const std::string& text) const {
    files::write_text_file(path() / name, text);
    return *this;
  }
  std::filesystem::path path() const { return folder_ / "days"; }

  SharedDefinition model(const std::string& keys) const {
    return parse_definition("graphrun: 1\nname: m\ndata:\n  train: {table: '" + path().string() + "'}\n" +
                                keys +
                                "inputs: {x: {from: cells}}\n"
                                "nodes: {one: {op: param, shape: [1], init: zeros}, row: x * one}\n"
                                "outputs: {row: row}\nloss: {r: {op: mse, in: [row, x]}}\n"
                                "train: {batch: 4, epochs: 1}\n",
                            "m.yaml");
  }

 private:
  TemporaryFolder folder_;
};

Rows rows_of(const TableText& table) {
  Rows rows;
  table.for_each_row([&](const files::CsvLines&, const files::CsvFields& fields) {
    rows.emplace_back(fields.begin(), fields.end());
  });
  return rows;
}

bool refused(const Folder& folder, const std::string& part) {
  return throws([&] { rows_of(TableText(folder.path())); }, ErrorCode::data, part);
}

}  // namespace

TEST_CASE("the tables in a folder are one, by the names of their columns") {
  const Folder folder;
  folder.write("b.csv", "b;a\n4,5;x\n")
      .write("a.csv", "a,b\ny,1\nz,2\n")
      .write("notes.txt", "none")
      .write(".c.csv", "hidden");
  const TableText table(folder.path());
  CHECK(table.names() == std::vector<std::string>{"a", "b"});
  for (int again = 0; again < 2; ++again) CHECK(rows_of(table) == Rows{{"y", "1"}, {"z", "2"}, {"x", "4,5"}});
  CHECK(table.first_rows() == Sizes{0, 2});
  // Numbers are those of their file, whatever stands for the point.
  const SharedDefinition model = folder.model("  columns: {numbers: {as_is: [b]}, ignore: [a]}\n");
  CHECK(load_table_data(*model->data).train.values == Stored<float>{1, 2, 4.5F});
}

TEST_CASE("files of a table that do not fit each other are told by file and line") {
  const Folder folder;
  folder.write("a.csv", "a,b\n1,2\n").write("b.csv", "a,c\n1,2\n");
  CHECK(refused(folder, "b.csv:1:1: error: there is a column 'c', which a.csv has not"));
  folder.write("b.csv", "a\n1\n");
  CHECK(refused(folder, "b.csv:1:1: error: there is no column 'b', which a.csv has"));
  folder.write("b.csv", "b,a\n1,2\n3\n");
  CHECK(refused(folder, "b.csv:3:"));
  folder.write("a.csv", "9,x\n1,y\n").write("b.csv", "5,6\n7,8\n");
  CHECK(TableText(folder.path()).note().starts_with("a.csv: the first line is taken for a row, since '9'"));
  folder.write("a.csv", "a,b\n1,2\n");
  folder.write("b.csv", "a,b\n");
  CHECK(refused(folder, "b.csv: error: holds no rows"));
  const Folder none;
  none.write("a.txt", "1");
  CHECK(refused(none, "is a folder without tables: files that end in .csv or .tsv"));
  const TableText table(folder.write("b.csv", "a,b\n3,4\n").path());
  folder.write("b.csv", "a,b\n3,4\n5,6\n");
  CHECK(throws([&] { rows_of(table); }, ErrorCode::data, "b.csv: error: has changed while it was read"));
}

TEST_CASE("no window reaches from one file of a table into the next") {
  const Folder folder;
  folder.write("a.csv", "t,v\n1,1\n2,2\n3,3\n").write("b.csv", "t,v\n4,4\n5,5\n6,6\n");
  const auto rows = [&](const std::string& keys) {
    return load_table_data(*folder.model(keys + "  columns: {numbers: {as_is: [v]}, ignore: [t]}\n")->data)
        .train.window_rows;
  };
  const std::vector<std::uint32_t> apart = {0, 1, 1, 2, 3, 4, 4, 5};
  CHECK(rows("  windows: {size: 2}\n") == apart);
  CHECK(rows("  windows: {size: 2, time: t}\n") == apart);
  folder.write("a.csv", "t,v\n1,1\n2,2\n").write("b.csv", "t,v\n1,4\n2,5\n");
  CHECK(rows("  windows: {size: 2, time: t}\n") == std::vector<std::uint32_t>{0, 1, 2, 3});
}

TEST_CASE("an array of NumPy's is a table of numbers") {
  const TemporaryFolder folder;
  const float missing = std::numeric_limits<float>::quiet_NaN();
  const std::array<float, 4> values = {0, 1, missing, 0.1F};
  files::write_npy(folder / "a.npy", files::StoredType::f32, Sizes{2, 2}, std::as_bytes(std::span(values)));
  const TableText table(folder / "a.npy");
  CHECK(table.names() == std::vector<std::string>{"0", "1"});
  CHECK(table.note().empty());
  CHECK(rows_of(table) == Rows{{"0", "1"}, {"nan", "0.1"}});
  // What looks like names of columns is a row here.
  const std::array<std::uint8_t, 6> bytes = {0, 1, 2, 200, 4, 5};
  files::write_npy(folder / "b.npy", files::StoredType::u8, Sizes{2, 3}, std::as_bytes(std::span(bytes)));
  CHECK(rows_of(TableText(folder / "b.npy")) == Rows{{"0", "1", "2"}, {"200", "4", "5"}});
  const std::array<std::int64_t, 2> series = {-7, 1'000'000'000'001};
  const std::vector<files::TensorView> arrays = {
      {"s", files::StoredType::i64, {2}, std::as_bytes(std::span(series))}};
  files::write_npz(folder / "c.npz", arrays);
  CHECK(rows_of(TableText(folder / "c.npz/s")) == Rows{{"-7"}, {"1000000000001"}});
  files::write_npy(folder / "d.npy", files::StoredType::u8, Sizes{1, 2, 3}, std::as_bytes(std::span(bytes)));
  CHECK(throws([&] { TableText(folder / "d.npy"); }, ErrorCode::data,
               "holds an array [1, 2, 3]; a table has rows of numbers"));
}

TEST_CASE("the end of each file is kept where that is long enough for a window") {
  const Folder folder;
  std::string rows = "v\n";
  for (int row = 0; row < 40; ++row) rows += std::to_string(row) + ".5\n";
  folder.write("a.csv", rows).write("b.csv", rows);
  const auto kept = [&](const std::string& size) {
    return load_table_data(
               *folder.model("  split: {validation: 0.2}\n  windows: {size: " + size + "}\n")->data)
        .validation.window_rows;
  };
  const std::vector<std::uint32_t> of_both = kept("7");
  CHECK(std::vector<std::uint32_t>(of_both.begin(), of_both.begin() + 7) ==
        std::vector<std::uint32_t>{32, 33, 34, 35, 36, 37, 38});
  CHECK(of_both.back() == 79);
  const std::vector<std::uint32_t> of_last = kept("8");  // 16 rows of the second file
  CHECK(of_last.front() == 64);
  CHECK(of_last.back() == 79);
}
