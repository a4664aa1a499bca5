#include "cli/examples_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "files/number_text.hpp"
#include "graphrun/error.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/load_table.hpp"

namespace graphrun::cli {

namespace {

double number_of(const std::string& word, std::string_view text) {
  if (const std::optional<double> value = files::number_in<double>(text)) return *value;
  throw Error(ErrorCode::usage, fmt::format("--input {}: '{}' is not a number", word, text));
}

const Node& input_node(const ModelDefinition& model, const std::string& word, const std::string& name) {
  const std::optional<NodeId> id = model.graph.find(name);
  if (!id) throw Error(ErrorCode::usage, fmt::format("--input {}: the model has no node '{}'", word, name));
  return model.graph.node(*id);
}

/// Elements of a row; the first axis must be the batch.
std::int64_t row_elements_of(const std::string& word, const Type& type) {
  if (type.shape.empty() || !type.shape.front().is_batch())
    throw Error(ErrorCode::usage, fmt::format("--input {}: it is {}, not one value or row for each example",
                                              word, to_string(type)));
  return element_count(bind(type.shape, std::int64_t{1}));
}

void require_fits(const std::string& word, const Type& type, double value) {
  constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();
  if (type.dtype == DType::i32 && (value != std::floor(value) || std::abs(value) > most))
    throw Error(ErrorCode::usage,
                fmt::format("--input {}: it takes a whole number of at most {}", word, most));
  if (!(std::abs(value) <= std::numeric_limits<float>::max()))
    throw Error(ErrorCode::usage, fmt::format("--input {}: it takes a number that f32 can hold", word));
}

/// The bytes of `count` equal elements, kept alive by the examples.
std::shared_ptr<std::vector<std::byte>> repeated(const Type& type, double value, std::int64_t count) {
  auto bytes = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(checked_multiply(count, 4)));
  const auto real = static_cast<float>(value);
  const std::int32_t whole = type.dtype == DType::i32 ? static_cast<std::int32_t>(value) : 0;
  for (std::size_t at = 0; at < bytes->size(); at += 4)
    std::memcpy(bytes->data() + at, type.dtype == DType::i32 ? static_cast<const void*>(&whole) : &real, 4);
  return bytes;
}

void add_constant_input(train::Examples& examples, const ModelDefinition& model, const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0)
    throw Error(ErrorCode::usage,
                fmt::format("--input {}: write it as NAME=VALUE, for instance --input y=7", word));
  const std::string name = word.substr(0, equals);
  const Type& type = input_node(model, word, name).type;
  const double value = number_of(word, std::string_view(word).substr(equals + 1));
  require_fits(word, type, value);
  const std::int64_t elements = row_elements_of(word, type);
  const auto bytes = repeated(type, value, checked_multiply(examples.count, elements));
  examples.columns[name] = {
      type.dtype == DType::i32 ? train::ColumnKind::i32_labels : train::ColumnKind::f32_values, elements,
      *bytes};
  examples.owner =
      std::make_shared<const std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>>(
          examples.owner, bytes);
}

using LoadedImages = ExamplesFlags::Loaded;

std::string numbered(const std::vector<std::string>& names) {
  constexpr std::size_t most = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i)
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", i, names[i]);
  return names.size() > most ? text + ", …" : text;
}

LoadedImages images_of_file(const ModelDefinition& model, const train::ImageFiles& files, Console& console) {
  const train::ReadingOptions reading =
      model.data ? train::reading_options(*model.data) : train::ReadingOptions{};
  auto images = std::make_shared<const train::ImageSet>(train::load_images(files, reading));
  for (const std::string& note : images->notes) console.warning(note);
  if (!images->class_names.empty() && reading.classes.empty())
    console.warning(fmt::format("the model knows no classes by name; these labels are numbered {}",
                                numbered(images->class_names)));
  return {files.images.string(), std::move(images)};
}

LoadedImages rows_of_file(const ModelDefinition& model, const std::string& path, const std::string& label,
                          Console& console) {
  const train::TableText table{std::filesystem::path(path)};
  const std::string column = label.empty() ? train::own_label(table, *model.data) : label;
  auto rows = std::make_shared<const train::ImageSet>(train::examples_of(
      table, train::load_table(table, *model.data, {.label = column, .ignored = {}}), *model.data->table));
  for (const std::string& note : rows->notes) console.warning(note);
  return {path, std::move(rows)};
}

/// Of files by path, each split has its own.
std::string name_of_split(const train::Dataset& data, const ModelDefinition& model,
                          const std::string& split) {
  if (!model.data->name.empty() || split != "test" || !model.data->test) return data.name;
  return train::name_of_file(model.data->test->images);
}

LoadedImages images_of_model(const ModelDefinition& model, const std::string& split, Console& console) {
  const auto data = std::make_shared<const train::Dataset>(train::load_model_data(model));
  for (const std::string& note : train::notes_on(*data)) console.warning(note);
  const train::ImageSet& part = split == "train"        ? data->train
                                : split == "validation" ? data->validation
                                                        : data->test;
  if (part.count == 0)
    throw Error(ErrorCode::data,
                fmt::format("the model's data has no {} {}; --split {} takes others", split,
                            data->train.noun(), data->validation.count > 0 ? "validation" : "train"));
  return {fmt::format("{} ({})", name_of_split(*data, model, split), split), {data, &part}};
}

}  // namespace

void ExamplesFlags::declare(Arguments& arguments) {
  arguments.option("--split", split, "NAME",
                   "test (default), validation or train examples of the model's data");
  arguments.option(
      "--images,--table", images, "FILE",
      "take the images from this IDX, NPY, CSV or picture file or folder of pictures instead, or the "
      "rows from this table");
  arguments.option("--labels", labels, "FILE", "their labels: IDX, NPY or CSV");
  arguments.option("--targets", targets, "FILE",
                   "what the images are to become, as `targets:` under `data:`");
  arguments.option("--label-column", label_column, "NAME",
                   "the column of a CSV file that holds the labels (default: `label`, if there is one)");
  arguments.option("--first", first, "N", "only the first N images");
  arguments.option("--input", inputs, "NAME=VALUE",
                   "a value for an input, the same for all images; repeatable");
}

ExamplesFlags::Loaded ExamplesFlags::loaded_from(const ModelDefinition& model, Console& console) const {
  if (images.empty()) return images_of_model(model, split, console);
  if (model.data && model.data->table) return rows_of_file(model, images, label_column, console);
  return images_of_file(model, files(model), console);
}

NamedExamples ExamplesFlags::load(const ModelDefinition& model, Console& console) const {
  check();
  const Loaded loaded = loaded_from(model, console);
  NamedExamples result{loaded.name, loaded.images, train::bind_images(model, loaded.images)};
  if (first) result.examples = train::first_of(result.examples, *first);
  add_constant_inputs(result.examples, model, inputs);
  return result;
}

void ExamplesFlags::check() const {
  if (split != "train" && split != "validation" && split != "test")
    throw Error(ErrorCode::usage, fmt::format("--split {}: there are train, validation and test", split));
  if (first && *first < 1)
    throw Error(ErrorCode::usage, fmt::format("--first {}: at least one image is needed", *first));
  if (!images.empty()) return;
  for (const auto& [flag, value] :
       {std::pair("--labels", &labels), std::pair("--label-column", &label_column),
        std::pair("--targets", &targets)})
    if (!value->empty())
      throw Error(ErrorCode::usage,
                  fmt::format("{} {}: they are of images of your own: add --images FILE", flag, *value));
}

/// Where nothing else is said, the column that the model's own data have their labels in serves other files
/// of their kind too, if they have it.
train::ImageFiles ExamplesFlags::files(const ModelDefinition& model) const {
  train::ImageFiles files{
      .images = images, .labels = labels, .label_column = label_column, .targets = targets};
  const bool has_train = model.data && model.data->train;
  if (has_train) files.first_label = static_cast<std::int32_t>(model.data->train->first_label);
  if (!label_column.empty() || !labels.empty()) return files;
  if (has_train && model.data->train->labels.empty()) files.label_column = model.data->train->label_column;
  files.needs_label_column = false;
  return files;
}

SplitExamples load_splits(const ModelDefinition& model, Console& console) {
  auto data = std::make_shared<const train::Dataset>(train::load_model_data(model));
  for (const std::string& note : train::notes_on(*data)) console.warning(note);
  const auto bound = [&](const train::ImageSet& split) {
    return train::bind_images(model, std::shared_ptr<const train::ImageSet>(data, &split));
  };
  train::Examples training = bound(data->train);
  train::Examples test = data->measured().count > 0 ? bound(data->measured()) : training;
  return {std::move(data), std::move(training), std::move(test)};
}

void add_constant_inputs(train::Examples& examples, const ModelDefinition& model,
                         const std::vector<std::string>& inputs, std::string_view codes) {
  for (const std::string& word : inputs) {
    if (!codes.empty() && word.substr(0, word.find('=')) == codes)
      throw Error(ErrorCode::usage,
                  fmt::format("--input {}: '{}' is the code, which this command gives the decoder itself; "
                              "graphrun decode takes codes of your own from a file",
                              word, codes));
    add_constant_input(examples, model, word);
  }
}

}  // namespace graphrun::cli
