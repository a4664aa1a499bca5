/// \file
/// What pictures and the page of a run are made from, beside its model.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "train/datasets/dataset.hpp"
#include "train/datasets/examples.hpp"
#include "train/datasets/known_datasets.hpp"

namespace graphrun::show {

struct Source {
  const train::Dataset& data;
  const train::Examples& train;
  const train::Examples& test;    ///< those of data.test, or of data.train where there are none
  std::filesystem::path metrics;  ///< metrics.csv of its run; empty: none

  /// The images of `test`.
  const train::ImageSet& shown() const { return data.measured().count > 0 ? data.measured() : data.train; }
  /// As the images have them, or the data set; empty where classes have only numbers.
  std::vector<std::string> class_names() const {
    return shown().class_names.empty() ? train::class_names(data.name) : shown().class_names;
  }
};

}  // namespace graphrun::show
