/// \file
/// How much each example counts.
#pragma once

#include <filesystem>
#include <vector>

namespace graphrun::train {

/// Weights of which 1 is the mean. Error{data} for one below 0, and where none is above.
std::vector<float> with_mean_one(std::vector<float> weights, const std::filesystem::path& path);

}  // namespace graphrun::train
