/// \file
/// The smallest model that learns, without a file of data: six numbers a row, through two and back.
#pragma once

#include <cmath>
#include <string>
#include <vector>

namespace graphrun::testing {

/// Its YAML: `nodes` are lines that end with that of `recon`, `train` is what stands there beside the seed.
inline std::string six_numbers_model(const std::string& nodes, const std::string& train) {
  return "graphrun: 1\n"
         "name: small\n"
         "inputs:\n"
         "  x: {shape: [batch, 6]}\n"
         "nodes:\n" +
         nodes +
         "outputs: {code: code, image: recon}\n"
         "loss:\n"
         "  reconstruction: {op: mse, in: [recon, x]}\n"
         "train: {" +
         train + ", seed: 4}\n";
}

/// Rows for it, from 0 to 1.
inline std::vector<float> six_numbers(std::size_t rows) {
  std::vector<float> values(rows * 6);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(0.5 + 0.5 * std::sin(static_cast<double>(i)));
  return values;
}

}  // namespace graphrun::testing
