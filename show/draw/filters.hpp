/// \file
/// What the units of a first layer look for: their weights as images.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/state/variables.hpp"
#include "show/draw/sheet.hpp"
#include "train/datasets/dataset.hpp"

namespace graphrun::show {

/// No sheet has more.
inline constexpr std::size_t most_filters = 128;

/// Weights as pictures, those of the largest norm first: units that have learnt little come last, or not at
/// all when there are more than most_filters. Each is as strong as can be: its largest weight is black or
/// white, and a weight of 0 grey. `weights`: [height * width * channels, count], row-major; the pixels of
/// `sizes` are not looked at.
Pictures filters_of(std::span<const float> weights, const Pictures& sizes);

struct Filters {
  std::string variable;  ///< whose weights they are
  Pictures pictures;
};

/// Of the first trained weight that sees the pixels of these images: all of them, [pixels, units], or a few
/// at a time, [height, width, channels, units] of a convolution.
std::optional<Filters> first_filters(const runtime::VariableStore& variables, const train::ImageSet& images);

}  // namespace graphrun::show
