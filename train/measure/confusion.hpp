/// \file
/// What a classifier takes for what.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace graphrun::train {

struct Confusion {
  std::size_t classes = 0;
  std::vector<std::int64_t>
      counts;  ///< [classes, classes]: rows are what it is, columns what it is taken for

  std::int64_t count(std::size_t truth, std::size_t guess) const { return counts[truth * classes + guess]; }
  /// The share that is taken for what it is.
  double accuracy() const;
  /// The harmonic mean of the shares of a class that are found, and of those taken for it that are it; 0
  /// where nothing is right, NaN for a class that is neither there nor guessed.
  double f1(std::size_t label) const;
  /// The mean over the classes that have one.
  double mean_f1() const;
};

/// `scores` are [count, classes]; of equal ones the first is the guess. Labels beyond the classes are left
/// out.
Confusion confusion(std::span<const float> scores, std::span<const std::int32_t> labels, std::size_t classes);

}  // namespace graphrun::train
