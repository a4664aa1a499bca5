#include "api/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "api/boundary.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::api {

namespace {

const char* element_name(std::size_t variant) {
  constexpr const char* names[] = {"float", "int32", "uint8"};
  return names[variant];
}

std::size_t element_total(const InputValues& input) {
  return std::visit([](const auto& values) { return values.size(); }, input.values);
}

std::span<const std::byte> bytes_of_values(const InputValues& input) {
  return std::visit([](const auto& values) { return std::as_bytes(values); }, input.values);
}

/// `given`: in the order of the variants, float, int32, uint8.
train::ColumnKind kind_of(const std::string& name, std::size_t given, const Type& type) {
  using train::ColumnKind;
  const bool whole = type.dtype == DType::i32;
  if (given == 2) return whole ? ColumnKind::u8_labels : ColumnKind::u8_pixels;
  if (whole == (given == 1)) return whole ? ColumnKind::i32_labels : ColumnKind::f32_values;
  throw Error(ErrorCode::usage, fmt::format("input '{}' is {}; {} values do not fit it", name,
                                            to_string(type), element_name(given)));
}

/// Elements of one row: all of them when the first axis is the batch, which is all that a column can hold.
std::int64_t elements_of_row(const std::string& name, const Type& type) {
  if (type.shape.empty() || !type.shape.front().is_batch())
    throw Error(ErrorCode::usage,
                fmt::format("'{}' is {}; only values with the batch as first axis can be given", name,
                            to_string(type)));
  return element_count(bind(type.shape, std::int64_t{1}));
}

std::int64_t rows_of(const InputValues& input, const Type& type) {
  const std::int64_t elements = elements_of_row(input.name, type);
  const auto total = static_cast<std::int64_t>(element_total(input));
  if (elements == 0 || total == 0 || total % elements != 0)
    throw Error(ErrorCode::usage, fmt::format("'{}' is {}: {} values are no whole number of rows of {}",
                                              input.name, to_string(type), total, elements));
  return total / elements;
}

void add(train::Examples& examples, const Node& node, const InputValues& input) {
  const Type& type = node.type;
  const train::ColumnKind kind = kind_of(input.name, input.values.index(), type);
  const std::int64_t rows = rows_of(input, type);
  if (!examples.columns.empty() && rows != examples.count)
    throw Error(ErrorCode::usage, fmt::format("'{}' has {} rows and '{}' {}", input.name, rows,
                                              examples.columns.begin()->first, examples.count));
  if (!examples.columns
           .emplace(node.name, train::Column{kind, elements_of_row(input.name, type), bytes_of_values(input)})
           .second)
    throw Error(ErrorCode::usage, fmt::format("'{}' is given twice", input.name));
  examples.count = rows;
}

/// Does it say how much examples count? Where they are not given they are 1.
bool has_weights(const ModelDefinition& model) {
  return std::ranges::find(model.inputs, InputSource::weights, &ModelInput::source) != model.inputs.end();
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
  if (has_weights(model))
    examples.columns.try_emplace(weights_input, train::Column{train::ColumnKind::ones, 1, {}});
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

BoundSource::BoundSource(const ModelDefinition& model, Source& source)
    : source_(source), inputs_(call_host([&] { return source.inputs(); })) {
  for (const SourceInput& input : inputs_) {
    const Node& node = model.graph.node(train::given_node(model, input.name));
    if (std::ranges::find(columns_, node.name, &train::SourceColumn::input) != columns_.end())
      throw Error(ErrorCode::usage, fmt::format("'{}' is given twice", input.name));
    columns_.push_back({node.name, kind_of(input.name, static_cast<std::size_t>(input.type), node.type),
                        elements_of_row(input.name, node.type)});
  }
  if (inputs_.empty())
    throw Error(ErrorCode::usage, "the source gives no input, so there is no row to work on");
  const bool lacks_weights =
      has_weights(model) &&
      std::ranges::find(columns_, weights_input, &train::SourceColumn::input) == columns_.end();
  if (lacks_weights) columns_.push_back({std::string(weights_input), train::ColumnKind::ones, 1});
  buffers_.resize(inputs_.size());
}

void BoundSource::restart(std::uint64_t seed) {
  call_host([&] { source_.restart(seed); });
}

std::int64_t BoundSource::next(std::span<const std::span<std::byte>> into, std::int64_t rows) {
  const auto elements = [](std::span<std::byte> bytes, auto element) {
    using Element = decltype(element);
    return RowBuffer(std::span(reinterpret_cast<Element*>(bytes.data()), bytes.size() / sizeof(Element)));
  };
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    switch (inputs_[i].type) {
      case ElementType::f32:
        buffers_[i] = elements(into[i], float{});
        break;
      case ElementType::i32:
        buffers_[i] = elements(into[i], std::int32_t{});
        break;
      case ElementType::u8:
        buffers_[i] = elements(into[i], std::uint8_t{});
        break;
    }
  }
  return call_host([&] { return source_.next(buffers_, rows); });
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
