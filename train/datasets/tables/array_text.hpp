/// \file
/// Arrays of NumPy's as tables: a row for each of theirs, columns by number.
#pragma once

#include <filesystem>
#include <string>

namespace graphrun::train {

/// Is it an NPY file, or an array in an NPZ file?
bool is_array(const std::filesystem::path& path);

/// Its rows as the text of a table without a header; NaN is a cell that is missing. Numbers read back to the
/// same bits. Error{data} for what has no rows of equal length, and for more than is kept in memory.
std::string text_of_array(const std::filesystem::path& path);

}  // namespace graphrun::train
