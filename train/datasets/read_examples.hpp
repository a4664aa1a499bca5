/// \file
/// Labelled examples in memory, and reading them from files given by path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/file.hpp"
#include "train/datasets/stored.hpp"

namespace graphrun::train {

/// What examples have beside their images or cells, a row for each.
struct SideValues {
  std::vector<std::size_t> shape = {};  ///< of a row; empty: one value
  Stored<std::uint8_t> pixels = {};     ///< just one of these has elements
  Stored<float> values = {};
  std::vector<std::int32_t> numbers = {};  ///< of a category, the places of its values

  std::size_t row_elements() const {
    std::size_t elements = 1;
    for (const std::size_t size : shape) elements *= size;
    return elements;
  }
};

/// Examples of one size, dense, [count, height, width, channels]: u8 pixels, which models are given as pixel
/// / 255, or f32 numbers, which they are given as they are. Values stay as they are in the file until a batch
/// is gathered, so a data set of pixels takes a byte for each.
struct ImageSet {
  std::size_t count = 0;
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 0;
  Stored<std::uint8_t> images;                ///< u8 pixels; empty when the values are f32
  std::vector<std::int32_t> labels;           ///< [count], from 0; empty when there are none
  Stored<float> values = {};                  ///< finite f32 numbers; empty when the values are pixels
  std::vector<std::string> class_names = {};  ///< what each label stands for; empty: nothing but its number
  Stored<float> mask = {};  ///< of a table, for each value: 1 where its cell was there; empty: all are
  std::vector<float> targets = {};  ///< of a table: numbers to learn, as many in each row; else empty
  std::vector<float> weights = {};  ///< how much each example counts, 1 in the mean; empty: all the same
  std::map<std::string, SideValues> columns = {};  ///< of a table: those that are learnt or that inputs take
  std::vector<std::string> target_columns = {};    ///< those that are learnt
  std::map<std::string, SideValues> arrays = {};   ///< of files, by name
  std::optional<SideValues> image_targets = {};    ///< what the images are to become
  std::vector<std::string> column_names = {};      ///< of a CSV file with a header: of its numbers
  bool is_table = false;
  std::vector<std::uint32_t> window_rows =
      {};                                     ///< of windows of a table, [count, height]: the rows they hold
  std::vector<std::int32_t> row_labels = {};  ///< of windows: the labels of these rows, if there are any
  bool are_pictures = true;                   ///< otherwise rows of numbers that it makes no sense to draw
  std::vector<std::string> notes = {};        ///< what was taken for granted, with the file; often empty

  std::size_t values_per_image() const { return height * width * channels; }
  bool has_labels() const { return !labels.empty(); }
  /// What people call them.
  std::string_view noun() const { return are_pictures ? "images" : window_rows.empty() ? "rows" : "windows"; }
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
  std::filesystem::path labels = {};   ///< empty: none, or in a column of the images' own file
  std::string label_column = {};       ///< of a CSV file, by name or number; empty: `label`, if there is one
  bool needs_label_column = true;      ///< otherwise, images without the column are read without labels
  std::int32_t first_label = 0;        ///< the number that becomes 0
  std::filesystem::path targets = {};  ///< read as the images are; empty: none
  std::filesystem::path weights = {};  ///< the same
  std::map<std::string, std::filesystem::path> arrays = {};  ///< by name
  std::filesystem::path all_arrays = {};                     ///< an NPZ file, instead of these
};

/// How files are to be understood where they do not say so themselves.
struct ReadingOptions {
  std::vector<std::size_t> shape;        ///< [height, width] or [height, width, channels] of an example
  std::optional<std::size_t> channels;   ///< of PNG pictures: 1 or 3
  std::optional<double> divide_by;       ///< values are divided by it: by default pixels by 255, others not
  std::vector<std::string> classes;      ///< the names of the labels 0, 1, …
  bool transposed = false;               ///< pictures have height and width exchanged
  std::vector<std::size_t> resize = {};  ///< of pictures in folders: the shorter side, or height and width
  std::vector<std::size_t> crop = {};  ///< of pictures in folders, then: the height and width of their middle
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
