/// \file
/// What a file of examples is, told in one place by how it begins, and by its name where that says nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace graphrun::files {

enum class FileKind {
  idx,      ///< plain or gzip
  npy,      ///< NumPy's; also an array in an NPZ file, see npz_place()
  csv,      ///< text, plain or gzip; told by the name, which ends in .csv or .csv.gz
  picture,  ///< PNG or JPEG
  folder,   ///< of pictures
};

/// Error{data} for what is none of these, with what it looks like; Error{io} when it is not there.
FileKind kind_of_file(const std::filesystem::path& path);

/// Bytes of a file; of an array in an NPZ file, those of the whole. Nothing when it is not there.
std::optional<std::uintmax_t> bytes_of_file(const std::filesystem::path& path);

/// Does the name end so, whether in small letters or in capitals? `ending` is ".csv".
bool has_ending(const std::filesystem::path& path, const char* ending);

}  // namespace graphrun::files
