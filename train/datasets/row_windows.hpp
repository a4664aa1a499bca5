/// \file
/// Series: rows of a table in a row, cut into windows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "train/datasets/read_examples.hpp"

namespace graphrun::train {

/// The rows of a table as series: one behind the other, each in the order of its time.
struct Series {
  std::vector<std::uint32_t> order;  ///< row numbers
  std::vector<bool> begins;          ///< of each place in `order`: a series begins, or goes on after a gap
  std::size_t equal_times = 0;       ///< rows that have the time of the one before
};

/// What rows are put in order by. Each list has an element for each row, or is empty: one group; in order
/// already.
struct SeriesColumns {
  std::vector<std::string> groups;
  std::vector<double> times;
};

/// Rows of a group stand together, in the order of their times. A step of more than one and a half times the
/// usual one is a gap. Rows of another `part` are never in one window: an empty list says that all are of
/// one.
Series series_of(const SeriesColumns& columns, std::size_t rows, std::span<const std::uint8_t> parts);

/// Where in `order` a window of so many rows begins: every `stride` rows, and never over the border of a
/// series. What is left at the end of a series has a window too, which ends with it.
std::vector<std::size_t> window_starts(const Series& series, std::size_t size, std::size_t stride);

struct WindowSizes {
  std::size_t size = 1;   ///< rows in a window
  std::size_t ahead = 0;  ///< the target is that of so many rows behind it
  std::size_t whole() const { return size + ahead; }
};

/// The examples of these windows: [windows, size, cells]. The label of a window is the highest of its rows,
/// its weight the mean; its targets are those of its last row, or of one behind it; columns that inputs take
/// are [windows, size].
ImageSet windows_of(const ImageSet& rows, const Series& series, std::span<const std::size_t> starts,
                    WindowSizes sizes);

}  // namespace graphrun::train
