/// \file
/// Weights of one model for another: by name, as far as they fit.
#pragma once

#include <string>
#include <vector>

#include "files/safetensors.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::train {

struct Transfer {
  Learner::Weights weights;          ///< what fits
  std::vector<std::string> missing;  ///< variables of the model that the file does not have
  std::vector<std::string> misfits;  ///< of another shape: "code.w is f32[32, 2] in the file and …"
  std::vector<std::string> unused;   ///< tensors of the file that the model does not have
};

/// Reads the tensors whose name and shape are those of a variable of the model. The learner is not changed.
/// Error{data} when nothing fits.
Transfer transferable(const Learner& learner, const files::SafetensorsFile& file);

/// "4 of 6 parameters are taken from a.safetensors; not in it: logits.b, logits.w".
std::vector<std::string> notes_on(const Transfer& transfer, const std::string& file);

}  // namespace graphrun::train
