#include "tests/support/catch.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/dataset.hpp"

using namespace graphrun;
using namespace graphrun::train;
using graphrun::testing::gzip_bytes;
using graphrun::testing::idx_bytes;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::throws;

namespace {

/// Three training and two test images of 2 x 1 pixels.
struct SmallFiles {
  SmallFiles() {
    files::write_file(folder / "a", idx_bytes({3, 2, 1}, {1, 2, 3, 4, 5, 6}));
    files::write_file(folder / "b.gz", gzip_bytes(idx_bytes({3}, {7, 8, 9})));
    files::write_file(folder / "c", idx_bytes({2, 2, 1}, {10, 20, 30, 40}));
    files::write_file(folder / "d", idx_bytes({2}, {1, 0}));
  }
  /// Replaces one file and says whether loading fails with this text.
  bool refused(const std::string& name, const files::Bytes& bytes, const std::string& part) const {
    files::write_file(folder / name, bytes);
    const auto load = [&] { load_dataset({{"a", "b.gz"}, {"c", "d"}}, folder.path()); };
    return throws(load, ErrorCode::data, (folder / name).string()) && throws(load, ErrorCode::data, part);
  }
  TemporaryFolder folder;
};

}  // namespace

TEST_CASE("a data set is loaded from the files of a model, relative to it") {
  const SmallFiles files;
  const Dataset dataset = load_dataset({{"a", "b.gz"}, {"c", files.folder / "d"}}, files.folder.path());
  CHECK(dataset.name == "a");
  CHECK_FALSE(dataset.is_subset);
  CHECK(dataset.train.count == 3);
  CHECK(dataset.train.height == 2);
  CHECK(dataset.train.width == 1);
  CHECK(dataset.train.channels == 1);
  CHECK(dataset.train.labels == std::vector<std::int32_t>{7, 8, 9});
  CHECK(dataset.train.image(1)[0] == 3);
  CHECK(dataset.train.image(1).size() == 2);
  CHECK(dataset.test.count == 2);
  CHECK(dataset.test.image(1)[1] == 40);
}

TEST_CASE("labels and test data may be left out") {
  const SmallFiles files;
  const Dataset dataset = load_dataset({{"a", ""}, {"", ""}}, files.folder.path());
  CHECK_FALSE(dataset.train.has_labels());
  CHECK(dataset.test.count == 0);
}

TEST_CASE("images of rank 2 are rows, of rank 4 have channels") {
  const TemporaryFolder folder;
  files::write_file(folder / "rows", idx_bytes({1, 3}, {1, 2, 3}));
  files::write_file(folder / "colour", idx_bytes({1, 1, 1, 3}, {1, 2, 3}));
  const ImageSet rows = load_images({folder / "rows", ""});
  CHECK(rows.height == 1);
  CHECK(rows.width == 3);
  CHECK(rows.channels == 1);
  const ImageSet colour = load_images({folder / "colour", ""});
  CHECK(colour.width == 1);
  CHECK(colour.channels == 3);
}

TEST_CASE("files that do not fit each other") {
  CHECK(SmallFiles().refused("a", idx_bytes({3}, {1, 2, 3}), "holds labels [3], but images are expected"));
  CHECK(SmallFiles().refused("a", idx_bytes({0, 2, 1}, {}), "holds no images"));
  CHECK(SmallFiles().refused("a", idx_bytes({3, 0, 2}, {}), "without pixels: [3, 0, 2]"));
  CHECK(SmallFiles().refused("d", idx_bytes({3}, {1, 2, 3}), "holds 3 labels for 2 images"));
  CHECK(SmallFiles().refused("d", idx_bytes({2, 1}, {1, 2}),
                             "holds [2, 1] values, but labels, one for each image, are expected here"));
  CHECK(SmallFiles().refused(
      "c", idx_bytes({2, 1, 2}, {1, 2, 3, 4}),
      "test images of [1, 2, 1] (height, width, channels), but the training images are [2, 1, 1]"));
  const SmallFiles files;
  CHECK(throws([&] { load_dataset({{"none", ""}, {}}, files.folder.path()); }, ErrorCode::io, "none"));
}

TEST_CASE("columns of CSV files are matched by name") {
  const graphrun::testing::TemporaryFolder folder;
  files::write_text_file(folder / "a.csv", "a,b,c\n1,10,100\n2,20,200\n");
  files::write_text_file(folder / "b.csv", "c,b,a\n300,30,3\n");
  files::write_text_file(folder / "more.csv", "a,b,c,d\n1,2,3,4\n");
  files::write_text_file(folder / "less.csv", "a,b\n1,2\n");
  const Dataset data = load_dataset(DatasetFiles{{folder / "a.csv"}, {folder / "b.csv"}}, {});
  CHECK(data.test.values == std::vector<float>{3, 30, 300});
  const ReadingOptions reading{
      .shape = {}, .channels = {}, .divide_by = {}, .classes = {}, .names = data.train.column_names};
  CHECK(load_images({folder / "b.csv"}, reading).values == std::vector<float>{3, 30, 300});
  CHECK(graphrun::testing::throws([&] { load_images({folder / "more.csv"}, reading); }, ErrorCode::data,
                                  "has a column 'd', which the model does not know"));
  CHECK(graphrun::testing::throws([&] { load_images({folder / "less.csv"}, reading); }, ErrorCode::data,
                                  "has no column 'c', which the model takes"));
}
