/// \file
/// Examples in memory, and the batches that are gathered from them. Pixels stay u8 and become f32 in [0, 1]
/// when a batch is gathered, so that a data set takes a quarter of its f32 size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "files/scratch_file.hpp"
#include "graph/type.hpp"
#include "runtime/execute/session.hpp"
#include "runtime/machine/isa.hpp"

namespace graphrun::train {

/// What the elements of a column are, and what they become: pixels/255 and values f32, labels i32; ones have
/// no bytes, and are f32.
enum class ColumnKind { u8_pixels, f32_values, u8_labels, i32_labels, ones };

/// One input's values for all examples: `row_elements` elements a row, dense. The bytes are borrowed.
struct Column {
  ColumnKind kind = ColumnKind::u8_pixels;
  std::int64_t row_elements = 1;
  std::span<const std::byte> bytes;
  const files::MappedFile* file = nullptr;  ///< where the bytes are, if they are too many for memory
};

/// Rows of examples by the name of the input they go to.
struct Examples {
  std::int64_t count = 0;
  std::map<std::string, Column> columns;
  std::shared_ptr<const void> owner;  ///< keeps the bytes alive; null: the caller does
};

/// The bytes of an example, as they are kept: what decides how an epoch is shuffled.
std::int64_t bytes_per_example(const Examples& examples);

/// So many examples from one on.
Examples slice_of(const Examples& examples, std::int64_t first, std::int64_t count);

/// The first `count` examples (all, if there are fewer).
Examples first_of(const Examples& examples, std::int64_t count);

/// Buffers for the inputs of one program, filled from examples row by row. They are made once, and kept when
/// the batch is turned to other examples.
class Batch {
 public:
  /// Error{usage} for an input without a column.
  Batch(const Examples& examples, const std::vector<std::string>& inputs, std::int64_t max_rows);

  /// Turns to other examples for the same inputs. Errors as above; no batch is at hand until the next gather.
  void use(const Examples& examples);
  std::int64_t max_rows() const { return max_rows_; }

  /// Makes every buffer that a list of rows needs. Otherwise gather() does, and may then throw
  /// std::bad_alloc.
  void reserve();

  /// Fills the buffers from the given rows, at most max_rows.
  void gather(std::span<const std::uint32_t> rows);
  /// Consecutive rows, at most max_rows. Values that need no conversion are not copied but lent on.
  void gather(std::int64_t first, std::int64_t count);

  std::int64_t rows() const { return rows_; }
  /// Valid until the next gather.
  std::span<const runtime::Feed> feeds() const { return feeds_; }

 private:
  struct Buffer {
    Column column;
    std::size_t bytes_per_row = 0;
    std::vector<std::byte> bytes;
  };
  template <class RowAt>
  void fill(std::size_t input, const RowAt& row_at);
  void begin(std::int64_t count);
  static void has_read(const Buffer& buffer, std::int64_t rows);
  void reserve(Buffer& buffer) const;

  std::vector<Buffer> buffers_;
  std::vector<runtime::Feed> feeds_;
  std::int64_t rows_ = 0;
  std::int64_t max_rows_;
  runtime::Isa isa_ = runtime::detected_isa();
};

}  // namespace graphrun::train
