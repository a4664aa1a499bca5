// What examples have beside their images: targets, weights, arrays; and pictures of all sizes and kinds.
#include <algorithm>
#include <array>

#include "files/npy.hpp"
#include "files/npz.hpp"
#include "files/png/png.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/jpeg_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/picture_folder.hpp"
#include "train/datasets/picture_size.hpp"
#include "train/datasets/read_examples.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"

using namespace graphrun;
using namespace graphrun::train;
using namespace graphrun::testing;

namespace {

using Floats = std::vector<float>;
using Sizes = std::vector<std::size_t>;

class Files {
 public:
  const Files& floats(const std::string& name, const Sizes& shape, const Floats& values) const {
    files::write_npy(folder_ / name, files::StoredType::f32, shape, std::as_bytes(std::span(values)));
    return *this;
  }
  const Files& bytes(const std::string& name, const Sizes& shape,
                     const std::vector<std::uint8_t>& values) const {
    files::write_npy(folder_ / name, files::StoredType::u8, shape, std::as_bytes(std::span(values)));
    return *this;
  }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  std::string text(const std::string& name) const { return "'" + (folder_ / name).string() + "'"; }
  const std::filesystem::path& folder() const { return folder_.path(); }

  /// A model whose data have these keys beside its images x.npy, and these inputs beside x.
  SharedDefinition model(const std::string& files, const std::string& inputs, const std::string& loss) const {
    return parse_definition("graphrun: 1\nname: m\ndata: {train: {images: " + text("x.npy") + ", " + files +
                                "}}\ninputs:\n  x: {shape: [batch, 2]}\n" + inputs +
                                "nodes:\n  one: {op: param, shape: [2], init: {constant: {value: 1}}}\n"
                                "  recon: x * one\noutputs: {image: recon}\nloss: {l: \"" +
                                loss + "\"}\ntrain: {optimizer: {op: sgd, lr: 0}, batch: 4, epochs: 1}\n",
                            "m.yaml");
  }

 private:
  TemporaryFolder folder_;
};

ReadingOptions options(bool transposed, const Sizes& shape = {},
                       const std::vector<std::string>& classes = {}) {
  ReadingOptions reading;
  reading.transposed = transposed;
  reading.shape = shape;
  reading.classes = classes;
  return reading;
}

/// The loss of the untrained model on its own training data.
double loss_of(const SharedDefinition& model) {
  const auto data = std::make_shared<const Dataset>(load_model_data(*model));
  const auto images = std::shared_ptr<const ImageSet>(data, &data->train);
  Learner learner(model, {});
  learner.initialise();
  return learner.evaluate(bind_images(*model, images)).values.front().value;
}

}  // namespace

TEST_CASE("targets come from a second file, and the loss compares with them") {
  const Files files;
  files.floats("x.npy", {2, 2}, {1, 2, 3, 4}).floats("t.npy", {2, 2}, {1, 2, 3, 6});
  const SharedDefinition model =
      files.model("targets: " + files.text("t.npy"), "  t: {from: targets, shape: [batch, 2]}\n",
                  "sum((recon - t) ** 2, axis=1)");
  CHECK(loss_of(model) == 2);
  files.floats("t.npy", {3, 2}, {1, 2, 3, 6, 7, 8});
  CHECK(throws([&] { load_model_data(*model); }, ErrorCode::data, "holds 3 targets for 2 images"));
  files.floats("t.npy", {2, 3}, {1, 2, 3, 6, 7, 8});
  CHECK(throws([&] { loss_of(model); }, ErrorCode::model,
               "the input takes 2 values an example, the targets have 3: [3]"));
}

TEST_CASE("weights are of mean 1, and every example counts as its own says") {
  const Files files;
  files.floats("x.npy", {2, 2}, {1, 2, 3, 4})
      .floats("t.npy", {2, 2}, {1, 2, 3, 6})
      .floats("w.npy", {2}, {1, 3});
  const std::string keys = "targets: " + files.text("t.npy") + ", weights: " + files.text("w.npy");
  const SharedDefinition model =
      files.model(keys, "  t: {from: targets, shape: [batch, 2]}\n", "sum((recon - t) ** 2, axis=1)");
  CHECK(loss_of(model) == 3);  // (1·0 + 3·4) / (1 + 3)
  files.floats("w.npy", {2}, {1, -3});
  CHECK(throws([&] { load_model_data(*model); }, ErrorCode::data, "holds the weight -3 in row 1"));
  files.floats("w.npy", {2}, {0, 0});
  CHECK(throws([&] { load_model_data(*model); }, ErrorCode::data, "holds no weight above 0"));
}

TEST_CASE("arrays go to inputs by their names, whole numbers as such") {
  const Files files;
  files.floats("x.npy", {2, 2}, {1, 2, 3, 4});
  const std::array<std::int64_t, 2> months{11, 3};
  const Floats angles{0.5F, 1.5F};
  const std::vector<files::TensorView> arrays = {
      {"month", files::StoredType::i64, {2}, std::as_bytes(std::span(months))},
      {"angle", files::StoredType::f32, {2, 1}, std::as_bytes(std::span(angles))}};
  files::write_npz(files / "more.npz", arrays);
  const std::string inputs =
      "  month: {from: array, shape: [batch], dtype: i32}\n  a: {from: array, name: angle, shape: [batch]}\n";
  for (const std::string& from :
       {files.text("more.npz"),
        "{month: " + files.text("more.npz/month") + ", angle: " + files.text("more.npz/angle") + "}"}) {
    const SharedDefinition model = files.model(
        "arrays: " + from, inputs, "a + sum(one_hot(month, depth=12), axis=1) + 0 * sum(recon, axis=1)");
    CHECK(loss_of(model) == 2);
    const auto data = std::make_shared<const Dataset>(load_model_data(*model));
    const Examples bound = bind_images(*model, {data, &data->train});
    CHECK(bound.columns.at("month").kind == ColumnKind::i32_labels);
  }
  const SharedDefinition wrong =
      files.model("arrays: " + files.text("more.npz"), "  angel: {from: array, shape: [batch]}\n",
                  "angel + 0 * sum(recon, axis=1)");
  CHECK(
      throws([&] { loss_of(wrong); }, ErrorCode::model, "there is no array 'angel'. Did you mean 'angle'?"));
}

TEST_CASE("pictures that are stored transposed are put upright") {
  const Files files;
  files.bytes("x.npy", {1, 2, 3}, {0, 1, 2, 3, 4, 5});  // two columns of three pixels
  const ImageSet set = load_images({.images = files / "x.npy"}, options(true));
  CHECK(set.height == 3);
  CHECK(set.width == 2);
  CHECK(set.images == Stored<std::uint8_t>{0, 3, 1, 4, 2, 5});
  files.bytes("rows.npy", {1, 6}, {0, 1, 2, 3, 4, 5});
  const ImageSet shaped = load_images({.images = files / "rows.npy"}, options(true, {3, 2}));
  CHECK(shaped.images == set.images);
  CHECK(throws([&] { load_images({.images = files / "rows.npy"}, options(true)); }, ErrorCode::data,
               "which have no height and width to exchange"));
}

TEST_CASE("labels may begin at another number than 0") {
  const Files files;
  files.bytes("x.npy", {3, 1}, {0, 1, 2}).bytes("y.npy", {3}, {1, 2, 3});
  CHECK(load_images({.images = files / "x.npy", .labels = files / "y.npy", .first_label = 1}).labels ==
        std::vector<std::int32_t>{0, 1, 2});
  const ImageSet named = load_images({.images = files / "x.npy", .labels = files / "y.npy", .first_label = 1},
                                     options(false, {}, {"a", "b", "c"}));
  CHECK(named.labels == std::vector<std::int32_t>{0, 1, 2});
  CHECK(throws([&] { load_images({.images = files / "x.npy", .labels = files / "y.npy", .first_label = 2}); },
               ErrorCode::data, "holds the label 1 in row 0, but `first: 2` says that they begin there"));
}

TEST_CASE("pictures become smaller as the mean of what they lose, and larger between their pixels") {
  const files::Image flat{4, 6, 3, std::vector<std::uint8_t>(72, 77)};
  CHECK(resized(flat, 3, 2).pixels == std::vector<std::uint8_t>(18, 77));
  const files::Image edge{1, 4, 1, {0, 0, 100, 100}};
  CHECK(resized(edge, 1, 2).pixels == std::vector<std::uint8_t>{14, 86});  // (0·.75·2 + 100·.25) / 1.75
  CHECK(resized({1, 2, 1, {0, 100}}, 1, 4).pixels == std::vector<std::uint8_t>{0, 25, 75, 100});
  const std::array<std::size_t, 1> shorter{2};
  const files::Image small = resized(flat, shorter);
  CHECK(small.height == 2);
  CHECK(small.width == 3);
  CHECK(cropped({3, 3, 1, {0, 1, 2, 3, 4, 5, 6, 7, 8}}, 1, 1).pixels == std::vector<std::uint8_t>{4});
}

TEST_CASE("a folder of pictures of all sizes and kinds becomes examples of one") {
  const std::vector<std::uint8_t> jpeg = halves_jpeg();
  const Files files;
  files::write_file(files / "b.jpg", jpeg);
  files::write_png(files / "a.png", {8, 8, 1, std::vector<std::uint8_t>(64, 9)});
  const PictureFolder folder = read_picture_folder(files.folder(), {.resize = {4}, .crop = {4, 2}});
  CHECK(folder.count == 2);
  CHECK(folder.height == 4);
  CHECK(folder.width == 2);
  CHECK(folder.pixels[0] == 9);
  CHECK(std::abs(int{folder.pixels[8]} - 40) < 25);
  CHECK(std::abs(int{folder.pixels[9]} - 200) < 25);
  CHECK(throws([&] { read_picture_folder(files.folder(), {}); }, ErrorCode::data,
               "all must be of one size, to which `resize:` and `crop:` under `data:` bring them"));
  CHECK(throws(
      [&] {
        read_picture_folder(files.folder(), {.crop = {9, 9}});
      },
      ErrorCode::data, "is a picture of 8 x 8 pixels, of which `crop:` takes 9 x 9"));
  // The same with four components, as pictures for print have them.
  const std::vector<std::uint8_t> four = {0xff, 0xc0, 0x00, 0x14, 0x08, 0x00, 0x08, 0x00, 0x10, 0x04, 0x01,
                                          0x11, 0x00, 0x02, 0x11, 0x00, 0x03, 0x11, 0x00, 0x04, 0x11, 0x00};
  const auto frame = std::search(jpeg.begin(), jpeg.end(), four.begin(), four.begin() + 2);
  std::vector<std::uint8_t> print(jpeg.begin(), frame);
  print.insert(print.end(), four.begin(), four.end());
  print.insert(print.end(), frame + 13, jpeg.end());
  files::write_file(files / "b.jpg", print);
  CHECK(throws(
      [&] {
        read_picture_folder(files.folder(), {.resize = {4, 4}});
      },
      ErrorCode::data, "b.jpg: error: is a JPEG picture of the four colours of print (CMYK)"));
  const std::vector<std::uint8_t> cut(jpeg.begin(), jpeg.begin() + 150);
  files::write_file(files / "b.jpg", cut);
  CHECK(throws(
      [&] {
        read_picture_folder(files.folder(), {.resize = {4, 4}});
      },
      ErrorCode::data, "is no JPEG picture that can be read"));
}
