/// \file
/// The state of a run as text pairs: what a checkpoint carries in its metadata. Numbers are written in the
/// shortest form that reads back as the same bits.
#pragma once

#include <map>
#include <string>

#include "train/learn/state.hpp"

namespace graphrun::train {

std::map<std::string, std::string> to_text(const TrainingState& state);

/// Error{data} for a missing key or a value that is not a number; the caller adds the file.
TrainingState state_from_text(const std::map<std::string, std::string>& text);

}  // namespace graphrun::train
