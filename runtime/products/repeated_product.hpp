/// \file
/// Products of a few rows each with one matrix, one after the other: what the steps of a recurrence need. A
/// MatmulSpec says y = x · w + bias: sizes, of which `rows`, a multiple of repeated_rows_step, is the most
/// that one of them makes, and whether there is a bias. Nothing else of it is looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/machine/isa.hpp"
#include "runtime/products/matmul.hpp"
#include "runtime/products/provider.hpp"

namespace graphrun::runtime {

inline constexpr std::int64_t repeated_rows_step = 16;

/// Ready to run in one place at a time. Allocates nothing of its own.
class BoundRepeatedProduct {
 public:
  virtual ~BoundRepeatedProduct() = default;
  /// The w [inner, columns] and the bias [columns] of all runs until the next call, null without one. They
  /// and `room`, which has room_bytes() and is 64-byte aligned, stay until the last of these runs.
  virtual void take(const float* w, const float* bias, std::byte* room) noexcept = 0;
  /// Rows of x and y lie x_row() and y_row() apart. Memory is there for whole steps of rows: more
  /// than `rows` may be read and written. False when the provider failed (out of memory).
  virtual bool run(const float* x, std::int64_t rows, float* y) noexcept = 0;
};

/// Compiled. Immutable; may be bound many times and from several threads. A row has the bits that it has
/// alone, wherever it lies.
class RepeatedProduct {
 public:
  virtual ~RepeatedProduct() = default;
  virtual std::unique_ptr<BoundRepeatedProduct> bind() const = 0;
  virtual std::size_t room_bytes() const = 0;
  virtual std::size_t x_row() const = 0;  ///< in elements
  virtual std::size_t y_row() const = 0;
  virtual const std::string& implementation() const = 0;  ///< its name, as the provider calls it
};

/// As whoever makes such products alone makes them (provider.hpp). Null on the oldest instruction set: it
/// would not pay there, and loops of the caller do.
std::unique_ptr<RepeatedProduct> make_repeated_product(const MatmulSpec& spec, ProviderChoice choice,
                                                       Isa isa);

/// The matrix is packed once, and met in register tiles. `isa` must have tiles.
std::unique_ptr<RepeatedProduct> make_tiled_repeated(const MatmulSpec& spec, Isa isa);
/// The matrix stays as it lies, and primitives of sixteen rows meet it.
std::unique_ptr<RepeatedProduct> make_onednn_repeated(const MatmulSpec& spec, Isa isa);

}  // namespace graphrun::runtime
