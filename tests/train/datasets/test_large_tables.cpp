// Tables and arrays that are larger than the memory that is spent on them.
#include <cmath>
#include <fstream>
#include <limits>

#include "files/array_pieces.hpp"
#include "files/csv.hpp"
#include "files/npy.hpp"
#include "files/npz.hpp"
#include "files/scratch_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/large_array.hpp"
#include "train/datasets/stored.hpp"
#include "train/datasets/tables/number_columns.hpp"
#include "train/datasets/tables/table_text.hpp"

using namespace graphrun;
using namespace graphrun::train;
using namespace graphrun::testing;

namespace {

/// Rows with quotes, line ends in cells and blank lines between them, of some megabytes.
std::string long_text(std::size_t rows) {
  std::string text = "number,text\n";
  for (std::size_t row = 0; row < rows; ++row) {
    text += std::to_string(row) + ",\"one, \"\"two\"\"\n" + std::string(row % 97, 'x') + "\"\n";
    if (row % 5 == 0) text += "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a table is read piece by piece, and every row of it once") {
  const TemporaryFolder folder;
  constexpr std::size_t rows = 60'000;
  const std::string text = long_text(rows);
  REQUIRE(text.size() > (std::size_t{3} << 20));
  std::ofstream(folder / "a.csv") << text;
  const TableText from_file(folder / "a.csv");
  const TableText from_memory(text, folder / "a.csv");
  for (const TableText* table : {&from_file, &from_memory}) {
    for (int pass = 0; pass < 2; ++pass) {
      std::size_t row = 0;
      std::size_t wrong = 0;
      table->for_each_row([&](const files::CsvLines& lines, const files::CsvFields& fields) {
        const bool is_line = lines.number() == static_cast<int>(2 + 2 * row + (row + 4) / 5);
        if (!is_line || lines.real(fields[0]) != static_cast<double>(row) ||
            fields[1] != "one, \"two\"\n" + std::string(row % 97, 'x'))
          ++wrong;
        ++row;
      });
      CHECK(wrong == 0);
      CHECK(row == rows);
    }
  }
}

TEST_CASE("a table that changes while it is read is told") {
  const TemporaryFolder folder;
  std::ofstream(folder / "a.csv") << "a,b\n1,2\n";
  const TableText table(folder / "a.csv");
  std::ofstream(folder / "a.csv", std::ios::app) << "3,4\n";
  CHECK(throws([&] { table.for_each_row([](const files::CsvLines&, const files::CsvFields&) {}); },
               ErrorCode::data, "has changed while it was read"));
}

TEST_CASE("a line is named where it stands in a long file") {
  const TemporaryFolder folder;
  std::string text = long_text(60'000);
  const auto lines = std::count(text.begin(), text.end(), '\n');
  std::ofstream(folder / "a.csv") << text << "7,caf\xe9\n";
  const TableText table(folder / "a.csv");
  CHECK(throws([&] { table.for_each_row([](const files::CsvLines&, const files::CsvFields&) {}); },
               ErrorCode::data,
               "a.csv:" + std::to_string(lines + 1) + ":6: error: the byte 0xe9 is not UTF-8"));
}

TEST_CASE("a quote that is never closed does not take a file for one row") {
  const TemporaryFolder folder;
  std::ofstream(folder / "a.csv") << "a,b\n1,\"";
  std::filesystem::resize_file(folder / "a.csv", std::uintmax_t{300} << 20);  // zeros that take no disk
  const TableText table(folder / "a.csv");
  CHECK(throws([&] { table.for_each_row([](const files::CsvLines&, const files::CsvFields&) {}); },
               ErrorCode::data,
               "a.csv:2:1: error: a row that begins here is longer than 256 MiB: is a quote not closed?"));
}

TEST_CASE("numbers of columns are the same from memory and from a file") {
  for (const std::size_t most : {std::size_t{1} << 20, std::size_t{200}, std::size_t{0}}) {
    NumberColumns columns(3, most);
    std::vector<std::vector<double>> wanted(3);
    for (int row = 0; row < 1000; ++row) {
      for (std::size_t column = 0; column < 3; ++column) {
        if ((static_cast<std::size_t>(row) + column) % 4 == 0) continue;  // missing
        columns.add(column, row * 1.5 + static_cast<double>(column));
        wanted[column].push_back(row * 1.5 + static_cast<double>(column));
      }
      columns.end_row();
    }
    for (std::size_t column = 0; column < 3; ++column) CHECK(columns.column(column) == wanted[column]);
  }
}

TEST_CASE("elements beyond what memory is for are kept in a file, and are the same") {
  std::vector<float> all;
  StoredWriter<float> small;
  StoredWriter<float> large(64);
  for (int i = 0; i < 1000; ++i) {
    const std::vector<float> some = {static_cast<float>(i), static_cast<float>(-i)};
    all.insert(all.end(), some.begin(), some.end());
    small.append(some);
    large.append(some);
  }
  const Stored<float> in_memory = small.take();
  const Stored<float> in_file = large.take();
  CHECK(in_memory.file() == nullptr);
  REQUIRE(in_file.file() != nullptr);
  CHECK(in_memory == all);
  CHECK(in_file == all);
  in_file.file()->has_read(files::MappedFile::most_at_once);  // the pages go, what they hold does not
  CHECK(in_file == all);
  const Stored<float> copy = in_file;
  CHECK(copy.data() == in_file.data());
}

TEST_CASE("a large array is read piece by piece, into what a small one would be") {
  const TemporaryFolder folder;
  constexpr std::size_t rows = 900'000;  // some pieces
  std::vector<double> numbers;
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < rows * 2; ++i) {
    numbers.push_back(static_cast<double>(i) / 8);
    bytes.push_back(static_cast<std::uint8_t>(i * 7));
  }
  const std::vector<std::size_t> shape = {rows, 2};
  files::write_npy(folder / "f.npy", files::StoredType::f64, shape, std::as_bytes(std::span(numbers)));
  files::write_npy(folder / "b.npy", files::StoredType::u8, shape, std::as_bytes(std::span(bytes)));
  const auto read = [&](const std::string& name, std::optional<double> divide_by,
                        Stored<std::uint8_t>& pixels, Stored<float>& values) {
    files::ArrayPieces pieces = files::npy_pieces(folder / name);
    CHECK(pieces.layout().shape == shape);
    read_large(pieces, {.divide_by = divide_by, .most_bytes = std::size_t{1} << 20}, folder / name, pixels,
               values);
  };
  Stored<std::uint8_t> pixels;
  Stored<float> values;
  read("f.npy", 2.0, pixels, values);
  CHECK(pixels.empty());
  REQUIRE(values.size() == numbers.size());
  CHECK(values.file() != nullptr);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (values[i] != static_cast<float>(static_cast<double>(static_cast<float>(numbers[i])) / 2)) ++wrong;
  CHECK(wrong == 0);
  read("b.npy", {}, pixels, values);
  CHECK(pixels == Stored<std::uint8_t>(bytes));
  read("b.npy", 1.0, pixels, values);
  CHECK(values[5] == 35);
  numbers[1'000'001] = std::numeric_limits<double>::infinity();
  files::write_npy(folder / "f.npy", files::StoredType::f64, shape, std::as_bytes(std::span(numbers)));
  CHECK(throws([&] { read("f.npy", {}, pixels, values); }, ErrorCode::data, "holds inf in value 1000001"));
}

TEST_CASE("arrays in archives and IDX files are read piece by piece too, upright where that is asked for") {
  const TemporaryFolder folder;
  constexpr std::size_t rows = 300'000;  // some pieces
  const std::vector<std::size_t> shape = {rows, 3, 5};
  std::vector<std::uint8_t> bytes(rows * 15);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  const std::vector<files::TensorView> arrays = {
      {"other", files::StoredType::u8, {1}, std::as_bytes(std::span(bytes)).first(1)},
      {"x", files::StoredType::u8, shape, std::as_bytes(std::span(bytes))}};
  files::write_npz(folder / "a.npz", arrays);
  const files::Bytes idx = idx_bytes({rows, 3, 5}, bytes);
  files::write_file(folder / "a.idx", idx);
  files::Bytes packed;
  for (std::size_t at = 0; at < idx.size(); at += 60'000) {
    const files::Bytes member =
        gzip_bytes(std::span(idx).subspan(at, std::min<std::size_t>(60'000, idx.size() - at)));
    packed.insert(packed.end(), member.begin(), member.end());
  }
  files::write_file(folder / "a.gz", packed);
  std::vector<std::uint8_t> turned = bytes;
  exchange_axes(std::span(turned), {5, 3});
  CHECK(turned[1] == bytes[5]);
  const auto read = [&](files::ArrayPieces pieces, const std::vector<std::size_t>& upright) {
    CHECK(pieces.layout().shape == shape);
    Stored<std::uint8_t> pixels;
    Stored<float> values;
    read_large(pieces, {.upright = upright, .most_bytes = std::size_t{1} << 20}, folder / "a", pixels,
               values);
    CHECK(pixels.file() != nullptr);
    return pixels;
  };
  for (const std::string name : {"a.idx", "a.gz"}) {
    CHECK(read(files::idx_pieces(folder / name), {}) == Stored<std::uint8_t>(bytes));
    CHECK(read(files::idx_pieces(folder / name), {5, 3}) == Stored<std::uint8_t>(turned));
  }
  CHECK(read(files::npy_pieces(folder / "a.npz" / "x"), {}) == Stored<std::uint8_t>(bytes));
  CHECK(read(files::npy_pieces(folder / "a.npz" / "x"), {5, 3}) == Stored<std::uint8_t>(turned));
  std::ofstream(folder / "a.gz", std::ios::binary) << "no IDX";
  CHECK(throws([&] { files::idx_pieces(folder / "a.gz"); }, ErrorCode::data, "is no IDX file"));
  std::ofstream(folder / "a.idx", std::ios::binary | std::ios::app) << "x";
  CHECK(throws([&] { read(files::idx_pieces(folder / "a.idx"), {}); }, ErrorCode::data, "goes on after the"));
}

TEST_CASE("a table of numbers is read piece by piece, row by row") {
  const TemporaryFolder folder;
  std::string text = "a,label,b\n";
  constexpr std::size_t rows = 200'000;  // some pieces
  for (std::size_t row = 0; row < rows; ++row)
    text += std::to_string(row) + ".5,\"one\ntwo\"," + std::to_string(row % 7) + "\n";
  REQUIRE(text.size() > (std::size_t{3} << 20));
  std::ofstream(folder / "a.csv") << text;
  std::size_t row = 0;
  std::size_t wrong = 0;
  const files::CsvTable table =
      files::read_csv(folder / "a.csv", files::TextColumn{"label"}, [&](std::span<const float> numbers) {
        const bool is_right = numbers.size() == 2 && numbers[0] == static_cast<float>(row) + 0.5F &&
                              numbers[1] == static_cast<float>(row % 7);
        if (!is_right) ++wrong;
        ++row;
      });
  CHECK(row == rows);
  CHECK(wrong == 0);
  CHECK(table.values.empty());
  CHECK(table.names == std::vector<std::string>{"a", "b"});
  CHECK(table.texts.back() == "one\ntwo");
}
