/// \file
/// The inputs of a model: what the examples fill, and what the host computes for each step.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graphrun/error.hpp"
#include "language/values/schedule.hpp"

namespace graphrun {

/// What an input is bound to when a data set is read. Integers for labels, pixels in [0, 1] for images. Of a
/// row of a table: the numbers that its cells become, whether these were there (1 or 0), and what is learnt;
/// or a column by name. Of files: what images are to become, or an array by name. Weights have no word: an
/// input for them is made where the data have some.
enum class InputSource { images, labels, cells, mask, target, targets, column, array, weights };
inline constexpr std::array<std::string_view, 8> input_sources = {"images", "labels",  "cells",  "mask",
                                                                  "target", "targets", "column", "array"};

/// The input that the weights of examples go to: no name of a user's.
inline constexpr const char* weights_input = "data/weight";

/// Does the input take what an example is: a picture, or the cells of a row?
inline bool takes_examples(InputSource source) {
  return source == InputSource::images || source == InputSource::cells;
}

/// What is known of the rows of a table before a model is built.
struct RowSizes {
  std::int64_t cells = 0;
  std::int64_t window = 0;          ///< rows in an example; 0: an example is a row
  std::int64_t targets = 0;         ///< columns that are learnt
  bool target_is_category = false;  ///< of any of them
  struct Column {
    std::string name;
    bool is_category = false;
    bool is_target = false;
  };
  std::vector<Column> columns = {};  ///< those that inputs take one by one, and those that are learnt
};

struct ModelInput {
  std::string name;  ///< of its node
  InputSource source = InputSource::images;
  SourceLocation where;
  std::string part = {};  ///< the name of the column or array
};

/// A scalar input node whose value follows a schedule (loss weights, noise amounts, whole nodes).
struct ScheduledInput {
  std::string name;  ///< of its node, an `input` of shape []
  Schedule schedule;
};

}  // namespace graphrun
