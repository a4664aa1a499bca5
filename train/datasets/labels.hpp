/// \file
/// Labels of examples: whole numbers from 0, or names that stand for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace graphrun::train {

/// More names than this are no classes but texts of another kind.
inline constexpr std::size_t most_names = 10'000;

struct Labels {
  std::vector<std::int32_t> numbers;
  std::vector<std::string> names;  ///< names[n] is what n stands for; empty: numbers alone
};

/// How labels are to be understood where their file does not say so.
struct LabelReading {
  std::vector<std::string> classes = {};  ///< their names, in the order of their numbers; may be empty
  std::int32_t first = 0;                 ///< the number that becomes 0
};

/// Labels are below this: some models have a unit for each.
inline constexpr std::int64_t most_classes = 65'536;

/// Whole numbers stand for themselves if all texts are such; other texts are numbered in their sorted order.
/// `classes` fixes the numbers instead: 0 for the first, and so on. Error{data}, at `path`, for too many
/// names, too large numbers, and for a text that is none of the classes, with its row.
Labels labels_from_texts(const std::vector<std::string>& texts, const LabelReading& reading,
                         const std::filesystem::path& path);

/// Reads labels from an IDX(.gz) file, an NPY file (or an array of an NPZ file) of whole numbers or of texts,
/// or a column of a CSV file, as in read_csv_column(). Error{data}, Error{io}.
Labels read_labels(const std::filesystem::path& path, const std::string& column, const LabelReading& reading);

}  // namespace graphrun::train
