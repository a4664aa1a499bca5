/// \file
/// Labelled images in memory, and reading them from files given by path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "train/file.hpp"

namespace graphrun::train {

/// Images of one size, pixels as they are in the file: u8, dense, [count, height, width, channels].
struct ImageSet {
  std::size_t count = 0;
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 0;
  Bytes images;
  Bytes labels;  ///< [count], or empty when there are none

  std::size_t values_per_image() const { return height * width * channels; }
  bool has_labels() const { return !labels.empty(); }
  std::span<const std::uint8_t> image(std::size_t index) const {
    return std::span(images).subspan(index * values_per_image(), values_per_image());
  }
};

struct Dataset {
  std::string name;  ///< "fashion_mnist"; for files given by path, that of the training images
  ImageSet train;    ///< never empty
  ImageSet test;     ///< empty (count 0) if the model file names none; else images of the same size
  std::filesystem::path folder;    ///< where a data set asked for by name was found
  bool is_subset = false;          ///< the small part in the repository stands in for the full set: say so
  std::vector<std::string> notes;  ///< what else a person should know, one sentence each; often empty
};

struct ImageFiles {
  std::filesystem::path images;
  std::filesystem::path labels;  ///< empty: none
};

/// `data: {train: {images: PATH, labels: PATH}, test: {...}}`; an empty test.images means no test data.
struct DatasetFiles {
  ImageFiles train;
  ImageFiles test;
};

/// Reads IDX(.gz) images of rank 2 ([count, width]), 3 ([count, height, width]) or 4 (with channels), and
/// labels of rank 1. Error{data} names the file and what is wrong: no images, empty images, counts that
/// differ, labels where images are expected or the other way round.
ImageSet load_images(const ImageFiles& files);

/// The files of a model, relative paths relative to `base` (the folder of the model file).
Dataset load_dataset(const DatasetFiles& files, const std::filesystem::path& base);

}  // namespace graphrun::train
