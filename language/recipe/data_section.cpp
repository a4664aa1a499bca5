#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "language/expand/scope_values.hpp"
#include "language/recipe/section_reader.hpp"
#include "language/recipe/sections.hpp"
#include "language/recipe/table_section.hpp"

namespace graphrun {
namespace {

constexpr const char* files_example = "Write {train: {images: FILE, labels: FILE}, test: {images: FILE}}.";

/// Reads `data:` when it is a mapping.
class DataReader {
 public:
  DataReader(const YamlNode& section, Expansion& expansion)
      : section_(section), expansion_(expansion), reader_(section, expansion) {}

  void read(DataRecipe& recipe) {
    if (!reader_.check(section_of("data"))) return;
    if (section_.find("train") == nullptr && !section_.entries.empty())
      reader_.wrong(section_, "`data:` names no files to train on",
                    "Write {train: {images: FILE}} or {train: {table: FILE}}.");
    if (const YamlNode* train = reader_.find("train")) recipe.train = read_files(*train, "train");
    if (const YamlNode* test = reader_.find("test")) recipe.test = read_files(*test, "test");
    read_table(recipe);
    read_shape(recipe);
    reader_.read(data_rows, recipe);
    recipe.resize = read_sides("resize");
    recipe.crop = read_sides("crop");
    if (recipe.crop.size() == 1) recipe.crop.push_back(recipe.crop.front());
    if (recipe.channels == 2)
      reader_.wrong(*reader_.find("channels"), "`channels:` is 1 for grey or 3 for colour, not 2");
    read_classes(recipe);
  }

 private:
  std::optional<DataRecipe::Files> read_files(const YamlNode& part, const std::string& key) {
    SectionReader reader(part, expansion_);
    if (!reader.is_mapping(fmt::format("`{}:` names files", key), "Write {images: FILE, labels: FILE}."))
      return std::nullopt;
    Section keys = files_section;
    keys.title = fmt::format("`data.{}`", key);
    reader.check(keys);
    if (part.find("table") != nullptr) return read_table_files(part, key);
    if (part.find("images") == nullptr) reader_.wrong(part, fmt::format("`data.{}` names no images", key));
    DataRecipe::Files files;
    if (const YamlNode* images = part.find("images")) files.images = path(*images, "images");
    const YamlNode* labels = part.find("labels");
    if (labels != nullptr && labels->is_mapping())
      read_labels(*labels, key, files);
    else if (labels != nullptr)
      files.labels = path(*labels, "labels");
    if (const YamlNode* targets = part.find("targets")) files.targets = path(*targets, "targets");
    if (const YamlNode* weights = part.find("weights")) files.weights = path(*weights, "weights");
    if (const YamlNode* arrays = part.find("arrays")) read_arrays(*arrays, files);
    return files;
  }

  std::optional<DataRecipe::Files> read_table_files(const YamlNode& part, const std::string& key) {
    constexpr std::array<std::pair<const char*, const char*>, 5> others = {
        {{"images", ""},
         {"labels", "Write label: COLUMN."},
         {"targets", "Write columns: {target: COLUMN} under `data:`."},
         {"weights", "Write columns: {weight: COLUMN} under `data:`."},
         {"arrays", "An input takes a column by {from: column, name: COLUMN}."}}};
    for (const auto& [other, fix] : others)
      if (const YamlNode* node = part.find(other))
        reader_.wrong(*node, fmt::format("`data.{}` is a table, which has no `{}:`", key, other), fix);
    DataRecipe::Files files;
    files.images = path(*part.find("table"), "table");
    if (const YamlNode* label = part.find("label")) {
      files.label_column = label->text;
      if (!label->is_scalar()) reader_.wrong(*label, "`label:` is the name of a column");
    }
    return files;
  }

  /// All files are tables, or none is.
  void read_table(DataRecipe& recipe) {
    const auto is_table = [&](const char* part) {
      const YamlNode* files = section_.find(part);
      return files != nullptr && files->find("table") != nullptr;
    };
    if (!is_table("train")) {
      refuse_table_keys(section_, expansion_);
      if (is_table("test"))
        reader_.wrong(*section_.find("test"), "the test data are a table, the training data are none",
                      "Write train: {table: FILE.csv}.");
      return;
    }
    if (section_.find("test") != nullptr && !is_table("test"))
      reader_.wrong(*section_.find("test"), "the training data are a table, the test data are none",
                    "Write test: {table: FILE.csv}.");
    for (const char* key : {"shape", "channels", "resize", "crop", "transposed", "divide_by", "names"})
      if (const YamlNode* node = section_.find(key))
        reader_.wrong(*node, fmt::format("`{}:` is about images, and the data are a table", key),
                      "`columns:` says how the columns of a table are read.");
    recipe.table = read_table_section(section_, expansion_);
    if (recipe.test && recipe.table->split.test > 0)
      reader_.wrong(*section_.find("split"),
                    "the test data are both a table and a share of the training table",
                    "Take `test:` away from `data:` or from `split:`.");
  }

  std::string path(const YamlNode& node, const char* key) {
    if (node.is_scalar()) return node.text;
    if (!node.is_empty())
      reader_.wrong(node, fmt::format("`{}:` is a path, not {}", key, describe_kind(node)),
                    key == std::string_view("table") && node.is_sequence()
                        ? "Put the files into a folder, and write its name: all tables in it are one."
                        : "");
    return {};
  }

  /// `labels: {column: species}`, `labels: {file: FILE, column: species}`.
  void read_labels(const YamlNode& labels, const std::string& key, DataRecipe::Files& files) {
    Section section = labels_section;
    section.title = fmt::format("`data.{}.labels`", key);
    if (!SectionReader(labels, expansion_).check(section)) return;
    if (const YamlNode* file = labels.find("file")) files.labels = path(*file, "file");
    SectionReader keys(labels, expansion_);
    files.first_label = keys.integer(*labels_section.find("first")).value_or(0);
    const YamlNode* column = labels.find("column");
    if (column != nullptr && column->is_scalar() && !column->text.empty())
      files.label_column = column->text;
    else if (column != nullptr && !column->is_empty())
      reader_.wrong(*column, "`labels:` is a file, or names a column of a CSV file",
                    "Write labels: FILE, or labels: {column: NAME}.");
  }

  void read_arrays(const YamlNode& arrays, DataRecipe::Files& files) {
    if (arrays.is_scalar()) {
      files.all_arrays = arrays.text;
      return;
    }
    if (!arrays.is_mapping()) {
      if (!arrays.is_empty())
        reader_.wrong(arrays, fmt::format("`arrays:` are names and files, not {}", describe_kind(arrays)),
                      "Write {NAME: FILE}, or FILE.npz for all arrays in it.");
      return;
    }
    for (const YamlEntry& entry : arrays.entries) files.arrays[entry.key] = path(entry.value, "arrays");
  }

  /// `resize: 64`, `crop: [64, 48]`: one side or two.
  std::vector<std::int64_t> read_sides(const char* key) {
    const std::optional<Value> value = reader_.value(key);
    if (!value) return {};
    constexpr std::int64_t longest = 32'768;
    std::vector<std::int64_t> sides;
    const auto add = [&](const Value& side) {
      if (side.integer() != nullptr && *side.integer() >= 1 && *side.integer() <= longest)
        sides.push_back(*side.integer());
    };
    if (value->list() == nullptr) add(*value);
    for (std::size_t i = 0; value->list() != nullptr && i < value->list()->size(); ++i)
      add((*value->list())[i]);
    const std::size_t written = value->list() == nullptr ? 1 : value->list()->size();
    if (sides.size() == written && (written == 1 || written == 2)) return sides;
    reader_.wrong(*reader_.find(key), fmt::format("`{}:` is a height and a width in pixels", key),
                  fmt::format("Write {}: [64, 64].", key));
    return {};
  }

  void read_shape(DataRecipe& recipe) {
    const std::optional<Value> value = reader_.value("shape");
    if (!value) return;
    std::vector<std::int64_t> shape;
    if (value->list() != nullptr)
      for (const Value& size : *value->list())
        if (size.integer() != nullptr && *size.integer() >= 1) shape.push_back(*size.integer());
    constexpr std::int64_t most = std::int64_t{1} << 32;
    std::int64_t product = 1;
    for (const std::int64_t size : shape) product = size > most / product ? most : product * size;
    const bool is_shape = value->list() != nullptr && shape.size() == value->list()->size() &&
                          shape.size() >= 2 && shape.size() <= 3 && product < most;
    if (!is_shape)
      reader_.wrong(*reader_.find("shape"),
                    "`shape:` is the height and width of an image, and how many channels it has",
                    "Write shape: [28, 28], or shape: [32, 32, 3].");
    else
      recipe.shape = std::move(shape);
  }

  void read_classes(DataRecipe& recipe) {
    recipe.classes = read_texts("classes", "class", "`classes:` lists the names of the labels",
                                "Write classes: [cat, dog]: cat is 0, dog is 1.");
    recipe.names = read_texts("names", "column", "`names:` lists the columns of a CSV file",
                              "Write names: [height, width].");
  }

  /// Texts, and numbers as such, none of them twice.
  std::vector<std::string> read_texts(const char* key, const char* noun, const char* all,
                                      const char* example) {
    const std::optional<Value> value = reader_.value(key);
    if (!value) return {};
    const YamlNode& at = *reader_.find(key);
    if (value->list() == nullptr || value->list()->empty()) {
      reader_.wrong(at, fmt::format("{}, it is {}", all, described(*value)), example);
      return {};
    }
    std::vector<std::string> texts;
    std::set<std::string> known;
    for (const Value& name : *value->list()) {
      if (name.text() == nullptr && name.integer() == nullptr) {
        reader_.wrong(at, fmt::format("a {} is a name, not {}", noun, described(name)), "Put it in quotes.");
        return {};
      }
      std::string text = name.text() != nullptr ? *name.text() : to_string(name);
      if (!known.insert(text).second) {
        reader_.wrong(at, fmt::format("the {} '{}' is listed twice", noun, text));
        return {};
      }
      texts.push_back(std::move(text));
    }
    return texts;
  }

  const YamlNode& section_;
  Expansion& expansion_;
  SectionReader reader_;
};

}  // namespace

std::optional<DataRecipe> read_data(const YamlNode& section, Expansion& expansion) {
  SectionReader reader(section, expansion);
  DataRecipe recipe;
  recipe.where = reader.where();
  if (section.is_scalar()) {
    const std::optional<Value> name = value_of(expansion.top, section);
    if (!name) return std::nullopt;
    if (name->text() == nullptr) {
      reader.wrong(section, fmt::format("`data:` is the name of a data set, not {}", described(*name)));
      return std::nullopt;
    }
    recipe.name = *name->text();
    return recipe;
  }
  if (!reader.is_mapping("`data:` names a data set or files", files_example)) return std::nullopt;
  DataReader(section, expansion).read(recipe);
  return recipe;
}

}  // namespace graphrun
