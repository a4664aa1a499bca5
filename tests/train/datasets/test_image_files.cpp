#include <cstring>

#include "files/npy.hpp"
#include "files/png/png.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/dataset.hpp"

using namespace graphrun;
using namespace graphrun::train;
using namespace graphrun::testing;

namespace {

using Sizes = std::vector<std::size_t>;

/// Files of one folder, as `data:` would name them.
class Files {
 public:
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  template <class Number>
  void npy(const std::string& name, files::StoredType type, const Sizes& shape,
           const std::vector<Number>& values) const {
    files::write_npy(folder_ / name, type, shape, std::as_bytes(std::span(values)));
  }
  void text(const std::string& name, const std::string& text) const {
    files::write_text_file(folder_ / name, text);
  }
  void png(const std::string& name, const files::Image& image) const {
    files::create_folders((folder_ / name).parent_path());
    files::write_png(folder_ / name, image);
  }
  ImageSet load(const std::string& images, const std::string& labels = "",
                const ReadingOptions& reading = {}) const {
    return load_images({folder_ / images, labels.empty() ? std::filesystem::path() : folder_ / labels},
                       reading);
  }
  bool refused(const std::string& name, const std::string& part, const ReadingOptions& reading = {}) const {
    const auto load_it = [&] { load(name, "", reading); };
    return throws(load_it, ErrorCode::data, (folder_ / name).string()) &&
           throws(load_it, ErrorCode::data, part);
  }

 private:
  TemporaryFolder folder_;
};

Sizes sizes_of(const ImageSet& set) {
  return {set.count, set.height, set.width, set.channels};
}

files::Image grey_picture(std::size_t height, std::size_t width, std::uint8_t value) {
  return {height, width, 1, std::vector<std::uint8_t>(height * width, value)};
}

}  // namespace

TEST_CASE("NPY bytes are pixels, other numbers values") {
  const Files files;
  files.npy<std::uint8_t>("u8.npy", files::StoredType::u8, {2, 1, 2}, {0, 51, 102, 255});
  const ImageSet pixels = files.load("u8.npy");
  CHECK(sizes_of(pixels) == Sizes{2, 1, 2, 1});
  CHECK(pixels.are_pixels());
  CHECK(pixels.value(1) == 0.2);
  files.npy<float>("f32.npy", files::StoredType::f32, {2, 1, 2}, {-1.5F, 0, 0.25F, 300});
  const ImageSet values = files.load("f32.npy");
  CHECK(!values.are_pixels());
  CHECK(values.images.empty());
  CHECK(values.value(0) == -1.5);
  CHECK(values.value(3) == 300);
  files.npy<double>("f64.npy", files::StoredType::f64, {1, 1, 2}, {0.1, 1e-300});
  CHECK(files.load("f64.npy").values == std::vector<float>{0.1F, 0});
  files.npy<std::int64_t>("i64.npy", files::StoredType::i64, {1, 1, 2}, {-3, 7});
  CHECK(files.load("i64.npy").values == std::vector<float>{-3, 7});
}

TEST_CASE("what is not finite is told with its place") {
  const Files files;
  files.npy<float>("a.npy", files::StoredType::f32, {2, 1, 2}, {0, 1, 2, std::nanf("")});
  CHECK(files.refused("a.npy", "holds nan in image 1, value 1; only finite f32 numbers are read"));
  files.npy<double>("a.npy", files::StoredType::f64, {1, 1, 2}, {0, 1e300});
  CHECK(files.refused("a.npy", "holds 1e+300 in image 0, value 1"));
}

TEST_CASE("rows are pictures when they are square, or when they are said to be") {
  const Files files;
  files.npy("square.npy", files::StoredType::u8, {1, 64}, files::Bytes(64));
  CHECK(sizes_of(files.load("square.npy")) == Sizes{1, 8, 8, 1});
  CHECK(files.load("square.npy").are_pictures);
  files.npy("rows.npy", files::StoredType::u8, {2, 49}, files::Bytes(98));
  CHECK(sizes_of(files.load("rows.npy")) == Sizes{2, 1, 49, 1});
  CHECK(!files.load("rows.npy").are_pictures);
  ReadingOptions reading;
  reading.shape = {7, 7};
  CHECK(sizes_of(files.load("rows.npy", "", reading)) == Sizes{2, 7, 7, 1});
  CHECK(files.load("rows.npy", "", reading).are_pictures);
  reading.shape = {7, 8};
  CHECK(files.refused("rows.npy", "holds examples of [49] = 49 values, which `shape: [7, 8]` does not fit",
                      reading));
}

TEST_CASE("channels stand behind height and width") {
  const Files files;
  files.npy("last.npy", files::StoredType::u8, {1, 5, 6, 3}, files::Bytes(90));
  CHECK(sizes_of(files.load("last.npy")) == Sizes{1, 5, 6, 3});
  files.npy("one.npy", files::StoredType::u8, {1, 1, 5, 6}, files::Bytes(30));
  CHECK(sizes_of(files.load("one.npy")) == Sizes{1, 5, 6, 1});
  files.npy("first.npy", files::StoredType::u8, {1, 3, 5, 6}, files::Bytes(90));
  CHECK(files.refused(
      "first.npy",
      "holds images of [3, 5, 6]: channels come last here; save it with .transpose(0, 2, 3, 1)"));
  ReadingOptions reading;
  reading.shape = {3, 5, 6};
  CHECK(!files.load("first.npy", "", reading).are_pictures);
  files.npy("two.npy", files::StoredType::u8, {1, 5, 6, 2}, files::Bytes(60));
  CHECK(!files.load("two.npy").are_pictures);
  files.npy("flat.npy", files::StoredType::u8, {5}, files::Bytes(5));
  CHECK(files.refused("flat.npy", "holds labels [5], but images are expected here"));
  files.npy("deep.npy", files::StoredType::u8, {1, 1, 1, 1, 1}, files::Bytes(1));
  CHECK(files.refused("deep.npy", "holds [1, 1, 1, 1, 1] values"));
  files.npy("none.npy", files::StoredType::u8, {0, 2, 2}, files::Bytes());
  CHECK(files.refused("none.npy", "holds no images"));
}

TEST_CASE("values are divided as asked, and written-out pixels become bytes") {
  const Files files;
  files.text("a.csv", "0,51,255\n1,2,3\n");
  ReadingOptions reading;
  CHECK(files.load("a.csv").values == std::vector<float>{0, 51, 255, 1, 2, 3});
  reading.divide_by = 255;
  CHECK(files.load("a.csv", "", reading).images == files::Bytes{0, 51, 255, 1, 2, 3});
  reading.divide_by = 16;
  CHECK(files.load("a.csv", "", reading).values[1] == 51.0F / 16);
  files.npy<std::uint8_t>("u8.npy", files::StoredType::u8, {1, 1, 2}, {8, 16});
  CHECK(files.load("u8.npy", "", reading).values == std::vector<float>{0.5F, 1});
  files.text("half.csv", "0,51,255\n1,2.5,3\n");
  reading.divide_by = 255;
  CHECK(files.load("half.csv", "", reading).values[1] == 0.2F);
}

TEST_CASE("a CSV has its labels in a column") {
  const Files files;
  files.text("a.csv", "label,x,y\n3,0.5,1\n1,2,3\n");
  const ImageSet standard = files.load("a.csv");
  CHECK(standard.labels == std::vector<std::int32_t>{3, 1});
  CHECK(standard.values == std::vector<float>{0.5F, 1, 2, 3});
  CHECK(standard.class_names.empty());
  files.text("b.csv", "x,y,kind\n0.5,1,dog\n2,3,cat\n");
  const ImageSet named = load_images({files / "b.csv", {}, "kind"});
  CHECK(named.labels == std::vector<std::int32_t>{1, 0});
  CHECK(named.class_names == std::vector<std::string>{"cat", "dog"});
  CHECK(throws(
      [&] {
        load_images({files / "b.csv", {}, "kinds"});
      },
      ErrorCode::data, "has no column 'kinds'"));
  CHECK(!load_images({files / "a.csv", {}, "kinds", false}).has_labels());
  CHECK(throws([&] { files.load("a.csv", "b.csv"); }, ErrorCode::data,
               "has a column 'label', and labels are to come from"));
  files.text("c.csv", "1,2\n3,4\n");
  CHECK(load_images({files / "c.csv", files / "b.csv", "kind"}).labels == std::vector<std::int32_t>{1, 0});
}

TEST_CASE("folders and single pictures are read") {
  const Files files;
  files.png("set/dog/a.png", grey_picture(2, 3, 1));
  files.png("set/cat/a.png", grey_picture(2, 3, 2));
  files.png("set/cat/b.png", grey_picture(2, 3, 3));
  const ImageSet set = files.load("set");
  CHECK(sizes_of(set) == Sizes{3, 2, 3, 1});
  CHECK(set.labels == std::vector<std::int32_t>{0, 1, 0});
  CHECK(set.class_names == std::vector<std::string>{"cat", "dog"});
  CHECK(set.image(1)[0] == 1);
  CHECK(sizes_of(files.load("set/cat/b.png")) == Sizes{1, 2, 3, 1});
  CHECK(throws(
      [&] {
        load_images({files / "set", {}, "kind"});
      },
      ErrorCode::data, "is no CSV file, so it has no column 'kind'"));
}

TEST_CASE("what a file is, is told by its contents, and by its name only when it is text") {
  const Files files;
  files.npy<std::uint8_t>("images", files::StoredType::u8, {1, 2, 2}, {1, 2, 3, 4});
  CHECK(files.load("images").count == 1);
  files::write_file(files / "odd.csv", idx_bytes({1, 2, 2}, {1, 2, 3, 4}));
  CHECK(files.load("odd.csv").count == 1);
  files.text("A.CSV", "1,2\n");
  CHECK(files.load("A.CSV").count == 1);
  files.text("table.txt", "1,2\n");
  CHECK(files.refused(
      "table.txt",
      "is no IDX, NPY, CSV, PNG or JPEG file: it begins with bytes 31 2c 32 0a; a table of numbers"));
  files.text("a.zip", "PK\x03\x04");
  CHECK(files.refused("a.zip", "it looks like a zip archive: unpack it; of NumPy's, the name ends in .npz"));
  files.text("a.npz", "PK\x03\x04");
  CHECK(files.refused("a.npz", "is no NPZ file, or a damaged one"));
  files.text("a.jpg", "\xff\xd8\xff\xe0");
  CHECK(files.refused("a.jpg", "is no JPEG picture that can be read"));
  files.text("page", "<html>");
  CHECK(files.refused("page", "it looks like a web page"));
  files.text("a.h5", "\x89HDF\r\n");
  CHECK(files.refused("a.h5", "it looks like HDF5"));
  files.text("nothing", "");
  CHECK(files.refused("nothing", "is empty"));
  CHECK(throws([&] { files.load("missing"); }, ErrorCode::io, "cannot open: No such file"));
  CHECK(throws([&] { load_images({"/dev/zero"}); }, ErrorCode::data, "is not a regular file"));
}

TEST_CASE("labels by name have the same number in training and test data") {
  const Files files;
  files.text("train.csv", "x,label\n1,good\n2,fair\n");
  files.text("test.csv", "x,label\n1,bad\n2,good\n");
  const Dataset data = load_dataset({{files / "train.csv"}, {files / "test.csv"}}, {});
  CHECK(data.train.labels == std::vector<std::int32_t>{1, 0});
  CHECK(data.test.labels == std::vector<std::int32_t>{2, 1});
  CHECK(data.test.class_names == std::vector<std::string>{"fair", "good", "bad"});
  CHECK(data.train.class_names == data.test.class_names);
  files.text("numbers.csv", "x,label\n1,0\n2,1\n");
  CHECK(throws(
      [&] {
        load_dataset({{files / "train.csv"}, {files / "numbers.csv"}}, {});
      },
      ErrorCode::data, "has labels by number, the training data by name; list the names under `classes:`"));
  ReadingOptions reading;
  reading.classes = {"bad", "fair", "good"};
  const Dataset fixed = load_dataset({{files / "train.csv"}, {files / "test.csv"}, reading}, {});
  CHECK(fixed.train.labels == std::vector<std::int32_t>{2, 1});
  CHECK(fixed.test.labels == std::vector<std::int32_t>{0, 2});
  reading.classes = {"fair", "good"};
  CHECK(throws(
      [&] {
        load_dataset({{files / "train.csv"}, {files / "test.csv"}, reading}, {});
      },
      ErrorCode::data, "test.csv: error: has the label 'bad' in row 0, which is none of the `classes:`"));
}

TEST_CASE("numbers that look like pixels are asked about") {
  const Files files;
  files.npy("a.npy", files::StoredType::f32, {2, 2, 2}, std::vector<float>{0, 255, 3, 4, 5, 6, 7, 8});
  const Dataset data = load_dataset({{files / "a.npy"}}, {});
  REQUIRE(data.notes.size() == 1);
  CHECK(contains(data.notes.front(), "are whole numbers up to 255, which the model is given as they are"));
  CHECK(contains(data.notes.front(), "write `divide_by: 255`"));
  files.npy("b.npy", files::StoredType::f32, {2, 2, 2}, std::vector<float>{0, 1, 0.5F, 1, 1, 0, 0, 1});
  CHECK(load_dataset({{files / "b.npy"}}, {}).notes.empty());
}

TEST_CASE(
    "files cut off at every byte, and with any changed bit of the header, are refused or read as they are") {
  const Files files;
  files.npy("images.npy", files::StoredType::f32, {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
  files.npy("labels.npy", files::StoredType::i32, {2}, std::vector<std::int32_t>{1, 0});
  files.text("images.csv", "x,\"y, z\",label\r\n1,2.5,\"cat\"\r\n-3e1,4,dog\r\n");
  files.png("folder/a.png", grey_picture(2, 3, 9));
  for (const std::string name : {"images.npy", "labels.npy", "images.csv", "folder/a.png"}) {
    const files::Bytes whole = files::read_file(files / name, 10'000);
    const auto load = [&] {
      if (name == "labels.npy") return files.load("images.npy", name);
      return files.load(name.starts_with("folder") ? "folder" : name);
    };
    const auto refused_or_read = [&](const files::Bytes& bytes) {
      files::write_file(files / name, bytes);
      const std::optional<Error> error = thrown(load);
      return !error || error->code() == ErrorCode::data || error->code() == ErrorCode::io;
    };
    for (std::size_t size = 0; size < whole.size(); ++size) {
      INFO(name << " cut off at " << size);
      REQUIRE(refused_or_read({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}));
    }
    for (std::size_t at = 0; at < std::min<std::size_t>(whole.size(), 80); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        files::Bytes damaged = whole;
        damaged[at] ^= static_cast<std::uint8_t>(1 << bit);
        INFO(name << ", byte " << at << ", bit " << bit);
        REQUIRE(refused_or_read(damaged));
      }
    }
    files::write_file(files / name, whole);
  }
}
