#include "train/datasets/examples.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "errors/lack_of_memory.hpp"
#include "train/datasets/pixels.hpp"

namespace graphrun::train {

namespace {

/// Rows lie where chance has put them: the memory is asked for a row this many rows before it is copied. A
/// batch of 64 images of 784 bytes takes 4 us instead of 16.
constexpr std::int64_t rows_ahead = 8;
/// Of a long row the beginning is enough: what follows in order is fetched unasked.
constexpr std::size_t most_bytes_ahead = 1024;
constexpr std::size_t cache_line = 64;

std::size_t stored_bytes(ColumnKind kind) {
  if (kind == ColumnKind::ones) return 0;
  return kind == ColumnKind::u8_pixels || kind == ColumnKind::u8_labels ? 1 : 4;
}

/// Whether an input takes other bytes than the column has.
bool is_converted(ColumnKind kind) {
  return stored_bytes(kind) != 4;
}

std::span<const std::byte> row_of(const Column& column, std::int64_t row) {
  const std::size_t bytes = static_cast<std::size_t>(column.row_elements) * stored_bytes(column.kind);
  return column.bytes.subspan(static_cast<std::size_t>(row) * bytes, bytes);
}

void fetch_ahead(std::span<const std::byte> row) {
  const std::size_t bytes = std::min(row.size(), most_bytes_ahead);
  for (std::size_t at = 0; at < bytes; at += cache_line) __builtin_prefetch(row.data() + at);
}

/// One row of a column as the input takes it: f32 or i32, both of four bytes.
void convert_row(ColumnKind kind, std::span<const std::byte> row, std::byte* into, runtime::Isa isa) {
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(row.data()), row.size());
  switch (kind) {
    case ColumnKind::f32_values:
    case ColumnKind::i32_labels:
      std::memcpy(into, row.data(), row.size());
      return;
    case ColumnKind::u8_pixels:
      unit_interval(bytes, reinterpret_cast<float*>(into), isa);
      return;
    case ColumnKind::ones:
      return;  // written when the buffer was made
    case ColumnKind::u8_labels:
      std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::int32_t*>(into));
      return;
  }
}

/// The values of an input, checked to be as many as the examples.
const Column& column_for(const Examples& examples, const std::string& name) {
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
  return column;
}

}  // namespace

std::int64_t bytes_per_example(const Examples& examples) {
  std::int64_t bytes = 0;
  for (const auto& [name, column] : examples.columns)
    bytes += column.row_elements * static_cast<std::int64_t>(stored_bytes(column.kind));
  return bytes;
}

Examples slice_of(const Examples& examples, std::int64_t first, std::int64_t count) {
  Examples part = examples;
  part.count = count;
  for (auto& [name, column] : part.columns) {
    const std::size_t row_bytes = static_cast<std::size_t>(column.row_elements) * stored_bytes(column.kind);
    column.bytes = column.bytes.subspan(static_cast<std::size_t>(first) * row_bytes,
                                        static_cast<std::size_t>(count) * row_bytes);
  }
  return part;
}

Examples first_of(const Examples& examples, std::int64_t count) {
  Examples part = examples;
  part.count = std::min(examples.count, count);
  return part;
}

Batch::Batch(const Examples& examples, const std::vector<std::string>& inputs, std::int64_t max_rows)
    : buffers_(inputs.size()), max_rows_(max_rows) {
  for (const std::string& name : inputs) feeds_.push_back({name, {}});
  use(examples);
}

void Batch::use(const Examples& examples) {
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    const Column& column = column_for(examples, feeds_[i].name);
    if (column.kind == ColumnKind::ones && buffers_[i].column.kind != ColumnKind::ones)
      buffers_[i].bytes.clear();
    buffers_[i].column = column;
    buffers_[i].bytes_per_row =
        static_cast<std::size_t>(checked_multiply(buffers_[i].column.row_elements, 4));
    if (is_converted(buffers_[i].column.kind)) reserve(buffers_[i]);
  }
}

void Batch::reserve(Buffer& buffer) const {
  const std::int64_t bytes = checked_multiply(max_rows_, static_cast<std::int64_t>(buffer.bytes_per_row));
  if (buffer.bytes.size() >= static_cast<std::size_t>(bytes)) return;
  saying_what_lacks([&] { buffer.bytes.resize(static_cast<std::size_t>(bytes)); },
                    [&] {
                      return Error(
                          ErrorCode::memory,
                          fmt::format("there is not enough memory for the {} bytes of a batch of {}; "
                                      "a smaller one needs less",
                                      bytes, max_rows_));
                    });
  if (buffer.column.kind == ColumnKind::ones)
    std::fill_n(reinterpret_cast<float*>(buffer.bytes.data()), buffer.bytes.size() / sizeof(float), 1.0F);
}

void Batch::reserve() {
  for (Buffer& buffer : buffers_) reserve(buffer);
}

void Batch::begin(std::int64_t count) {
  if (count > max_rows_) throw Error(ErrorCode::internal, "a batch is larger than its buffers");
  rows_ = count;
}

void Batch::has_read(const Buffer& buffer, std::int64_t rows) {
  if (buffer.column.file != nullptr)
    buffer.column.file->has_read(static_cast<std::size_t>(rows) *
                                 static_cast<std::size_t>(buffer.column.row_elements) *
                                 stored_bytes(buffer.column.kind));
}

template <class RowAt>
void Batch::fill(std::size_t input, const RowAt& row_at) {
  Buffer& buffer = buffers_[input];
  reserve(buffer);
  std::byte* into = buffer.bytes.data();
  for (std::int64_t row = 0; row < rows_; ++row, into += buffer.bytes_per_row) {
    if (row + rows_ahead < rows_) fetch_ahead(row_of(buffer.column, row_at(row + rows_ahead)));
    convert_row(buffer.column.kind, row_of(buffer.column, row_at(row)), into, isa_);
  }
  feeds_[input].bytes = {buffer.bytes.data(), static_cast<std::size_t>(rows_) * buffer.bytes_per_row};
  has_read(buffer, rows_);
}

void Batch::gather(std::span<const std::uint32_t> rows) {
  begin(static_cast<std::int64_t>(rows.size()));
  for (std::size_t i = 0; i < buffers_.size(); ++i)
    fill(i, [rows](std::int64_t row) -> std::int64_t { return rows[static_cast<std::size_t>(row)]; });
}

void Batch::gather(std::int64_t first, std::int64_t count) {
  begin(count);
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    const Buffer& buffer = buffers_[i];
    if (is_converted(buffer.column.kind)) {
      fill(i, [first](std::int64_t row) { return first + row; });
    } else {
      feeds_[i].bytes = buffer.column.bytes.subspan(static_cast<std::size_t>(first) * buffer.bytes_per_row,
                                                    static_cast<std::size_t>(count) * buffer.bytes_per_row);
      has_read(buffer, count);
    }
  }
}

}  // namespace graphrun::train
