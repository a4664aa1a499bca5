/// \file
/// A model's weights as another program names and lays them out.
#pragma once

#include <filesystem>

#include "train/learn/learner.hpp"
#include "weights/convention.hpp"

namespace graphrun::weights {

/// Writes a safetensors file, complete or not at all, that PyTorch's load_state_dict takes for modules with
/// the names of the model's layers: "enc.0.weight", "enc.0.bias", of a batch norm also the number of batches.
/// Returns how many tensors there are. Error{io}.
std::size_t save_weights(const std::filesystem::path& path, const train::Learner& learner,
                         Convention convention);

/// Writes an NPZ file with the model's variables under their own names. Returns how many there are.
/// Error{io}.
std::size_t save_arrays(const std::filesystem::path& path, const train::Learner& learner);

}  // namespace graphrun::weights
