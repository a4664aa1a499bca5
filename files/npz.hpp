/// \file
/// NPZ, NumPy's format for several arrays by name: a ZIP archive of NPY files, stored as they are.
#pragma once

#include <filesystem>
#include <span>

#include "files/safetensors.hpp"

namespace graphrun::files {

/// Writes a file, complete or not at all. Error{usage}: a name twice or none, bytes that do not fit the
/// shape, an element type that NumPy has not, more than 65,535 arrays or 4 GiB, beyond which the format is
/// another; Error{io}.
void write_npz(const std::filesystem::path& path, std::span<const TensorView> arrays);

}  // namespace graphrun::files
