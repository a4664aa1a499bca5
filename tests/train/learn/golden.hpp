/// \file
/// The rules of tests/goldens: weights, batches and noise that an independent implementation used too.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/interpreter.hpp"
#include "language/recipe/definition.hpp"

namespace graphrun::testing {

struct GoldenParameter {
  std::string name;
  Extents extents;
  double bound = 0;
  double first = 0;
  double last = 0;
};

struct Golden {
  std::string model;
  std::vector<std::string> settings;
  std::int64_t batch = 0;
  std::uint64_t steps = 0;
  std::vector<GoldenParameter> parameters;
  std::vector<std::string> feeds;
  std::vector<double> loss;
};

Golden read_golden(const std::string& name);

/// Uniform number `index` in [0, 1) of a name.
double golden_uniform(const std::string& name, std::uint64_t index);
std::vector<double> golden_weights(const GoldenParameter& parameter);
/// The images of a step, row by row.
std::vector<double> golden_batch(const Golden& golden, std::uint64_t step);
/// What is fed in a step under one of golden.feeds.
HostTensor golden_feed(const Golden& golden, const std::string& name, std::uint64_t step);

}  // namespace graphrun::testing
