#include "train/datasets/bind_inputs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "errors/nearest.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun::train {

namespace {

std::string size_of(const ImageSet& images) {
  if (images.height == 1 && images.channels == 1) return fmt::format("rows of {}", images.width);
  if (images.channels == 1) return fmt::format("{} × {}", images.height, images.width);
  return fmt::format("{} × {} × {}", images.height, images.width, images.channels);
}

template <class Element>
std::span<const std::byte> bytes_of(const Element* elements, std::size_t count) {
  return std::as_bytes(std::span(elements, count));
}

Column column_of(ColumnKind kind, const Stored<std::uint8_t>& elements, std::int64_t width) {
  return {kind, width, bytes_of(elements.data(), elements.size()), elements.file()};
}

Column column_of(const Stored<float>& elements, std::int64_t width) {
  return {ColumnKind::f32_values, width, bytes_of(elements.data(), elements.size()), elements.file()};
}

Column column_of(const std::vector<float>& values, std::int64_t width) {
  return {ColumnKind::f32_values, width, bytes_of(values.data(), values.size())};
}

Column column_of(const std::vector<std::int32_t>& numbers, std::int64_t width) {
  return {ColumnKind::i32_labels, width, bytes_of(numbers.data(), numbers.size())};
}

/// Columns of the inputs of a model, and the memory of those that had to be made.
class Binding {
 public:
  Binding(const ModelDefinition& model, std::shared_ptr<const ImageSet> images)
      : model_(model), images_(std::move(images)) {}

  Examples run() {
    examples_.count = static_cast<std::int64_t>(images_->count);
    for (const ModelInput& input : model_.inputs)
      if (const std::optional<Column> column = column_for(input)) examples_.columns[input.name] = *column;
    if (made_.empty())
      examples_.owner = images_;
    else
      examples_.owner = std::make_shared<const Owner>(images_, std::move(made_));
    return std::move(examples_);
  }

 private:
  using Numbers = std::vector<std::int32_t>;
  using Owner = std::pair<std::shared_ptr<const ImageSet>, std::vector<std::shared_ptr<const Numbers>>>;

  /// What an input takes of the examples; nothing where they have none of it.
  std::optional<Column> column_for(const ModelInput& input) {
    const auto width = static_cast<std::int64_t>(images_->values_per_image());
    switch (input.source) {
      case InputSource::images:
      case InputSource::cells:
        require_size(model_, input, *images_);
        return elements_for(input, images_->images, images_->values, width);
      case InputSource::mask:
        if (!images_->is_table) return std::nullopt;
        require_size(model_, input, *images_);
        if (images_->mask.empty()) return Column{ColumnKind::ones, width, {}};
        return column_of(images_->mask, width);
      case InputSource::labels:
        return images_->has_labels() ? std::optional(column_of(images_->labels, 1)) : std::nullopt;
      case InputSource::target:
        if (images_->targets.empty()) return std::nullopt;
        return column_of(images_->targets,
                         static_cast<std::int64_t>(images_->targets.size() / images_->count));
      case InputSource::weights:
        return images_->weights.empty() ? Column{ColumnKind::ones, 1, {}} : column_of(images_->weights, 1);
      case InputSource::targets:
        return images_->image_targets ? std::optional(part_for(input, *images_->image_targets, "targets"))
                                      : std::nullopt;
      case InputSource::column:
        return part_for(input, images_->columns);
      case InputSource::array:
        return part_for(input, images_->arrays);
    }
    return std::nullopt;
  }

  std::optional<Column> part_for(const ModelInput& input, const std::map<std::string, SideValues>& parts) {
    const auto found = parts.find(input.part);
    if (found != parts.end()) return part_for(input, found->second, "rows of '" + input.part + "'");
    if (input.source != InputSource::array || parts.empty()) return std::nullopt;
    std::vector<std::string> names;
    for (const auto& [name, part] : parts) names.push_back(name);
    throw Error(ErrorCode::model,
                fmt::format("there is no array '{}'. {}", input.part, suggestion(input.part, names)),
                input.where, input.name);
  }

  Column part_for(const ModelInput& input, const SideValues& part, const std::string& what) {
    const std::int64_t wanted = row_elements(model_, input);
    const auto width = static_cast<std::int64_t>(part.row_elements());
    if (wanted != width)
      throw Error(ErrorCode::model,
                  fmt::format("the input takes {} values an example, the {} have {}: [{}]", wanted, what,
                              width, fmt::join(part.shape, ", ")),
                  input.where, input.name);
    if (!part.numbers.empty()) return column_of(part.numbers, width);
    return elements_for(input, part.pixels, part.values, width);
  }

  /// Pixels or values, or whole numbers where the input takes such.
  Column elements_for(const ModelInput& input, const Stored<std::uint8_t>& pixels,
                      const Stored<float>& values, std::int64_t width) {
    const bool is_whole = model_.graph.node(*model_.graph.find(input.name)).type.dtype == DType::i32;
    if (values.empty())
      return column_of(is_whole ? ColumnKind::u8_labels : ColumnKind::u8_pixels, pixels, width);
    if (!is_whole) return column_of(values, width);
    constexpr float most = 16'777'216;  // f32 holds all whole numbers up to this
    Numbers numbers;
    numbers.reserve(values.size());
    for (const float value : values) {
      if (value != std::floor(value) || std::abs(value) > most)
        throw Error(ErrorCode::data,
                    fmt::format("the input takes whole numbers up to {}, and the data hold {}", most, value),
                    input.where, input.name);
      numbers.push_back(static_cast<std::int32_t>(value));
    }
    made_.push_back(std::make_shared<const Numbers>(std::move(numbers)));
    return column_of(*made_.back(), width);
  }

  const ModelDefinition& model_;
  std::shared_ptr<const ImageSet> images_;
  Examples examples_;
  std::vector<std::shared_ptr<const Numbers>> made_;
};

/// What gives an input its values, and a command for other files.
std::string giver_of(const ModelInput& input, bool is_table) {
  switch (input.source) {
    case InputSource::labels:
      return is_table
                 ? "the column gives it that `label:` beside `table:` names, or `columns: {target: COLUMN}`, "
                   "and not every row at hand has a value there"
                 : "labels give it: `labels:` beside `images:` under `data:`, or --labels FILE";
    case InputSource::targets:
      return "it is what the images are to become: `targets:` beside `images:` under `data:`, or --targets "
             "FILE, gives it";
    case InputSource::array:
      return fmt::format("an array gives it: `arrays: {{{}: FILE}}` beside `images:` under `data:`",
                         input.part);
    case InputSource::target:
      return "it is what is learnt (`columns: {target: COLUMN}`), and not every row at hand has that";
    case InputSource::column:
      return fmt::format("it is the column '{}', and not every row at hand has a value there", input.part);
    case InputSource::mask:
      return "a table gives it: `table:` in the place of `images:` under `data:`";
    case InputSource::images:
    case InputSource::cells:
    case InputSource::weights:
      break;
  }
  return "give it a value for all rows, as in --input y=7";
}

}  // namespace

void require_values(const ModelDefinition& model, const Examples& examples,
                    std::span<const std::string> inputs) {
  for (const std::string& name : inputs) {
    if (examples.columns.contains(name)) continue;
    const auto input = std::ranges::find(model.inputs, name, &ModelInput::name);
    const bool is_table = model.data && model.data->table;
    const ModelInput unknown{.name = name, .where = {}};
    const ModelInput& missing = input == model.inputs.end() ? unknown : *input;
    throw Error(ErrorCode::usage,
                fmt::format("input '{}' is needed and not given; {}", name, giver_of(missing, is_table)),
                missing.where);
  }
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
  return Binding(model, std::move(images)).run();
}

}  // namespace graphrun::train
