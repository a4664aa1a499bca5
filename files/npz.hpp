/// \file
/// NPZ, NumPy's format for several arrays by name: a ZIP archive of NPY files, written as they are, and read
/// so or compressed. A path may go on into one: "digits.npz/x_train" is an array of that file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "files/npy.hpp"
#include "files/safetensors.hpp"

namespace graphrun::files {

/// Where an array is that a path names.
struct NpzPlace {
  std::filesystem::path file;
  std::string array;  ///< empty: the only one
};

/// Nothing when the path is no NPZ file, nor one of an array in it.
std::optional<NpzPlace> npz_place(const std::filesystem::path& path);

/// The names of the arrays, in the order of the file. Error{data} for what is no such archive.
std::vector<std::string> npz_names(const std::filesystem::path& path);

/// Error{data} when there is no such array, or several and none is named, with the names that there are.
NpyContent read_npz(const NpzPlace& place);

/// The bytes of such an array's NPY file, in order, without the rest of the archive in memory; at the end
/// they have been found undamaged. `size` becomes their number. Errors as above.
std::unique_ptr<ByteSource> npz_source(const NpzPlace& place, std::uint64_t& size);

/// Writes a file, complete or not at all. Error{usage}: a name twice or none, bytes that do not fit the
/// shape, an element type that NumPy has not, more than 65,535 arrays or 4 GiB, beyond which the format is
/// another; Error{io}.
void write_npz(const std::filesystem::path& path, std::span<const TensorView> arrays);

}  // namespace graphrun::files
