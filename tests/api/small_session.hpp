/// What tests of sessions share: a small model, images for it, options.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "graphrun/graphrun.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/small_model.hpp"

namespace graphrun::testing::api {

inline constexpr std::size_t pixels = 784;

inline Model small_model(const std::vector<std::string>& settings = {}) {
  return Model::parse(graphrun::testing::small_model(), "small.yaml", settings);
}

inline std::vector<float> make_images(std::size_t count) {
  std::vector<float> images(count * pixels);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto phase = static_cast<double>(i % pixels * (i / pixels % 5 + 1));
    images[i] = static_cast<float>(0.5 + 0.5 * std::sin(phase / 50));
  }
  return images;
}

inline SessionOptions one_thread() {
  SessionOptions options;
  options.threads = 1;
  return options;
}

inline double value_of(const NamedValues& values, const std::string& name) {
  const auto found =
      std::find_if(values.begin(), values.end(), [&](const NamedValue& value) { return value.name == name; });
  REQUIRE(found != values.end());
  return found->value;
}

}  // namespace graphrun::testing::api
