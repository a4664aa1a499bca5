/// \file
/// NPY, NumPy's format for one array (numpy.lib.format, versions 1, 2 and 3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "files/byte_source.hpp"
#include "files/stored_type.hpp"

namespace graphrun::files {

/// A dense array, row-major.
struct NpyArray {
  StoredType type = StoredType::f32;
  std::vector<std::size_t> shape;  ///< empty for a scalar
  std::vector<std::byte> bytes;
};

/// An array of texts (`<U8`, `S8`), in UTF-8 and without the zeros that fill them up.
struct NpyTexts {
  std::vector<std::size_t> shape;
  std::vector<std::string> values;
};
using NpyContent = std::variant<NpyArray, NpyTexts>;

/// What stands before the elements of an array in a file. Error{usage} if so many bytes do not fit the shape.
std::string npy_header(StoredType type, std::span<const std::size_t> shape, std::size_t bytes);

/// Writes an array, complete or not at all. Error{usage} if the bytes do not fit the shape.
void write_npy(const std::filesystem::path& path, StoredType type, std::span<const std::size_t> shape,
               std::span<const std::byte> bytes);

/// Reads f2, f4, f8, i1 to i8, u1 to u8 and b1, of either order of bytes; an array in Fortran order is
/// transposed. The header is read
/// by a strict grammar, never evaluated; the data must be exactly as long as the shape says. Error{data} for
/// all else: other types, Python objects, structures, sizes that overflow.
/// The path may also be that of an array in an NPZ file, see npz_place().
NpyArray read_npy(const std::filesystem::path& path);

/// The same from bytes in order, of which there are exactly `size`; `path` is for errors only.
NpyArray read_npy(ByteSource& source, std::uint64_t size, const std::filesystem::path& path);

/// The same of arrays of texts too. Error{data} for what is no text: bytes that are not UTF-8, numbers that
/// are no characters.
NpyContent read_npy_content(const std::filesystem::path& path);
NpyContent read_npy_content(ByteSource& source, std::uint64_t size, const std::filesystem::path& path);

/// Error{data} for texts.
NpyArray numbers_of(NpyContent content, const std::filesystem::path& path);

}  // namespace graphrun::files
