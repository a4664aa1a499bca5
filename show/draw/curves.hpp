/// \file
/// How figures changed while a model learnt, as its run logged them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace graphrun::show {

/// One figure over the steps, while learning and on test data; either may have no points.
struct Curve {
  struct Point {
    double step = 0;
    double value = 0;
  };
  std::string name;
  std::vector<Point> train;
  std::vector<Point> test;
  std::string measured = "test";  ///< what its points of `test` are of: test or validation data
};

/// The figures of a run's metrics.csv in the order of its columns. Empty cells and what is not finite are
/// left out, and so is a term that is the whole loss. Error{data}, Error{io}.
std::vector<Curve> read_curves(const std::filesystem::path& metrics);

/// The steps that a run spent in one phase, draw and layer.
struct LoggedStage {
  std::string phase;       ///< empty in a model without phases
  std::int64_t draw = 1;   ///< from 1
  std::int64_t layer = 0;  ///< of a greedy phase, from 1; else 0
  double first = 0;        ///< the first and the last step that has a row
  double last = 0;
};
/// In their order. Errors as of read_curves().
std::vector<LoggedStage> read_stages(const std::filesystem::path& metrics);

}  // namespace graphrun::show
