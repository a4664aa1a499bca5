/// \file
/// Outputs for many rows, some at a time: those of a large table would not fit into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/output/output_columns.hpp"
#include "train/datasets/examples.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::cli {

class OutputBlocks {
 public:
  struct Block {
    std::size_t first = 0;                                ///< the number of its first example
    std::vector<train::OutputValues> outputs;             ///< in the order in which they were asked for
    std::vector<std::unique_ptr<OutputColumns>> columns;  ///< of each of them
  };

  /// Runs nothing yet. Borrows the learner. Examples that are asked for in no order are one block.
  OutputBlocks(train::Learner& learner, std::vector<std::string> names, train::Examples examples,
               bool in_order);

  /// The block that holds the example: valid until another one is asked for. Where examples are asked for in
  /// order, each block runs once; the values are those of one run over all. Error{usage} for an output that
  /// has no row for each example, Error{not_finite}.
  const Block& with(std::size_t example);
  std::size_t count() const { return static_cast<std::size_t>(examples_.count); }  ///< of all examples

 private:
  void run(std::int64_t first);

  train::Learner& learner_;
  std::vector<std::string> names_;
  train::Examples examples_;
  std::int64_t most_;
  Block block_;  ///< without outputs before the first run
};

/// The first of the outputs, as an NPY file of all examples.
void write_npy(const std::string& out, OutputBlocks& outputs);

}  // namespace graphrun::cli
