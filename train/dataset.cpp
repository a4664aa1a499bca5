#include "train/dataset.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "train/idx.hpp"

namespace graphrun::train {
namespace {

namespace fs = std::filesystem;

void set_image_shape(ImageSet& set, const std::vector<std::size_t>& shape, const fs::path& path) {
  if (shape.size() == 1) {
    throw data_error(path,
                     fmt::format("holds labels [{}], but images are expected here; are images and labels "
                                 "exchanged?",
                                 shape[0]));
  }
  set.count = shape[0];
  set.height = shape.size() == 2 ? 1 : shape[1];
  set.width = shape.size() == 2 ? shape[1] : shape[2];
  set.channels = shape.size() == 4 ? shape[3] : 1;
  if (set.count == 0) throw data_error(path, "holds no images");
  if (set.values_per_image() == 0) {
    throw data_error(path, fmt::format("holds images without pixels: [{}]", fmt::join(shape, ", ")));
  }
}

Bytes load_labels(const fs::path& path, std::size_t images) {
  IdxArray array = read_idx(path);
  if (array.shape.size() != 1) {
    throw data_error(
        path, fmt::format("holds [{}] values, but labels [{}] are expected here; are images and labels "
                          "exchanged?",
                          fmt::join(array.shape, ", "), images));
  }
  if (array.shape[0] != images) {
    throw data_error(path, fmt::format("holds {} labels for {} images", array.shape[0], images));
  }
  return std::move(array.values);
}

ImageFiles relative_to(const fs::path& base, const ImageFiles& files) {
  // An absolute path on the right of / replaces the base.
  return {base / files.images, files.labels.empty() ? fs::path() : base / files.labels};
}

}  // namespace

ImageSet load_images(const ImageFiles& files) {
  ImageSet set;
  IdxArray array = read_idx(files.images);
  set_image_shape(set, array.shape, files.images);
  set.images = std::move(array.values);
  if (!files.labels.empty()) set.labels = load_labels(files.labels, set.count);
  return set;
}

Dataset load_dataset(const DatasetFiles& files, const fs::path& base) {
  Dataset dataset;
  dataset.name = files.train.images.filename().string();
  dataset.train = load_images(relative_to(base, files.train));
  if (files.test.images.empty()) return dataset;
  dataset.test = load_images(relative_to(base, files.test));
  const ImageSet& train = dataset.train;
  const ImageSet& test = dataset.test;
  if (test.height != train.height || test.width != train.width || test.channels != train.channels) {
    throw data_error(
        base / files.test.images,
        fmt::format("holds test images of [{}, {}, {}] (height, width, channels), but the training "
                    "images are [{}, {}, {}]",
                    test.height, test.width, test.channels, train.height, train.width, train.channels));
  }
  return dataset;
}

}  // namespace graphrun::train
