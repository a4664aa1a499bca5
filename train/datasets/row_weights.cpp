#include "train/datasets/row_weights.hpp"

#include <fmt/format.h>

#include "files/file.hpp"

namespace graphrun::train {

std::vector<float> with_mean_one(std::vector<float> weights, const std::filesystem::path& path) {
  double sum = 0;
  for (std::size_t row = 0; row < weights.size(); ++row) {
    if (!(weights[row] >= 0))
      throw files::data_error(
          path, fmt::format("holds the weight {} in row {}: weights are numbers from 0", weights[row], row));
    sum += static_cast<double>(weights[row]);
  }
  if (!weights.empty() && !(sum > 0)) throw files::data_error(path, "holds no weight above 0");
  const double mean = sum / static_cast<double>(weights.size());
  for (float& weight : weights) weight = static_cast<float>(static_cast<double>(weight) / mean);
  return weights;
}

}  // namespace graphrun::train
