#include "train/datasets/read_examples.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "errors/lack_of_memory.hpp"
#include "errors/nearest.hpp"
#include "files/array_pieces.hpp"
#include "files/csv.hpp"
#include "files/file_kind.hpp"
#include "files/idx.hpp"
#include "files/memory_error.hpp"
#include "files/npy.hpp"
#include "files/npz.hpp"
#include "train/datasets/labels.hpp"
#include "train/datasets/large_array.hpp"
#include "train/datasets/picture_folder.hpp"
#include "train/datasets/row_weights.hpp"

namespace graphrun::train {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t smallest_guessed_side = 8;
constexpr double pixel_range = 255;

/// What was read, before it is known what it stands for.
struct Raw {
  std::vector<std::size_t> shape;   ///< [count, …]
  std::vector<std::uint8_t> bytes;  ///< either these or the next
  std::vector<float> values;
  std::vector<std::string> label_texts;  ///< from the file itself
  std::string note = {};
  std::vector<std::string> names = {};      ///< of columns
  Stored<std::uint8_t> stored_pixels = {};  ///< of a large file, instead of the above; or the next
  Stored<float> stored_values = {};         ///< these are divided already
};

/// The sizes of an example, as far as they are known: [width], [height, width] or [height, width, channels].
using Sizes = std::vector<std::size_t>;

std::size_t product(const Sizes& sizes) {
  std::size_t result = 1;
  for (const std::size_t size : sizes) result *= size;
  return result;
}

/// "image 7, value 12": where one of all values is.
std::string place_of(std::size_t index, const std::vector<std::size_t>& shape) {
  std::size_t width = 1;
  for (std::size_t axis = 1; axis < shape.size(); ++axis) width *= shape[axis];
  return fmt::format("image {}, value {}", index / width, index % width);
}

/// Bytes are pixels and stay bytes, other numbers become f32.
Raw raw_of(files::StoredType type, std::vector<std::size_t> shape, std::span<const std::byte> bytes,
           const fs::path& path) {
  Raw raw{std::move(shape), {}, {}, {}};
  if (type == files::StoredType::u8) {
    const auto* pixels = reinterpret_cast<const std::uint8_t*>(bytes.data());
    raw.bytes.assign(pixels, pixels + bytes.size());
    return raw;
  }
  raw.values.reserve(bytes.size() / files::size_of(type));
  files::for_each_element(type, bytes, [&](std::size_t index, auto number) {
    const auto value = static_cast<float>(number);
    if (!std::isfinite(value))
      throw files::data_error(path, fmt::format("holds {} in {}; only finite f32 numbers are read", number,
                                                place_of(index, raw.shape)));
    raw.values.push_back(value);
  });
  return raw;
}

/// The sizes of an example once height and width have been exchanged; none where nobody asks for it, or they
/// do not fit, of which sizes_of() tells.
std::vector<std::size_t> upright_sizes(const std::vector<std::size_t>& shape, const ReadingOptions& reading) {
  if (!reading.transposed || shape.size() < 2) return {};
  std::vector<std::size_t> own(shape.begin() + 1, shape.end());
  if (own.size() > 1) std::swap(own[0], own[1]);
  const std::vector<std::size_t>& sizes = reading.shape.empty() ? own : reading.shape;
  return sizes.size() > 1 && product(sizes) == product(own) ? sizes : std::vector<std::size_t>();
}

/// An array that is larger than what is kept in memory, divided and upright; nothing of others.
std::optional<Raw> read_large_array(files::ArrayPieces pieces, const ReadingOptions& reading,
                                    const fs::path& path) {
  const files::ArrayLayout& layout = pieces.layout();
  if (layout.bytes <= most_bytes_in_memory || !layout.is_row_major) return std::nullopt;
  Raw raw;
  raw.shape = layout.shape;
  read_large(pieces, {.divide_by = reading.divide_by, .upright = upright_sizes(layout.shape, reading)}, path,
             raw.stored_pixels, raw.stored_values);
  return raw;
}

Raw read_idx_images(const fs::path& path, const ReadingOptions& reading = {}) {
  if (std::optional<Raw> large = read_large_array(files::idx_pieces(path), reading, path))
    return std::move(*large);
  files::IdxArray array = files::read_idx(path);
  if (array.type == files::StoredType::u8) return {std::move(array.shape), std::move(array.values), {}, {}};
  return raw_of(array.type, std::move(array.shape), std::as_bytes(std::span(array.values)), path);
}

Raw read_npy_images(const fs::path& path, const ReadingOptions& reading = {}) {
  if (std::optional<Raw> large = read_large_array(files::npy_pieces(path), reading, path))
    return std::move(*large);
  files::NpyArray array = files::read_npy(path);
  return raw_of(array.type, std::move(array.shape), array.bytes, path);
}

/// Where in the file the columns are that a model takes, in its order; none where they are in order.
std::vector<std::size_t> places_of(const files::CsvTable& table, const std::vector<std::string>& names,
                                   const fs::path& path) {
  std::vector<std::size_t> places;
  if (names.empty() || table.names.empty() || table.names == names) return places;
  for (const std::string& name : names)
    if (std::count(names.begin(), names.end(), name) > 1)
      throw files::data_error(path,
                              fmt::format("has its columns in another order than the model takes, of which "
                                          "two are called '{}': give each a name of its own, and learn again",
                                          name));
  for (const std::string& name : names) {
    const auto found = std::find(table.names.begin(), table.names.end(), name);
    if (found == table.names.end())
      throw files::data_error(path, fmt::format("has no column '{}', which the model takes. {}", name,
                                                suggestion(name, table.names)));
    places.push_back(static_cast<std::size_t>(found - table.names.begin()));
  }
  for (const std::string& name : table.names)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw files::data_error(
          path, fmt::format("has a column '{}', which the model does not know: take it away", name));
  return places;
}

void put_in_order(std::vector<float>& values, std::size_t columns, const std::vector<std::size_t>& places) {
  if (places.empty()) return;
  std::vector<float> row(columns);
  for (std::size_t at = 0; at < values.size(); at += columns) {
    for (std::size_t i = 0; i < columns; ++i) row[i] = values[at + places[i]];
    std::copy(row.begin(), row.end(), values.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

/// Numbers that are too many for memory: in order, upright and divided, as those of other large files are.
Stored<float> finished(const Stored<float>& read, std::size_t columns, const std::vector<std::size_t>& places,
                       const ReadingOptions& reading) {
  const double by = reading.divide_by.value_or(1);
  const Sizes upright = upright_sizes({1, columns}, reading);
  if (places.empty() && upright.empty() && by == 1) return read;
  StoredWriter<float> writer;
  std::vector<float> row;
  for (std::size_t at = 0; at < read.size(); at += columns) {
    row.assign(read.begin() + at, read.begin() + at + columns);
    put_in_order(row, columns, places);
    if (!upright.empty()) exchange_axes(std::span(row), upright);
    for (float& value : row) value = static_cast<float>(static_cast<double>(value) / by);
    writer.append(row);
    read.file()->has_read(columns * sizeof(float));
  }
  return writer.take();
}

Raw read_csv_images(const ImageFiles& files, const ReadingOptions& reading) {
  const bool is_chosen = !files.label_column.empty() && files.labels.empty();
  StoredWriter<float> numbers;
  files::CsvTable table =
      files::read_csv(files.images,
                      files::TextColumn{is_chosen ? files.label_column : files::label_column,
                                        is_chosen && files.needs_label_column},
                      [&](std::span<const float> row) { numbers.append(row); });
  if (!table.texts.empty() && !files.labels.empty())
    throw files::data_error(files.images,
                            fmt::format("has a column '{}', and labels are to come from {} too; take one of "
                                        "the two away",
                                        files::label_column, files.labels.string()));
  const std::vector<std::size_t> places = places_of(table, reading.names, files.images);
  if (table.columns == 0) throw files::data_error(files.images, "holds nothing but labels");
  if (!places.empty()) table.names = reading.names;
  Raw raw{{table.rows, table.columns}, {}, {}, std::move(table.texts), std::move(table.note),
          std::move(table.names)};
  if (numbers.is_in_file()) {
    raw.stored_values = finished(numbers.take(), table.columns, places, reading);
  } else {
    raw.values = numbers.take_memory();
    put_in_order(raw.values, table.columns, places);
  }
  return raw;
}

Raw raw_of(PictureFolder folder) {
  return {{folder.count, folder.height, folder.width, folder.channels},
          std::move(folder.pixels),
          {},
          std::move(folder.labels)};
}

PictureReading picture_reading(const ReadingOptions& reading) {
  return {.channels = reading.channels, .resize = reading.resize, .crop = reading.crop};
}

Raw read_raw(const ImageFiles& files, const ReadingOptions& reading) {
  const files::FileKind kind = files::kind_of_file(files.images);
  const bool needs_column = !files.label_column.empty() && files.needs_label_column && files.labels.empty();
  if (needs_column && kind != files::FileKind::csv)
    throw files::data_error(
        files.images, fmt::format("is no CSV file, so it has no column '{}' of labels", files.label_column));
  switch (kind) {
    case files::FileKind::idx:
      return read_idx_images(files.images, reading);
    case files::FileKind::npy:
      return read_npy_images(files.images, reading);
    case files::FileKind::csv:
      return read_csv_images(files, reading);
    case files::FileKind::picture:
      return raw_of(read_picture_alone(files.images, picture_reading(reading)));
    case files::FileKind::folder:
      break;
  }
  return raw_of(read_picture_folder(files.images, picture_reading(reading)));
}

/// A row of a square number of values is most often a picture.
Sizes guessed(const Sizes& sizes) {
  if (sizes.size() != 1) return sizes;
  const auto side = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(sizes[0]))));
  return side >= smallest_guessed_side && side * side == sizes[0] ? Sizes{side, side} : sizes;
}

/// PyTorch's order has channels before height and width. One channel may stand anywhere.
Sizes channels_last(Sizes sizes, const fs::path& path) {
  if (sizes.size() != 3 || sizes[2] <= 4) return sizes;
  if (sizes[0] == 1) return {sizes[1], sizes[2], 1};
  if (sizes[0] != 3) return sizes;
  throw files::data_error(
      path, fmt::format("holds images of [{}]: channels come last here; save it with .transpose(0, 2, 3, "
                        "1), or say that it is meant so with `shape: [{}]`",
                        fmt::join(sizes, ", "), fmt::join(sizes, ", ")));
}

Sizes sizes_of(const Raw& raw, const ReadingOptions& reading, const fs::path& path) {
  if (raw.shape.size() < 2)
    throw files::data_error(
        path, fmt::format("holds labels [{}], but images are expected here; are images and labels "
                          "exchanged?",
                          fmt::join(raw.shape, ", ")));
  if (raw.shape.size() > 4)
    throw files::data_error(path,
                            fmt::format("holds [{}] values; images have at most height, width and channels",
                                        fmt::join(raw.shape, ", ")));
  const Sizes sizes(raw.shape.begin() + 1, raw.shape.end());
  if (raw.shape[0] == 0) throw files::data_error(path, "holds no images");
  if (product(sizes) == 0)
    throw files::data_error(path,
                            fmt::format("holds images without pixels: [{}]", fmt::join(raw.shape, ", ")));
  if (reading.shape.empty()) return guessed(channels_last(sizes, path));
  if (product(reading.shape) != product(sizes))
    throw files::data_error(
        path, fmt::format("holds examples of [{}] = {} values, which `shape: [{}]` does not fit",
                          fmt::join(sizes, ", "), product(sizes), fmt::join(reading.shape, ", ")));
  return reading.shape;
}

/// The sizes of an example once its axes are as they should be.
Sizes put_upright(Raw& raw, Sizes sizes, const ReadingOptions& reading, const fs::path& path) {
  if (!reading.transposed) return sizes;
  if (sizes.size() < 2)
    throw files::data_error(
        path, fmt::format("holds rows of {} values, which have no height and width to exchange: "
                          "say what they are with `shape:`, or leave `transposed:` away",
                          sizes[0]));
  if (reading.shape.empty()) std::swap(sizes[0], sizes[1]);
  exchange_axes(std::span(raw.bytes), sizes);
  exchange_axes(std::span(raw.values), sizes);
  return sizes;
}

void set_sizes(ImageSet& set, const Sizes& sizes) {
  set.height = sizes.size() == 1 ? 1 : sizes[0];
  set.width = sizes.size() == 1 ? sizes[0] : sizes[1];
  set.channels = sizes.size() == 3 ? sizes[2] : 1;
  set.are_pictures = sizes.size() > 1 && (set.channels == 1 || set.channels == 3);
}

bool is_pixel(float value) {
  return value >= 0 && value <= 255 && value == std::floor(value);
}

/// Pixels stay bytes, and become bytes again where a table wrote them out.
void set_values(Stored<std::uint8_t>& pixels, Stored<float>& values, Raw raw,
                std::optional<double> divide_by) {
  if (!raw.stored_pixels.empty() || !raw.stored_values.empty()) {
    pixels = std::move(raw.stored_pixels);
    values = std::move(raw.stored_values);
    return;
  }
  const double by = divide_by.value_or(raw.values.empty() ? pixel_range : 1);
  if (raw.values.empty() && by != pixel_range) raw.values.assign(raw.bytes.begin(), raw.bytes.end());
  const bool are_pixels = by == pixel_range && std::all_of(raw.values.begin(), raw.values.end(), is_pixel);
  if (are_pixels) {
    raw.bytes.reserve(raw.bytes.size() + raw.values.size());
    for (const float value : raw.values) raw.bytes.push_back(static_cast<std::uint8_t>(value));
    pixels = std::move(raw.bytes);
    return;
  }
  if (by != 1)
    for (float& value : raw.values) value = static_cast<float>(static_cast<double>(value) / by);
  values = std::move(raw.values);
}

// ---- What stands beside the images ----

void require_as_many(std::size_t rows, std::size_t images, const char* what, const fs::path& path) {
  if (rows == images) return;
  throw files::data_error(path, fmt::format("holds {} {} for {} images", rows, what, images));
}

/// What images are to become: read as they are, in sizes of their own.
SideValues read_targets(const fs::path& path, ReadingOptions reading, std::size_t count) {
  reading.shape.clear();
  Raw raw = read_raw({.images = path, .label_column = {}, .needs_label_column = false}, reading);
  if (raw.shape.empty()) throw files::data_error(path, "holds one value, and no row for each image");
  require_as_many(raw.shape[0], count, "targets", path);
  Sizes sizes(raw.shape.begin() + 1, raw.shape.end());
  if (sizes.size() >= 2) sizes = put_upright(raw, std::move(sizes), reading, path);
  SideValues part{.shape = std::move(sizes)};
  set_values(part.pixels, part.values, std::move(raw), reading.divide_by);
  return part;
}

Raw read_array(const fs::path& path) {
  switch (files::kind_of_file(path)) {
    case files::FileKind::idx:
      return read_idx_images(path);
    case files::FileKind::npy:
      return read_npy_images(path);
    case files::FileKind::csv:
      return read_csv_images({.images = path, .needs_label_column = false}, {});
    case files::FileKind::picture:
    case files::FileKind::folder:
      break;
  }
  throw files::data_error(path, "is no array: IDX, NPY, NPZ and CSV files are read");
}

/// Bytes are pixels here too.
SideValues read_part(const fs::path& path, std::size_t count) {
  Raw raw = read_array(path);
  if (raw.shape.empty()) throw files::data_error(path, "holds one value, and no row for each image");
  require_as_many(raw.shape[0], count, "rows", path);
  SideValues part{.shape = Sizes(raw.shape.begin() + 1, raw.shape.end())};
  part.pixels = raw.stored_pixels.empty() ? Stored<std::uint8_t>(std::move(raw.bytes)) : raw.stored_pixels;
  part.values = raw.stored_values.empty() ? Stored<float>(std::move(raw.values)) : raw.stored_values;
  return part;
}

std::map<std::string, SideValues> read_arrays(const ImageFiles& files, std::size_t count) {
  std::map<std::string, fs::path> paths = files.arrays;
  if (!files.all_arrays.empty())
    for (const std::string& name : files::npz_names(files.all_arrays)) paths[name] = files.all_arrays / name;
  std::map<std::string, SideValues> parts;
  for (const auto& [name, path] : paths) parts[name] = read_part(path, count);
  return parts;
}

std::vector<float> read_weights(const fs::path& path, std::size_t count) {
  const Raw raw = read_array(path);
  std::vector<float> weights = raw.values;
  if (weights.empty()) weights.assign(raw.bytes.begin(), raw.bytes.end());
  require_as_many(weights.size(), count, "weights", path);
  return weights;
}

void set_labels(ImageSet& set, Labels labels, const fs::path& path) {
  if (labels.numbers.size() != set.count)
    throw files::data_error(path,
                            fmt::format("holds {} labels for {} images", labels.numbers.size(), set.count));
  set.labels = std::move(labels.numbers);
  set.class_names = std::move(labels.names);
}

ImageSet read_with_all(const ImageFiles& files, const ReadingOptions& reading) {
  Raw raw = read_raw(files, reading);
  ImageSet set;
  set_sizes(set, put_upright(raw, sizes_of(raw, reading, files.images), reading, files.images));
  set.count = raw.shape[0];
  set.column_names = std::move(raw.names);
  if (!raw.note.empty()) set.notes.push_back(fmt::format("{}: {}", files.images.string(), raw.note));
  if (!files.labels.empty())
    set_labels(set, read_labels(files.labels, files.label_column, {reading.classes, files.first_label}),
               files.labels);
  else if (!raw.label_texts.empty())
    set_labels(set, labels_from_texts(raw.label_texts, {reading.classes, files.first_label}, files.images),
               files.images);
  set_values(set.images, set.values, std::move(raw), reading.divide_by);
  if (!files.targets.empty()) set.image_targets = read_targets(files.targets, reading, set.count);
  if (!files.weights.empty())
    set.weights = with_mean_one(read_weights(files.weights, set.count), files.weights);
  set.arrays = read_arrays(files, set.count);
  return set;
}

}  // namespace

ImageSet load_images(const ImageFiles& files, const ReadingOptions& reading) {
  return saying_what_lacks([&] { return read_with_all(files, reading); },
                           [&] { return files::memory_error(files.images); });
}

}  // namespace graphrun::train
