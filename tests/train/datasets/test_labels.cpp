#include "files/file.hpp"
#include "files/npy.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/labels.hpp"

using namespace graphrun;
using namespace graphrun::train;
using namespace graphrun::testing;

namespace {

using Numbers = std::vector<std::int32_t>;
using Names = std::vector<std::string>;

/// A file of labels.
class LabelFile {
 public:
  LabelFile() = default;
  Labels text(const std::string& text, const Names& classes = {}) const {
    files::write_text_file(folder_ / "labels.csv", text);
    return read_labels(folder_ / "labels.csv", "", {.classes = classes});
  }
  template <class Number>
  Labels npy(files::StoredType type, const std::vector<std::size_t>& shape, const std::vector<Number>& values,
             const Names& classes = {}) const {
    files::write_npy(folder_ / "labels.npy", type, shape, std::as_bytes(std::span(values)));
    return read_labels(folder_ / "labels.npy", "", {.classes = classes});
  }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  TemporaryFolder folder_;
};

template <class Call>
bool refused(Call call, const std::string& part) {
  return throws(call, ErrorCode::data, part) && throws(call, ErrorCode::data, "labels.");
}

}  // namespace

TEST_CASE("labels are whole numbers from 0, whatever file holds them") {
  const LabelFile file;
  CHECK(file.text("7\n0\n12.0\n").numbers == Numbers{7, 0, 12});
  CHECK(file.npy<std::uint8_t>(files::StoredType::u8, {2}, {3, 255}).numbers == Numbers{3, 255});
  CHECK(file.npy<std::int32_t>(files::StoredType::i32, {2}, {3, 65535}).numbers == Numbers{3, 65535});
  CHECK(file.npy<std::int64_t>(files::StoredType::i64, {2, 1}, {3, 4}).numbers == Numbers{3, 4});
  files::write_file(file / "labels.idx", idx_bytes({2}, {5, 6}));
  CHECK(read_labels(file / "labels.idx", "", {}).numbers == Numbers{5, 6});
  CHECK(read_labels(file / "labels.idx", "", {}).names.empty());
}

TEST_CASE("texts are numbered in sorted order, or as the classes are listed") {
  const LabelFile file;
  const Labels sorted = file.text("shirt\nboot\n7\nshirt\n");
  CHECK(sorted.names == Names{"7", "boot", "shirt"});
  CHECK(sorted.numbers == Numbers{2, 1, 0, 2});
  CHECK(file.text("-1\n1\n").names == Names{"-1", "1"});
  CHECK(file.text("shirt\nboot\n", {"shirt", "boot", "bag"}).numbers == Numbers{0, 1});
  CHECK(file.npy<std::int32_t>(files::StoredType::i32, {2}, {1, 0}, {"a", "b"}).names == Names{"a", "b"});
  CHECK(file.text("0.5\n1.5\n", {"1.5", "0.5"}).numbers == Numbers{1, 0});
  CHECK(file.text("0.5\nv1.5\n").names == Names{"0.5", "v1.5"});
}

TEST_CASE("an array of texts holds names, as a column of them does") {
  const LabelFile file;
  // ["hat", "bag", "hat"] as NumPy saves it, in bytes.
  const std::string header = "{'descr': '|S3', 'fortran_order': False, 'shape': (3,), }\n";
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header;
  files::write_text_file(file / "labels.npy", bytes + "hatbaghat");
  const auto read = [&](const Names& classes) {
    return read_labels(file / "labels.npy", "", {.classes = classes});
  };
  CHECK(read({}).names == Names{"bag", "hat"});
  CHECK(read({}).numbers == Numbers{1, 0, 1});
  CHECK(read({"hat", "bag"}).numbers == Numbers{0, 1, 0});
  CHECK(refused([&] { read({"hat"}); }, "has the label 'bag' in row 1, which is none of the `classes:`"));
}

TEST_CASE("wrong labels are told with their row") {
  const LabelFile file;
  CHECK(
      refused([&] { file.text("7\n31.25\n8\n"); }, "holds the label 31.25 in row 1, and labels are classes"));
  CHECK(refused([&] { file.text("1\n70000\n"); },
                "holds the label 70000 in row 1; labels are whole numbers from 0 to 65535"));
  CHECK(refused(
      [&] {
        file.npy<std::int32_t>(files::StoredType::i32, {2}, {0, -1});
      },
      "holds the label -1 in row 1"));
  CHECK(refused([&] { file.npy<std::int64_t>(files::StoredType::i64, {1}, {1LL << 40}); },
                "holds the label 1099511627776"));
  CHECK(refused([&] { file.npy<float>(files::StoredType::f32, {1}, {1.5F}); },
                "holds 1.5 in row 0, but labels are whole numbers: save them with .astype('<i4')"));
  CHECK(refused(
      [&] {
        file.npy<std::uint8_t>(files::StoredType::u8, {1, 2}, {1, 2});
      },
      "holds [1, 2] values, but labels, one for each image"));
  CHECK(refused(
      [&] {
        file.text("shirt\nboots\n", {"shirt", "boot"});
      },
      "has the label 'boots' in row 1, which is none of the `classes:`. Did you mean 'boot'?"));
  CHECK(refused(
      [&] {
        file.npy<std::int32_t>(files::StoredType::i32, {2}, {1, 2}, {"a", "b"});
      },
      "holds the label 2 in row 1, but `classes:` names 2, 0 to 1"));
  std::string many = "name\n";
  for (int i = 0; i < 10'002; ++i) many += "a" + std::to_string(i) + "\n";
  CHECK(refused([&] { file.text(many); }, "has more than 10000 different labels"));
  files::write_file(file / "labels.png", files::Bytes{0x89, 'P', 'N', 'G', 13, 10, 26, 10});
  CHECK(refused([&] { read_labels(file / "labels.png", "", {}); },
                "holds no labels: these are read from IDX, NPY and CSV"));
}
