/// \file
/// The inputs of a model: what the examples fill, and what the host computes for each step.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "graphrun/error.hpp"
#include "language/values/schedule.hpp"

namespace graphrun {

/// What an input is bound to when a data set is read. Integers for labels, pixels in [0, 1] for images. Of a
/// row of a table: the numbers that its cells become, whether these were there (1 or 0), and what is learnt.
enum class InputSource { images, labels, cells, mask, target };
inline constexpr std::array<std::string_view, 5> input_sources = {"images", "labels", "cells", "mask",
                                                                  "target"};
inline std::string_view name_of(InputSource source) {
  return input_sources[static_cast<std::size_t>(source)];
}

/// Does the input take what an example is: a picture, or the cells of a row?
inline bool takes_examples(InputSource source) {
  return source == InputSource::images || source == InputSource::cells;
}

/// What is known of the rows of a table before a model is built.
struct RowSizes {
  std::int64_t cells = 0;
  std::int64_t window = 0;  ///< rows in an example; 0: an example is a row
  bool has_target = false;
  bool target_is_category = false;
};

struct ModelInput {
  std::string name;  ///< of its node
  InputSource source = InputSource::images;
  SourceLocation where;
};

/// A scalar input node whose value follows a schedule (loss weights, noise amounts, whole nodes).
struct ScheduledInput {
  std::string name;  ///< of its node, an `input` of shape []
  Schedule schedule;
};

}  // namespace graphrun
