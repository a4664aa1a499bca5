/// \file
/// Arrays that are larger than what is kept in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "files/npy_pieces.hpp"
#include "train/datasets/stored.hpp"

namespace graphrun::train {

/// Bytes stay pixels where they are divided by 255, as they are by default; other numbers become f32, divided
/// by what is said. Up to `most_bytes` are kept in memory, others in a file. Error{data} for numbers that are
/// not finite.
void read_large(files::NpyPieces& pieces, std::optional<double> divide_by, std::size_t most_bytes,
                const std::filesystem::path& path, Stored<std::uint8_t>& pixels, Stored<float>& values);

}  // namespace graphrun::train
