/// \file
/// A data set: examples to learn from, others to test with.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "train/datasets/read_examples.hpp"

namespace graphrun::train {

struct Dataset {
  std::string name;          ///< "fashion_mnist"; for files given by path, that of the training images
  ImageSet train;            ///< never empty
  ImageSet validation = {};  ///< measured while it learns; empty unless `split:` keeps some of a table
  ImageSet test;             ///< empty (count 0) if the model file names none; else images of the same size
  std::filesystem::path folder;    ///< where a data set asked for by name was found
  bool is_subset = false;          ///< the small part in the repository stands in for the full set: say so
  std::vector<std::string> notes;  ///< what else a person should know, one sentence each; often empty

  /// What is measured after each epoch: the validation data, or the test data where there are none.
  const ImageSet& measured() const { return validation.count > 0 ? validation : test; }
};

/// `data: {train: {images: PATH, labels: PATH}, test: {...}}`; an empty test.images means no test data.
struct DatasetFiles {
  ImageFiles train;
  ImageFiles test = {};
  ReadingOptions reading = {};
};

/// The last part of a path, which may end in a slash: what data given by path are called.
inline std::string name_of_file(const std::filesystem::path& path) {
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

/// The files of a model, relative paths relative to `base` (the folder of the model file). Labels by name are
/// numbered alike in both splits: training names in sorted order, then what only the test data have.
Dataset load_dataset(const DatasetFiles& files, const std::filesystem::path& base);

}  // namespace graphrun::train
