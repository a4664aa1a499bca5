/// \file
/// Labelled examples in memory, and reading them from files given by path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "files/file.hpp"

namespace graphrun::train {

/// Examples of one size, dense, [count, height, width, channels]: u8 pixels, which models are given as pixel
/// / 255, or f32 numbers, which they are given as they are. Values stay as they are in the file until a batch
/// is gathered, so a data set of pixels takes a byte for each.
struct ImageSet {
  std::size_t count = 0;
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 0;
  files::Bytes images;                        ///< u8 pixels; empty when the values are f32
  std::vector<std::int32_t> labels;           ///< [count], from 0; empty when there are none
  std::vector<float> values = {};             ///< finite f32 numbers; empty when the values are pixels
  std::vector<std::string> class_names = {};  ///< what each label stands for; empty: nothing but its number
  std::vector<float> mask = {};     ///< of a table, for each value: 1 where its cell was there; else empty
  std::vector<float> targets = {};  ///< of a table: numbers to learn, one a row; else empty
  std::vector<std::string> column_names = {};  ///< of a CSV file with a header: of its numbers
  bool is_table = false;
  std::vector<std::uint32_t> window_rows =
      {};                               ///< of windows of a table, [count, height]: the rows they hold
  bool are_pictures = true;             ///< otherwise rows of numbers that it makes no sense to draw
  std::vector<std::string> notes = {};  ///< what was taken for granted, with the file; often empty

  std::size_t values_per_image() const { return height * width * channels; }
  bool has_labels() const { return !labels.empty(); }
  bool are_pixels() const { return values.empty(); }
  /// Of a set of pixels.
  std::span<const std::uint8_t> image(std::size_t index) const {
    return std::span(images).subspan(index * values_per_image(), values_per_image());
  }
  /// One of all values of the set, as models are given it.
  double value(std::size_t index) const {
    return are_pixels() ? images[index] / 255.0 : static_cast<double>(values[index]);
  }
};

struct ImageFiles {
  std::filesystem::path images;
  std::filesystem::path labels = {};  ///< empty: none, or in a column of the images' own file
  std::string label_column = {};      ///< of a CSV file, by name or number; empty: `label`, if there is one
  bool needs_label_column = true;     ///< otherwise, images without the column are read without labels
};

/// How files are to be understood where they do not say so themselves.
struct ReadingOptions {
  std::vector<std::size_t> shape;       ///< [height, width] or [height, width, channels] of an example
  std::optional<std::size_t> channels;  ///< of PNG pictures: 1 or 3
  std::optional<double> divide_by;      ///< values are divided by it: by default pixels by 255, others not
  std::vector<std::string> classes;     ///< the names of the labels 0, 1, …
  std::vector<std::string> names = {};  ///< of the columns of a CSV file, in the order that is wanted
};

/// Reads IDX(.gz), NPY, CSV, a folder of PNG pictures or one of them; labels from IDX, NPY, CSV, or the names
/// of sub-folders. Error{data} names the file, the place in it and what is wrong: no images, counts that
/// differ, labels where images are expected or the other way round, values that are not finite, …
///
/// - IDX and NPY arrays are [count, width], [count, height, width] or with channels behind. Bytes are pixels;
///   other numbers become f32, as they are. A CSV has a row for each example.
/// - Rows of [count, width] are pictures when `shape` says so, or when their length is the square of 8 or
/// more.
ImageSet load_images(const ImageFiles& files, const ReadingOptions& reading = {});

}  // namespace graphrun::train
