#include "api/bound_rows.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "train/datasets/bind_inputs.hpp"

namespace graphrun::api {

const DataRecipe& row_data_of(const Model& model) {
  const ModelDefinition& definition = model.definition();
  if (!definition.data || !definition.data->table)
    throw Error(ErrorCode::usage, fmt::format("model '{}' has not learnt from a table", definition.name));
  if (definition.data->table->windows)
    throw Error(ErrorCode::usage,
                fmt::format("model '{}' looks at windows of rows, not at rows", definition.name));
  return *definition.data;
}

BoundRows::BoundRows(const Model& model, train::ImageSet rows)
    : examples_(
          train::bind_images(model.definition(), std::make_shared<const train::ImageSet>(std::move(rows)))) {
  for (const auto& [name, column] : examples_.columns)
    if (column.kind == train::ColumnKind::ones)
      ones_[name].assign(static_cast<std::size_t>(examples_.count * column.row_elements), 1.0F);
}

std::optional<InputSpan> BoundRows::values_of(const std::string& input) const {
  const auto found = examples_.columns.find(input);
  if (found == examples_.columns.end()) return std::nullopt;
  const train::Column& column = found->second;
  if (const auto made = ones_.find(input); made != ones_.end()) return std::span<const float>(made->second);
  const auto count = static_cast<std::size_t>(examples_.count * column.row_elements);
  if (column.kind == train::ColumnKind::i32_labels)
    return std::span(reinterpret_cast<const std::int32_t*>(column.bytes.data()), count);
  return std::span(reinterpret_cast<const float*>(column.bytes.data()), count);
}

InputSpan BoundRows::needed_values_of(const std::string& input) const {
  if (const std::optional<InputSpan> values = values_of(input)) return *values;
  throw Error(ErrorCode::usage, fmt::format("the rows have nothing for the input '{}'", input));
}

}  // namespace graphrun::api
