#include "train/datasets/picture_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

#include "files/file_kind.hpp"
#include "files/jpeg/jpeg.hpp"
#include "files/png/png.hpp"
#include "train/datasets/picture_size.hpp"

namespace graphrun::train {

namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 3> pictures{".png", ".jpg", ".jpeg"};
constexpr std::array<const char*, 7> other_pictures{".gif",  ".bmp",  ".webp", ".tif",
                                                    ".tiff", ".avif", ".ppm"};

bool has_one_of(std::span<const char* const> endings, const fs::path& path) {
  return std::ranges::any_of(endings, [&](const char* ending) { return files::has_ending(path, ending); });
}

struct Entries {
  std::vector<fs::path> pictures;
  std::vector<fs::path> folders;
};

/// What is in a folder, sorted by name. Names that begin with a dot are the system's own.
Entries entries_of(const fs::path& folder) {
  Entries entries;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    if (path.filename().string().starts_with('.')) continue;
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      entries.folders.push_back(path);
    } else if (has_one_of(pictures, path)) {
      entries.pictures.push_back(path);
    } else if (has_one_of(other_pictures, path)) {
      throw files::data_error(
          path, "is a picture, but PNG and JPEG alone are read: convert it, or take it out of the folder");
    }
  }
  if (error) throw files::io_error(folder, "read the folder", error.value());
  std::sort(entries.pictures.begin(), entries.pictures.end());
  std::sort(entries.folders.begin(), entries.folders.end());
  return entries;
}

struct LabelledFile {
  fs::path path;
  std::string label;  ///< may be empty
};

std::vector<fs::path> pictures_of_class(const fs::path& folder) {
  Entries entries = entries_of(folder);
  if (!entries.folders.empty())
    throw files::data_error(entries.folders.front(),
                            "is a folder within the folder of a class; pictures lie in one folder "
                            "for each class, not deeper");
  return std::move(entries.pictures);
}

/// One of each class in turn.
std::vector<LabelledFile> in_turn(const std::vector<fs::path>& folders) {
  std::vector<std::vector<fs::path>> classes;
  std::size_t largest = 0;
  for (const fs::path& folder : folders) {
    classes.push_back(pictures_of_class(folder));
    largest = std::max(largest, classes.back().size());
  }
  std::vector<LabelledFile> files;
  for (std::size_t i = 0; i < largest; ++i)
    for (std::size_t c = 0; c < classes.size(); ++c)
      if (i < classes[c].size()) files.push_back({classes[c][i], folders[c].filename().string()});
  return files;
}

std::vector<LabelledFile> files_of(const fs::path& folder) {
  const Entries entries = entries_of(folder);
  if (!entries.pictures.empty() && !entries.folders.empty())
    throw files::data_error(
        folder, fmt::format("holds pictures ({}) and folders ({}): either all pictures lie in it, or "
                            "all in a folder for each class",
                            entries.pictures.front().filename().string(),
                            entries.folders.front().filename().string()));
  std::vector<LabelledFile> files = in_turn(entries.folders);
  for (const fs::path& picture : entries.pictures) files.push_back({picture, ""});
  if (files.empty())
    throw files::data_error(folder,
                            "holds no pictures: files that end in .png, .jpg or .jpeg are read, also from a "
                            "folder for each class");
  return files;
}

std::uint8_t luminance(const std::uint8_t* pixel) {
  return static_cast<std::uint8_t>((pixel[0] * 299U + pixel[1] * 587U + pixel[2] * 114U + 500U) / 1000U);
}

/// Grey three times, or the luminance of colour.
std::vector<std::uint8_t> converted(std::span<const std::uint8_t> pixels, std::size_t from, std::size_t to) {
  std::vector<std::uint8_t> result;
  result.reserve(pixels.size() / from * to);
  for (std::size_t i = 0; i < pixels.size(); i += from)
    result.insert(result.end(), to, to == 1 ? luminance(&pixels[i]) : pixels[i]);
  return result;
}

constexpr std::uint64_t largest_picture = std::uint64_t{1} << 28;

/// Told by how it begins, whatever it is called.
files::Image read_picture(const fs::path& path) {
  const files::Bytes bytes = files::read_file(path, largest_picture);
  const bool is_jpeg = bytes.size() >= 2 && bytes[0] == 0xFF && bytes[1] == 0xD8;
  return is_jpeg ? files::decode_jpeg(bytes, path) : files::decode_png(bytes, path);
}

/// Pictures in the order in which they are added, all of the size of the first.
class Collection {
 public:
  /// `file_bytes`: of all pictures together.
  Collection(std::size_t expected, std::uint64_t file_bytes, const PictureReading& reading)
      : expected_(expected), file_bytes_(file_bytes), reading_(reading), chosen_(reading.channels) {}

  void add(const fs::path& path) {
    const files::Image image = sized(read_picture(path), path);
    if (result_.count == 0) begin(path, image);
    if (image.height != result_.height || image.width != result_.width)
      throw files::data_error(
          path,
          fmt::format("is a picture of {} x {} pixels, but {} is one of {} x {}: all must be of "
                      "one size, to which `resize:` and `crop:` under `data:` bring them",
                      image.width, image.height, first_.filename().string(), result_.width, result_.height));
    if (!chosen_ && image.channels > result_.channels) become_colour();
    append(image);
    ++result_.count;
  }

  PictureFolder take() { return std::move(result_); }

 private:
  files::Image sized(files::Image image, const fs::path& path) const {
    if (!reading_.resize.empty()) image = resized(image, reading_.resize);
    if (reading_.crop.empty()) return image;
    const auto [height, width] = std::pair(reading_.crop[0], reading_.crop[1]);
    if (image.height < height || image.width < width)
      throw files::data_error(path,
                              fmt::format("is a picture of {} x {} pixels, of which `crop:` takes {} x {}; "
                                          "`resize:` makes it larger",
                                          image.width, image.height, width, height));
    return cropped(image, height, width);
  }

  void begin(const fs::path& path, const files::Image& image) {
    first_ = path;
    result_.height = image.height;
    result_.width = image.width;
    result_.channels = chosen_.value_or(image.channels);
    reserve();
  }

  void reserve() {
    const std::size_t bytes = result_.height * result_.width * result_.channels;
    if (bytes > largest_folder / expected_)
      throw files::data_error(
          first_,
          fmt::format("{} pictures of {} x {} pixels and {} channels take more than the {} GiB "
                      "that are read",
                      expected_, result_.width, result_.height, result_.channels, largest_folder >> 30U));
    // Of many pictures, what is really there; flat drawings are a hundredth of their pixels.
    constexpr std::uint64_t always = std::uint64_t{64} << 20;
    constexpr std::uint64_t times = 128;
    if (expected_ > 1 && bytes * expected_ > always + times * file_bytes_)
      throw files::data_error(
          first_,
          fmt::format("{} pictures of {} x {} pixels and {} channels take {} bytes, but their files have "
                      "only {} together",
                      expected_, result_.width, result_.height, result_.channels, bytes * expected_,
                      file_bytes_));
    result_.pixels.reserve(bytes * expected_);
  }

  void become_colour() {
    const files::Bytes grey = std::move(result_.pixels);
    result_.pixels = {};
    result_.channels = 3;
    reserve();
    const std::vector<std::uint8_t> colour = converted(grey, 1, 3);
    result_.pixels.insert(result_.pixels.end(), colour.begin(), colour.end());
  }

  void append(const files::Image& image) {
    if (image.channels == result_.channels) {
      result_.pixels.insert(result_.pixels.end(), image.pixels.begin(), image.pixels.end());
      return;
    }
    const std::vector<std::uint8_t> pixels = converted(image.pixels, image.channels, result_.channels);
    result_.pixels.insert(result_.pixels.end(), pixels.begin(), pixels.end());
  }

  std::size_t expected_;
  std::uint64_t file_bytes_;
  const PictureReading& reading_;
  std::optional<std::size_t> chosen_;
  fs::path first_;
  PictureFolder result_;
};

}  // namespace

PictureFolder read_picture_folder(const fs::path& folder, const PictureReading& reading) {
  const std::vector<LabelledFile> files = files_of(folder);
  std::uint64_t bytes = 0;
  for (const LabelledFile& file : files) {
    std::error_code unreadable;  // told when it is read
    const std::uintmax_t size = fs::file_size(file.path, unreadable);
    if (!unreadable) bytes += size;
  }
  Collection collection(files.size(), bytes, reading);
  for (const LabelledFile& file : files) collection.add(file.path);
  PictureFolder result = collection.take();
  for (const LabelledFile& file : files)
    if (!file.label.empty()) result.labels.push_back(file.label);
  return result;
}

PictureFolder read_picture_alone(const fs::path& file, const PictureReading& reading) {
  Collection collection(1, 0, reading);
  collection.add(file);
  return collection.take();
}

}  // namespace graphrun::train
