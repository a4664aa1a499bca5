#include "train/datasets/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace graphrun::train {
namespace {

namespace fs = std::filesystem;

ImageFiles relative_to(const fs::path& base, const ImageFiles& files) {
  // An absolute path on the right of / replaces the base.
  const auto moved = [&](const fs::path& path) { return path.empty() ? fs::path() : base / path; };
  ImageFiles result = files;
  for (fs::path* path :
       {&result.images, &result.labels, &result.targets, &result.weights, &result.all_arrays})
    *path = moved(*path);
  for (auto& [name, path] : result.arrays) path = moved(path);
  return result;
}

void require_equal_sizes(const ImageSet& train, const ImageSet& test, const fs::path& path) {
  if (test.height == train.height && test.width == train.width && test.channels == train.channels) return;
  throw files::data_error(
      path, fmt::format("holds test images of [{}, {}, {}] (height, width, channels), but the training "
                        "images are [{}, {}, {}]",
                        test.height, test.width, test.channels, train.height, train.width, train.channels));
}

/// A name has the same number in both.
void join_class_names(ImageSet& train, ImageSet& test, const fs::path& path) {
  if (!train.has_labels() || !test.has_labels() || train.class_names == test.class_names) return;
  if (train.class_names.empty() != test.class_names.empty())
    throw files::data_error(path,
                            fmt::format("has labels by {}, the training data by {}; list the names under "
                                        "`classes:`, in the order of their numbers",
                                        test.class_names.empty() ? "number" : "name",
                                        train.class_names.empty() ? "number" : "name"));
  std::vector<std::string>& names = train.class_names;
  std::vector<std::int32_t> places;
  for (const std::string& name : test.class_names) {
    const auto known = std::find(names.begin(), names.end(), name);
    places.push_back(static_cast<std::int32_t>(known - names.begin()));
    if (known == names.end()) names.push_back(name);
  }
  for (std::int32_t& label : test.labels) label = places[static_cast<std::size_t>(label)];
  test.class_names = names;
}

/// Pixels that are taken for measurements would teach a model nothing.
void look_for_unscaled_pixels(Dataset& dataset) {
  const ImageSet& train = dataset.train;
  if (train.are_pixels() || !train.are_pictures) return;
  const bool are_bytes = std::all_of(train.values.begin(), train.values.end(), [](float value) {
    return value >= 0 && value <= 255 && value == static_cast<float>(static_cast<int>(value));
  });
  const float largest = *std::max_element(train.values.begin(), train.values.end());
  if (are_bytes && largest > 1)
    dataset.notes.push_back(
        fmt::format("the values of {} are whole numbers up to {}, which the model is given as they "
                    "are; if they are pixels, write `divide_by: {}` under `data:`",
                    dataset.name, largest, largest > 16 ? 255 : largest));
}

}  // namespace

Dataset load_dataset(const DatasetFiles& files, const fs::path& base) {
  Dataset dataset;
  dataset.name = name_of_file(files.train.images);
  dataset.train = load_images(relative_to(base, files.train), files.reading);
  dataset.notes = dataset.train.notes;
  look_for_unscaled_pixels(dataset);
  if (files.test.images.empty()) return dataset;
  ReadingOptions reading = files.reading;
  if (reading.names.empty()) reading.names = dataset.train.column_names;
  dataset.test = load_images(relative_to(base, files.test), reading);
  require_equal_sizes(dataset.train, dataset.test, base / files.test.images);
  join_class_names(dataset.train, dataset.test, base / files.test.images);
  dataset.notes.insert(dataset.notes.end(), dataset.test.notes.begin(), dataset.test.notes.end());
  return dataset;
}

}  // namespace graphrun::train
