// Series: the order of their rows, gaps, and the windows that are cut from them.
#include "files/file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/load_table.hpp"
#include "train/datasets/row_windows.hpp"
#include "train/datasets/tables/time_text.hpp"
#include "train/learn/definition.hpp"

using namespace graphrun;
using namespace graphrun::train;
using namespace graphrun::testing;

namespace {

using Starts = std::vector<std::size_t>;
using Order = std::vector<std::uint32_t>;
using Names = std::vector<std::string>;

Starts starts_in(const Names& groups, const Names& texts, std::size_t rows, std::size_t size,
                 std::size_t stride) {
  std::vector<double> times;
  for (const std::string& text : texts) times.push_back(time_in(text).value());
  return window_starts(series_of({groups, times}, rows, {}), size, stride);
}

}  // namespace

TEST_CASE("windows follow each other, and the last one ends with the series") {
  CHECK(starts_in({}, {}, 10, 4, 3) == Starts{0, 3, 6});
  CHECK(starts_in({}, {}, 11, 4, 3) == Starts{0, 3, 6, 7});
  CHECK(starts_in({}, {}, 4, 4, 3) == Starts{0});
  CHECK(starts_in({}, {}, 3, 4, 1).empty());
}

TEST_CASE("no window holds rows of two series, though these stand between each other") {
  const Series series = series_of({{"a", "b", "a", "b", "a"}, {}}, 5, {});
  CHECK(series.order == Order{0, 2, 4, 1, 3});
  CHECK(window_starts(series, 2, 1) == Starts{0, 1, 3});
}

TEST_CASE("rows are put in the order of their time, and none reaches over a gap") {
  CHECK(series_of({{}, {3, 1, 10, 2}}, 4, {}).order == Order{1, 3, 0, 2});
  CHECK(series_of({{}, {1, 2, 2, 3}}, 4, {}).equal_times == 1);
  CHECK(series_of({{"a", "b", "a", "b"}, {1, 1, 2, 2}}, 4, {}).equal_times == 0);
  CHECK(starts_in({}, {"1", "2", "3", "7", "8", "9"}, 6, 2, 1) == Starts{0, 1, 3, 4});
  const Names days = {"2026-02-27", "2026-02-28", "2026-03-01", "2026-03-05", "2026-03-06"};
  CHECK(starts_in({}, days, 5, 2, 1) == Starts{0, 1, 3});
  const Names minutes = {"2026-01-01 23:58", "2026-01-01 23:59", "2026-01-02 00:00", "2026-01-02 00:10"};
  CHECK(starts_in({}, minutes, 4, 2, 1) == Starts{0, 1});
}

TEST_CASE("a time is a number, or a date that everybody reads in the same way") {
  CHECK(time_in("-12.5") == -12.5);
  CHECK(time_in("12,5") == 12.5);
  CHECK(time_in("2026-02").value() - time_in("2026-01").value() == 31 * 86400);
  CHECK(time_in("2026/03/01").value() - time_in("2026.02.28").value() == 86400);
  CHECK(time_in("2026-01-31T12:00:05.5Z").value() - time_in("2026-01-31").value() == 43205.5);
  CHECK(time_in("2026-01-31 12:00+02:00") == time_in("2026-01-31 10:00"));
  CHECK(time_in("2026-01-31 12:00:00 -0330") == time_in("2026-01-31 15:30"));
  CHECK(time_in("2026-01-31 24:00") == time_in("2026-02-01"));
  CHECK(time_in("08:15:30.25") == 29730.25);
  for (const char* text :
       {"31.1.2026", "1/31/2026", "2026-13-01", "2026-01-32", "2026-01-31 01:00 PM", "step 3", "25:00", "",
        "2026-01-31 12:00+", "2026-01-31 x", "-", "Nan", "-inf", "2026"})
    CHECK(time_in(text).has_value() == (std::string_view(text) == "2026"));
}

TEST_CASE("no window holds rows of two parts") {
  const std::vector<std::uint8_t> parts = {0, 0, 0, 1, 1};
  CHECK(window_starts(series_of({}, 5, parts), 2, 1) == Starts{0, 1, 3});
}

TEST_CASE("windows hold the cells of their rows, and the highest of their labels") {
  ImageSet rows;
  rows.count = 3;
  rows.height = 1;
  rows.width = 2;
  rows.channels = 1;
  rows.values = {1, 2, 3, 4, 5, 6};
  rows.mask = {1, 1, 1, 0, 1, 1};
  rows.labels = {0, 0, 1};
  const Series series = series_of({}, 3, {});
  const ImageSet windows = windows_of(rows, series, window_starts(series, 2, 1), {2});
  CHECK(windows.count == 2);
  CHECK(windows.values == std::vector<float>{1, 2, 3, 4, 3, 4, 5, 6});
  CHECK(windows.mask == std::vector<float>{1, 1, 1, 0, 1, 0, 1, 1});
  CHECK(windows.labels == std::vector<std::int32_t>{0, 1});
  CHECK(windows.window_rows == Order{0, 1, 1, 2});
}

TEST_CASE("the targets of a window are those of its last row, or of one behind it") {
  ImageSet rows;
  rows.count = 4;
  rows.height = 1;
  rows.width = 1;
  rows.channels = 1;
  rows.values = {1, 2, 3, 4};
  rows.weights = {0, 1, 1, 2};
  rows.targets = {10, 20, 30, 40};
  rows.target_columns = {"t"};
  rows.columns["t"].values = {10, 20, 30, 40};
  rows.columns["month"].numbers = {5, 6, 7, 8};
  const Series series = series_of({}, 4, {});
  const ImageSet last = windows_of(rows, series, window_starts(series, 2, 1), {2});
  CHECK(last.targets == std::vector<float>{20, 30, 40});
  CHECK(last.weights == std::vector<float>{0.5F, 1, 1.5F});
  CHECK(last.columns.at("month").numbers == std::vector<std::int32_t>{5, 6, 6, 7, 7, 8});
  CHECK(last.columns.at("month").shape == std::vector<std::size_t>{2});
  const ImageSet next = windows_of(rows, series, window_starts(series, 3, 1), {2, 1});
  CHECK(next.count == 2);
  CHECK(next.values == std::vector<float>{1, 2, 2, 3});
  CHECK(next.targets == std::vector<float>{30, 40});
  CHECK(next.columns.at("t").values == std::vector<float>{30, 40});
}

TEST_CASE("a table of series is split by time, and every window of what is measured is") {
  const TemporaryFolder folder;
  std::string text = "t,a\n";
  for (int row = 0; row < 40; ++row) text += std::to_string(row) + "," + std::to_string(row % 7) + "\n";
  files::write_text_file(folder / "a.csv", text);
  const auto model_of = [&](const std::string& size) {
    return parse_definition("graphrun: 1\nname: m\ndata:\n  train: {table: '" + (folder / "a.csv").string() +
                                "'}\n  windows: {size: " + size +
                                ", stride: 3, time: t}\n  split: {validation: 0.25}\n"
                                "inputs: {x: {from: cells}}\nnodes: {y: x * 2}\noutputs: {row: y}\n",
                            "m.yaml");
  };
  const SharedDefinition model = model_of("4");
  CHECK(to_string(model->graph.node(*model->graph.find("x")).type) == "f32[batch, 4, 1]");
  const Dataset data = load_table_data(*model->data);
  CHECK(data.train.count == 10);      // 30 rows: 0, 3, …, 24, and the last one, 26
  CHECK(data.validation.count == 7);  // 10 rows
  CHECK(data.validation.window_rows.front() == 30);
  CHECK(data.notes.empty());
  const Dataset wide = load_table_data(*model_of("11")->data);
  CHECK(wide.validation.count == 0);
  CHECK(contains(wide.notes.front(),
                 "there are no validation data: of the rows that `split:` keeps, no 11 stand"));
  CHECK(throws([&] { load_table_data(*model_of("35")->data); }, ErrorCode::data,
               "has no 35 rows of one series behind each other"));
  files::write_text_file(folder / "a.csv", text + "39,1\n");
  REQUIRE(load_table_data(*model->data).notes.size() == 1);
  CHECK(contains(
      load_table_data(*model->data).notes.front(),
      "1 of the rows have the time of another: if the table holds several series, say by which column"));
  files::write_text_file(folder / "a.csv", text + "01.02.2026,1\n");
  CHECK(throws([&] { load_table_data(*model->data); }, ErrorCode::data,
               "a.csv:42:1: error: '01.02.2026' is no time by which 't' could put rows in order"));
  files::write_text_file(folder / "a.csv", text + ",1\n");
  CHECK(throws([&] { load_table_data(*model->data); }, ErrorCode::data,
               "a.csv:42:1: error: the cell of 't' is missing, by which rows are put in order"));
}
