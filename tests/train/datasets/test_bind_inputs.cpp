#include <cstring>

#include "tests/support/catch.hpp"
#include "tests/support/small_model.hpp"
#include "tests/support/thrown.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/learn/definition.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::train;

namespace {

std::shared_ptr<const ImageSet> images(std::size_t side, bool labels) {
  ImageSet set{2, side, side, 1, files::Bytes(2 * side * side), {}};
  if (labels) set.labels = {1, 2};
  return std::make_shared<const ImageSet>(std::move(set));
}

SharedDefinition model_with(const std::string& inputs) {
  return parse_definition("graphrun: 1\nname: m\ninputs:\n" + inputs + "nodes:\n  a: {op: relu, in: x}\n",
                          "m.yaml");
}

}  // namespace

TEST_CASE("images go to inputs of as many elements, labels to inputs that ask for them") {
  const auto model = model_with("  x: {shape: [batch, 784]}\n  y: {from: labels}\n");
  const Examples both = bind_images(*model, images(28, true));
  CHECK(both.count == 2);
  CHECK(both.columns.at("x").row_elements == 784);
  CHECK(both.columns.at("y").kind == ColumnKind::i32_labels);
  CHECK(!bind_images(*model, images(28, false)).columns.contains("y"));
  const auto reshaped = model_with("  x: {shape: [batch, 28, 28, 1]}\n");
  CHECK(bind_images(*reshaped, images(28, false)).columns.at("x").row_elements == 784);
}

TEST_CASE("images of another size are refused at the input, with both sizes") {
  const auto model = model_with("  x: {shape: [batch, 100]}\n");
  const auto error = thrown([&] { bind_images(*model, images(28, false)); });
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::model);
  CHECK(error->where().line == 4);
  CHECK(contains(error->what(), "takes 100 values an image, the images are 28 × 28 = 784"));
}

TEST_CASE("a model without data says what to add") {
  const auto model = model_with("  x: {shape: [batch, 100]}\n");
  CHECK(throws([&] { load_model_data(*model); }, ErrorCode::model, "names no data"));
}

TEST_CASE("numbers go to inputs as they are, and rows of another length are refused") {
  ImageSet set{2, 1, 3, 1, {}, {}, {1, 2, 3, 4, 5, -6.5F}};
  set.are_pictures = false;
  const auto rows = std::make_shared<const ImageSet>(std::move(set));
  const Examples examples = bind_images(*model_with("  x: {shape: [batch, 3]}\n"), rows);
  CHECK(examples.columns.at("x").kind == ColumnKind::f32_values);
  Batch batch(examples, {"x"}, 2);
  const std::vector<std::uint32_t> second{1};
  batch.gather(second);
  float value = 0;
  std::memcpy(&value, batch.feeds().front().bytes.data() + 8, 4);
  CHECK(value == -6.5F);
  CHECK(throws([&] { bind_images(*model_with("  x: {shape: [batch, 4]}\n"), rows); }, ErrorCode::model,
               "takes 4 values an image, the images are rows of 3 = 3"));
}

TEST_CASE("colour for a model of grey images says how to read it") {
  ImageSet set{1, 2, 2, 3, files::Bytes(12), {}};
  CHECK(throws(
      [&] { bind_images(*model_with("  x: {shape: [batch, 4]}\n"), std::make_shared<const ImageSet>(set)); },
      ErrorCode::model, "the images are 2 × 2 × 3 = 12; change its shape"));
  CHECK(throws(
      [&] { bind_images(*model_with("  x: {shape: [batch, 4]}\n"), std::make_shared<const ImageSet>(set)); },
      ErrorCode::model, "`channels: 1` under `data:` reads colour as grey"));
}

TEST_CASE("names of labels are written into the model, so that a checkpoint knows them") {
  const auto model = parse_definition(
      "graphrun: 1\nname: m\ndata: {train: {images: a.csv}}\ninputs: {x: {shape: [batch, 4]}}\n", "m.yaml");
  Dataset data;
  CHECK(with_class_names(model, data) == model);
  data.train.class_names = {"it's", "b: c"};
  const auto named = with_class_names(model, data);
  CHECK(named->data->classes == data.train.class_names);
  CHECK(parse_definition(named->resolved, "again.yaml")->data->classes == data.train.class_names);
  CHECK(named->data->train->images == model->data->train->images);
  CHECK(with_class_names(named, data) == named);
}

TEST_CASE("a subset is announced as one") {
  Dataset data;
  data.name = "fashion_mnist";
  CHECK(notes_on(data).empty());
  data.is_subset = true;
  REQUIRE(notes_on(data).size() == 1);
  CHECK(contains(notes_on(data).front(), "only the small subset"));
  CHECK(contains(notes_on(data).front(), "graphrun data fetch fashion_mnist"));
}
