/// \file
/// What a file of examples is, told in one place by how it begins, and by its name where that says nothing.
#pragma once

#include <filesystem>

namespace graphrun::files {

enum class FileKind {
  idx,     ///< plain or gzip
  npy,     ///< NumPy's
  csv,     ///< text, plain or gzip; told by the name, which ends in .csv or .csv.gz
  png,     ///< one picture
  folder,  ///< of pictures
};

/// Error{data} for what is none of these, with what it looks like; Error{io} when it is not there.
FileKind kind_of_file(const std::filesystem::path& path);

/// Does the name end so, whether in small letters or in capitals? `ending` is ".csv".
bool has_ending(const std::filesystem::path& path, const char* ending);

}  // namespace graphrun::files
