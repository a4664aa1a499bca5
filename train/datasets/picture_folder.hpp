/// \file
/// Folders of PNG and JPEG pictures, as people keep their images: all in one, or in a sub-folder for each
/// class.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "files/file.hpp"

namespace graphrun::train {

struct PictureFolder {
  std::size_t count = 0;
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 0;         ///< 1 if all pictures are grey, else 3
  files::Bytes pixels;              ///< [count, height, width, channels]
  std::vector<std::string> labels;  ///< [count], the names of the sub-folders; empty if there are none
};

/// How pictures are brought to one size and kind.
struct PictureReading {
  std::optional<std::size_t> channels = {};  ///< 1 makes colour grey (ITU-R BT.601), 3 makes grey colour
  std::vector<std::size_t> resize = {};      ///< as in resized(); empty: they stay as they are
  std::vector<std::size_t> crop = {};        ///< then, the height and width of the middle that is taken
};

/// No folder is read whose pixels take more bytes than this.
inline constexpr std::size_t largest_folder = std::size_t{1} << 32;

/// Reads all PNG and JPEG files of a folder in the order of their names; where they lie in sub-folders, one
/// of each sub-folder in turn, so that the first pictures are of all classes. Other files are passed over,
/// but not pictures in other formats. Error{data}, with the file: no pictures, pictures of different sizes,
/// pictures beside sub-folders, folders within sub-folders, and what decode_png() and decode_jpeg() refuse.
PictureFolder read_picture_folder(const std::filesystem::path& folder, const PictureReading& reading);

/// One file as a folder of one picture.
PictureFolder read_picture_alone(const std::filesystem::path& file, const PictureReading& reading);

}  // namespace graphrun::train
