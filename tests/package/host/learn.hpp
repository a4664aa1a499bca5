// A few steps of learning from made-up images, in a session of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "graphrun/graphrun.hpp"

inline std::string learn(const std::string& path, int steps) {
  const graphrun::Model model = graphrun::Model::load(path);
  graphrun::SessionOptions options;
  options.threads = 2;
  graphrun::Session session(model, options);
  std::vector<std::uint8_t> images(std::size_t{16} * 784);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<std::uint8_t>(i * i % 251);
  for (int step = 0; step < steps; ++step) session.train_step({{"x", images}});
  return session.digest();
}
