#include "train/datasets/bind_inputs.hpp"

#include <fmt/format.h>

#include "language/recipe/definition.hpp"
#include "train/datasets/find_dataset.hpp"
#include "train/datasets/load_table.hpp"

namespace graphrun::train {

namespace {

std::string size_of(const ImageSet& images) {
  if (images.height == 1 && images.channels == 1) return fmt::format("rows of {}", images.width);
  if (images.channels == 1) return fmt::format("{} × {}", images.height, images.width);
  return fmt::format("{} × {} × {}", images.height, images.width, images.channels);
}

Column images_for(const ModelDefinition& model, const ModelInput& input, const ImageSet& images) {
  require_size(model, input, images);
  const auto width = static_cast<std::int64_t>(images.values_per_image());
  if (images.are_pixels()) return {ColumnKind::u8_pixels, width, std::as_bytes(std::span(images.images))};
  return {ColumnKind::f32_values, width, std::as_bytes(std::span(images.values))};
}

Column numbers_of(const std::vector<float>& values, std::int64_t width) {
  return {ColumnKind::f32_values, width, std::as_bytes(std::span(values))};
}

Column labels_of(const ImageSet& images) {
  return {ColumnKind::i32_labels, 1, std::as_bytes(std::span(images.labels))};
}

/// As YAML.
DatasetFiles files_of(const DataRecipe& recipe) {
  DatasetFiles files;
  if (recipe.train) files.train = {recipe.train->images, recipe.train->labels, recipe.train->label_column};
  if (recipe.test) files.test = {recipe.test->images, recipe.test->labels, recipe.test->label_column};
  files.reading = reading_options(recipe);
  return files;
}

/// What an input takes of the examples; nothing where they have none of it.
std::optional<Column> column_for(const ModelDefinition& model, const ModelInput& input,
                                 const ImageSet& images) {
  if (takes_examples(input.source)) return images_for(model, input, images);
  if (input.source == InputSource::mask && images.is_table) {
    require_size(model, input, images);
    return numbers_of(images.mask, static_cast<std::int64_t>(images.values_per_image()));
  }
  if (input.source == InputSource::target)
    return images.targets.empty() ? std::nullopt : std::optional(numbers_of(images.targets, 1));
  return images.has_labels() ? std::optional(labels_of(images)) : std::nullopt;
}

}  // namespace

ReadingOptions reading_options(const DataRecipe& recipe) {
  ReadingOptions options;
  options.shape.assign(recipe.shape.begin(), recipe.shape.end());
  if (recipe.channels) options.channels = static_cast<std::size_t>(*recipe.channels);
  options.divide_by = recipe.divide_by;
  options.classes = recipe.classes;
  options.names = recipe.names;
  return options;
}

std::int64_t row_elements(const ModelDefinition& model, const ModelInput& input) {
  const std::optional<NodeId> id = model.graph.find(input.name);
  if (!id) throw Error(ErrorCode::internal, fmt::format("input '{}' is not in its graph", input.name));
  const Shape& shape = model.graph.node(*id).type.shape;
  if (shape.empty() || !shape.front().is_batch())
    throw Error(ErrorCode::model,
                fmt::format("its shape is {}; an input that takes data has `batch` as its first axis",
                            to_string(shape)),
                input.where, input.name);
  std::int64_t elements = 1;
  for (std::size_t axis = 1; axis < shape.size(); ++axis) {
    if (!shape[axis].is_number())
      throw Error(ErrorCode::model,
                  fmt::format("its shape is {}; an input that takes data has `batch` on its first axis alone",
                              to_string(shape)),
                  input.where, input.name);
    elements = checked_multiply(elements, shape[axis].offset);
  }
  return elements;
}

void require_size(const ModelDefinition& model, const ModelInput& input, const ImageSet& images) {
  const std::int64_t wanted = row_elements(model, input);
  if (wanted == static_cast<std::int64_t>(images.values_per_image())) return;
  if (images.is_table)
    throw Error(ErrorCode::model,
                fmt::format("the input takes {} values a row, the rows of the table become {} cells; leave "
                            "`shape:` away",
                            wanted, images.values_per_image()),
                input.where, input.name);
  throw Error(ErrorCode::model,
              fmt::format("the input takes {} values an image, the images are {} = {}; change its shape, or "
                          "the var that it comes from (as --set pixels={}){}",
                          wanted, size_of(images), images.values_per_image(), images.values_per_image(),
                          wanted * 3 == static_cast<std::int64_t>(images.values_per_image())
                              ? "; `channels: 1` under `data:` reads colour as grey"
                              : ""),
              input.where, input.name);
}

Examples bind_images(const ModelDefinition& model, std::shared_ptr<const ImageSet> images) {
  Examples examples{.count = static_cast<std::int64_t>(images->count), .columns = {}, .owner = images};
  for (const ModelInput& input : model.inputs)
    if (const std::optional<Column> column = column_for(model, input, *images))
      examples.columns[input.name] = *column;
  return examples;
}

std::vector<std::string> notes_on(const Dataset& data) {
  std::vector<std::string> notes = data.notes;
  if (data.is_subset)
    notes.push_back(
        fmt::format("the full {0} was not found: this is only the small subset that comes with graphrun, {1} "
                    "images to learn "
                    "from and {2} to test on; `graphrun data fetch {0}` gets the full set",
                    data.name, data.train.count, data.test.count));
  return notes;
}

Dataset load_model_data(const ModelDefinition& model) {
  if (!model.data)
    throw Error(ErrorCode::model,
                "the model file names no data: add `data: fashion_mnist`, or the paths of files",
                model.where);
  if (model.data->table) return load_table_data(*model.data);
  if (!model.data->name.empty()) return load_dataset(model.data->name, DataFolders::from_environment());
  return load_dataset(files_of(*model.data), {});
}

}  // namespace graphrun::train
