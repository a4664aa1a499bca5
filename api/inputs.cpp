#include "api/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "train/learn/programs.hpp"

namespace graphrun::api {

namespace {

const char* element_name(const InputValues& input) {
  constexpr const char* names[] = {"float", "int32", "uint8"};
  return names[input.values.index()];
}

std::size_t element_total(const InputValues& input) {
  return std::visit([](const auto& values) { return values.size(); }, input.values);
}

std::span<const std::byte> bytes_of_values(const InputValues& input) {
  return std::visit([](const auto& values) { return std::as_bytes(values); }, input.values);
}

train::ColumnKind kind_of(const InputValues& input, const Type& type) {
  using train::ColumnKind;
  const bool whole = type.dtype == DType::i32;
  if (std::holds_alternative<std::span<const std::uint8_t>>(input.values))
    return whole ? ColumnKind::u8_labels : ColumnKind::u8_pixels;
  const bool given_whole = std::holds_alternative<std::span<const std::int32_t>>(input.values);
  if (whole == given_whole) return whole ? ColumnKind::i32_labels : ColumnKind::f32_values;
  throw Error(ErrorCode::usage, fmt::format("input '{}' is {}; {} values do not fit it", input.name,
                                            to_string(type), element_name(input)));
}

/// Elements of one row: all of them when the first axis is the batch, which is all that a column can hold.
std::int64_t elements_of_row(const InputValues& input, const Type& type) {
  if (type.shape.empty() || !type.shape.front().is_batch())
    throw Error(ErrorCode::usage,
                fmt::format("'{}' is {}; only values with the batch as first axis can be given", input.name,
                            to_string(type)));
  return element_count(bind(type.shape, std::int64_t{1}));
}

std::int64_t rows_of(const InputValues& input, const Type& type) {
  const std::int64_t elements = elements_of_row(input, type);
  const auto total = static_cast<std::int64_t>(element_total(input));
  if (elements == 0 || total == 0 || total % elements != 0)
    throw Error(ErrorCode::usage, fmt::format("'{}' is {}: {} values are no whole number of rows of {}",
                                              input.name, to_string(type), total, elements));
  return total / elements;
}

void add(train::Examples& examples, const Node& node, const InputValues& input) {
  const Type& type = node.type;
  const train::ColumnKind kind = kind_of(input, type);
  const std::int64_t rows = rows_of(input, type);
  if (!examples.columns.empty() && rows != examples.count)
    throw Error(ErrorCode::usage, fmt::format("'{}' has {} rows and '{}' {}", input.name, rows,
                                              examples.columns.begin()->first, examples.count));
  if (!examples.columns
           .emplace(node.name, train::Column{kind, elements_of_row(input, type), bytes_of_values(input)})
           .second)
    throw Error(ErrorCode::usage, fmt::format("'{}' is given twice", input.name));
  examples.count = rows;
}

std::vector<std::string> column_names(const train::Examples& examples) {
  std::vector<std::string> names;
  for (const auto& [name, column] : examples.columns) names.push_back(name);
  return names;
}

}  // namespace

train::Examples examples_of(const ModelDefinition& model, const Inputs& inputs) {
  train::Examples examples;
  for (const InputValues& input : inputs)
    add(examples, model.graph.node(train::given_node(model, input.name)), input);
  if (inputs.empty()) throw Error(ErrorCode::usage, "no input is given, so there is no row to work on");
  const bool has_weights =
      std::ranges::find(model.inputs, InputSource::weights, &ModelInput::source) != model.inputs.end();
  if (has_weights) examples.columns.try_emplace(weights_input, train::Column{train::ColumnKind::ones, 1, {}});
  return examples;
}

train::Examples examples_of(const Node& node, std::span<const float> values) {
  train::Examples examples;
  add(examples, node, {node.name, values});
  return examples;
}

BoundInputs::BoundInputs(const ModelDefinition& model, const Inputs& inputs)
    : examples_(examples_of(model, inputs)), batch_(examples_, column_names(examples_), examples_.count) {
  batch_.gather(0, examples_.count);
}

std::vector<runtime::Feed> BoundInputs::feeds(const std::vector<std::string>& needed) const {
  std::vector<runtime::Feed> chosen;
  for (const std::string& name : needed) {
    const auto found = std::find_if(batch_.feeds().begin(), batch_.feeds().end(),
                                    [&](const runtime::Feed& feed) { return feed.name == name; });
    if (found == batch_.feeds().end())
      throw Error(ErrorCode::usage, fmt::format("input '{}' is needed and not given", name));
    chosen.push_back(*found);
  }
  return chosen;
}

float element(const train::OutputValues& output, std::size_t index) {
  const std::byte* bytes = output.bytes.data();
  if (output.type.dtype == DType::u8) return static_cast<float>(std::to_integer<int>(bytes[index]));
  if (output.type.dtype == DType::i32) {
    std::int32_t value = 0;
    std::memcpy(&value, bytes + index * sizeof value, sizeof value);
    return static_cast<float>(value);
  }
  float value = 0;
  std::memcpy(&value, bytes + index * sizeof value, sizeof value);
  return value;
}

}  // namespace graphrun::api
