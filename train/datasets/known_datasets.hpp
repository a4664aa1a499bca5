/// \file
/// The data sets that graphrun knows by name: their files, what must be in them, where they come from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace graphrun::train {

struct KnownFile {
  std::string_view name;    ///< "train-images-idx3-ubyte"; on disk also with ".gz" behind it
  std::string_view sha256;  ///< of the decompressed contents: every packer's .gz is different
};

struct KnownDataset {
  std::string_view name;
  std::string_view folder;  ///< its name in a folder of data sets, as Debian writes it
  std::string_view about;
  std::string_view licence;
  /// Training images and labels, test images and labels.
  std::array<KnownFile, 4> files;
  std::array<std::string_view, 2> mirrors;  ///< the .gz files lie below these addresses
  std::size_t height = 28;
  std::size_t width = 28;
  std::int32_t classes = 10;
};

/// All of them.
std::span<const KnownDataset> known_datasets();

/// The one of that name; Error{data} that lists the names otherwise.
const KnownDataset& known_dataset(std::string_view name);

/// Names of the classes of one of them; none of any other.
std::vector<std::string> class_names(const std::string& dataset);

}  // namespace graphrun::train
