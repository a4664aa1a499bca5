/// \file
/// What a host hands in, checked against the model and turned into what train/ works on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graphrun/session.hpp"
#include "language/recipe/definition.hpp"
#include "train/datasets/examples.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/supply/source_supply.hpp"

namespace graphrun::api {

/// Columns over the host's own memory, which must outlive them. Names are those of inputs, outputs or nodes.
/// Weights of
/// examples that are not given are 1. Error{usage}: no inputs, a name twice or unknown, a type that does not
/// fit, counts of rows that differ.
train::Examples examples_of(const ModelDefinition& model, const Inputs& inputs);

/// What a source of the host's writes, column by column. Errors as above.
class BoundSource final : public train::RowSource {
 public:
  BoundSource(const ModelDefinition& model, Source& source);

  const std::vector<train::SourceColumn>& columns() const override { return columns_; }
  void restart(std::uint64_t seed) override;
  std::int64_t next(std::span<const std::span<std::byte>> into, std::int64_t rows) override;

 private:
  Source& source_;
  std::vector<SourceInput> inputs_;
  std::vector<train::SourceColumn> columns_;  ///< of the inputs, and maybe one of ones behind them
  std::vector<RowBuffer> buffers_;
};

/// Values for one node.
train::Examples examples_of(const Node& node, std::span<const float> values);

/// All rows as one batch, in the element types of their nodes.
class BoundInputs {
 public:
  BoundInputs(const ModelDefinition& model, const Inputs& inputs);
  std::int64_t rows() const { return batch_.rows(); }
  /// Only these, all of which must be there: Error{usage} names the one that is missing.
  std::vector<runtime::Feed> feeds(const std::vector<std::string>& needed) const;

 private:
  train::Examples examples_;
  train::Batch batch_;
};

/// One element of an output as f32.
float element(const train::OutputValues& output, std::size_t index);

}  // namespace graphrun::api
