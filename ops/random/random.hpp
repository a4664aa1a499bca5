/// \file
/// What random ops share. They have a shape and no operand of that shape: `like: NODE` in a model file stands
/// for the shape of NODE. A draw depends on the seed, the node's written path, the domain, the step, the row
/// and the column, and on nothing else; kernel and reference draw the same numbers.
#pragma once

#include <span>

#include "ops/declaration.hpp"
#include "ops/rows.hpp"
#include "runtime/state/philox.hpp"

namespace graphrun::ops {

/// The written path of a node; its name when it has none.
const std::string& random_path(const Node& node);

Type infer_random(const InferContext& context);

/// The attribute `shape`, documented for random ops.
AttributeDeclaration random_shape();

/// The rows of one call or reference run: rows of the batch are numbered on from the batch's first row, so
/// that a sample draws the same numbers wherever its slice begins.
class RandomRows {
 public:
  explicit RandomRows(const Node& node, const Extents& output)
      : path_(random_path(node)),
        columns_(elements_per_row(output)),
        rows_(output.empty() ? 1 : static_cast<std::size_t>(output[0])),
        batch_(!node.type.shape.empty() && node.type.shape[0].is_batch()),
        scalar_(output.empty()) {}

  /// Calls fill(stream, number of the first row, columns, values) for `count` rows from `begin`.
  template <class T, class Fill>
  void fill(T* values, std::size_t begin, std::size_t count, const RandomState& state, Fill fill) const {
    const runtime::RandomStream stream = runtime::RandomStream::of(path_, state);
    const std::uint64_t first = begin + (batch_ ? state.first_row : 0);
    fill(stream, first, columns_, std::span(values, count * columns_));
  }

  template <class Fill>
  void fill(const runtime::CallArguments& a, Fill fill) const {
    const std::size_t begin = scalar_ ? 0 : static_cast<std::size_t>(a.row_begin);
    const std::size_t count = scalar_ ? 1 : static_cast<std::size_t>(a.row_count);
    this->fill(output_as<float>(a), begin, count, a.random, fill);
  }

  template <class Fill>
  void fill(const ReferenceContext& context, Fill fill) const {
    this->fill(context.output.values.data(), 0, rows_, context.random, fill);
  }

 private:
  std::string path_;
  std::size_t columns_;
  std::size_t rows_;
  bool batch_;
  bool scalar_;
};

}  // namespace graphrun::ops
