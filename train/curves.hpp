/// \file
/// How figures changed while a model learnt, as a picture.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "train/image.hpp"

namespace graphrun::train {

/// One figure over the steps, while learning and on test data; either may have no points.
struct Curve {
  struct Point {
    double step = 0;
    double value = 0;
  };
  std::string name;
  std::vector<Point> train;
  std::vector<Point> test;
};

/// The figures of a run's metrics.csv in the order of its columns. Empty cells and what is not finite are
/// left out, and so is a term that is the whole loss. Error{data}, Error{io}.
std::vector<Curve> read_curves(const std::filesystem::path& metrics);

/// A panel for each figure, at most eight. Error{usage} when there is none.
Image draw_curves(const std::vector<Curve>& curves);

}  // namespace graphrun::train
