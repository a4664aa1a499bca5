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

/// Reads the tensors whose name and shape are those of a variable of the model. Error{data} when nothing
/// fits.
Transfer transferable(const ModelDefinition& model, const files::SafetensorsFile& file);

/// "4 of 6 parameters are taken from a.safetensors", and what is not, and why. What the file does not have is
/// only told when it is the only one.
std::vector<std::string> notes_on(const Transfer& transfer, const std::string& file, bool is_only);

/// "not in the file, so they begin anew: logits.b, logits.w".
std::string note_on_missing(const std::vector<std::string>& missing, const std::string& where);

}  // namespace graphrun::train
