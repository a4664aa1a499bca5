/// \file
/// The inputs of a model: what the examples fill, and what the host computes for each step.
#pragma once

#include <string>

#include "graphrun/error.hpp"
#include "language/values/schedule.hpp"

namespace graphrun {

/// What an input is bound to when a data set is read. Integers for labels, pixels in [0, 1] for images.
enum class InputSource { images, labels };

struct ModelInput {
  std::string name;  ///< of its node
  InputSource source = InputSource::images;
  SourceLocation where;
};

/// A scalar input node whose value follows a schedule (loss weights, noise amounts, whole nodes).
struct ScheduledInput {
  std::string name;  ///< of its node, an `input` of shape []
  Schedule schedule;
};

}  // namespace graphrun
