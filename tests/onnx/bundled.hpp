/// \file
/// Bundled models with weights as if something had been learnt.
#pragma once

#include <string>
#include <vector>

#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::testing {

/// With weights that are nowhere 0 or 1.
train::Learner stirred(train::SharedDefinition model);
/// The model as it is exported: what `when: always` corrupts is given clean.
train::SharedDefinition clean(const std::string& path);
/// Draws of a bundled model that decide about an output.
std::vector<std::string> draws_of(const std::string& name);

}  // namespace graphrun::testing
