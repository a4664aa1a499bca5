// What `data:` of a model names. Apart from bind_inputs.cpp, so that a host who brings its own examples gets
// no reader of pictures with it.
#include <fmt/format.h>

#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/data_place.hpp"
#include "train/datasets/find_dataset.hpp"
#include "train/datasets/load_table.hpp"

namespace graphrun::train {

namespace {

ImageFiles files_of(const DataRecipe::Files& files) {
  return {.images = files.images,
          .labels = files.labels,
          .label_column = files.label_column,
          .first_label = static_cast<std::int32_t>(files.first_label),
          .targets = files.targets,
          .weights = files.weights,
          .arrays = {files.arrays.begin(), files.arrays.end()},
          .all_arrays = files.all_arrays};
}

/// As YAML.
DatasetFiles files_of(const DataRecipe& recipe) {
  DatasetFiles files;
  if (recipe.train) files.train = files_of(*recipe.train);
  if (recipe.test) files.test = files_of(*recipe.test);
  files.reading = reading_options(recipe);
  return files;
}

Dataset load_data(const DataRecipe& recipe) {
  if (recipe.table) return load_table_data(recipe);
  if (!recipe.name.empty()) return load_dataset(recipe.name, DataFolders::from_environment());
  return load_dataset(files_of(recipe), {});
}

}  // namespace

ReadingOptions reading_options(const DataRecipe& recipe) {
  ReadingOptions options;
  options.shape.assign(recipe.shape.begin(), recipe.shape.end());
  if (recipe.channels) options.channels = static_cast<std::size_t>(*recipe.channels);
  options.divide_by = recipe.divide_by;
  options.transposed = recipe.transposed;
  options.resize.assign(recipe.resize.begin(), recipe.resize.end());
  options.crop.assign(recipe.crop.begin(), recipe.crop.end());
  options.classes = recipe.classes;
  options.names = recipe.names;
  return options;
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
  try {
    return load_data(*model.data);
  } catch (const Error&) {
    rethrow_at_place(model);
  }
}

}  // namespace graphrun::train
