#include "train/examples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace graphrun::train {

namespace {

/// value / 255 for every byte: the same rounding as a division, without one a pixel.
const std::array<float, 256>& unit_interval() {
  static const std::array<float, 256> table = [] {
    std::array<float, 256> values{};
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 255.0F;
    return values;
  }();
  return table;
}

std::size_t stored_bytes(ColumnKind kind) {
  return kind == ColumnKind::u8_pixels || kind == ColumnKind::u8_labels ? 1 : 4;
}

/// One row of a column as the input takes it: f32 or i32, both of four bytes.
void convert_row(const Column& column, std::int64_t row, std::byte* into) {
  const auto elements = static_cast<std::size_t>(column.row_elements);
  const std::byte* from =
      column.bytes.data() + static_cast<std::size_t>(row) * elements * stored_bytes(column.kind);
  switch (column.kind) {
    case ColumnKind::f32_values:
    case ColumnKind::i32_labels:
      std::memcpy(into, from, elements * 4);
      return;
    case ColumnKind::u8_pixels: {
      const std::array<float, 256>& table = unit_interval();
      auto* values = reinterpret_cast<float*>(into);
      for (std::size_t i = 0; i < elements; ++i) values[i] = table[std::to_integer<std::size_t>(from[i])];
      return;
    }
    case ColumnKind::u8_labels: {
      auto* values = reinterpret_cast<std::int32_t*>(into);
      for (std::size_t i = 0; i < elements; ++i) values[i] = std::to_integer<std::int32_t>(from[i]);
      return;
    }
  }
}

}  // namespace

Examples first_of(const Examples& examples, std::int64_t count) {
  Examples part = examples;
  part.count = std::min(examples.count, count);
  return part;
}

Batch::Batch(const Examples& examples, const std::vector<std::string>& inputs, std::int64_t max_rows)
    : max_rows_(max_rows) {
  for (const std::string& name : inputs) {
    const auto found = examples.columns.find(name);
    if (found == examples.columns.end())
      throw Error(ErrorCode::usage, fmt::format("the examples have no values for input '{}'", name));
    const Column& column = found->second;
    const auto needed = static_cast<std::size_t>(checked_multiply(
        examples.count,
        checked_multiply(column.row_elements, static_cast<std::int64_t>(stored_bytes(column.kind)))));
    if (column.bytes.size() < needed)
      throw Error(ErrorCode::usage, fmt::format("input '{}': {} examples need {} bytes, the buffer has {}",
                                                name, examples.count, needed, column.bytes.size()));
    Buffer buffer{
        .column = column, .bytes_per_row = static_cast<std::size_t>(column.row_elements) * 4, .bytes = {}};
    buffer.bytes.resize(static_cast<std::size_t>(
        checked_multiply(max_rows, static_cast<std::int64_t>(buffer.bytes_per_row))));
    buffers_.push_back(std::move(buffer));
    feeds_.push_back({name, {}});
  }
}

template <class RowAt>
void Batch::fill(std::int64_t count, const RowAt& row_at) {
  if (count > max_rows_) throw Error(ErrorCode::internal, "a batch is larger than its buffers");
  rows_ = count;
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    Buffer& buffer = buffers_[i];
    std::byte* into = buffer.bytes.data();
    for (std::int64_t row = 0; row < count; ++row, into += buffer.bytes_per_row)
      convert_row(buffer.column, row_at(row), into);
    feeds_[i].bytes = {buffer.bytes.data(), static_cast<std::size_t>(count) * buffer.bytes_per_row};
  }
}

void Batch::gather(std::span<const std::uint32_t> rows) {
  fill(static_cast<std::int64_t>(rows.size()),
       [rows](std::int64_t i) -> std::int64_t { return rows[static_cast<std::size_t>(i)]; });
}

void Batch::gather(std::int64_t first, std::int64_t count) {
  fill(count, [first](std::int64_t i) { return first + i; });
}

}  // namespace graphrun::train
