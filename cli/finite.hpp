/// \file
/// Results that are no numbers are failures, not results: Error{not_finite}.
#pragma once

#include <cstddef>
#include <string>

#include "train/learn/figures.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::cli {

/// Of the parameters that were read from `source`; names the first that holds a NaN or an infinity.
void require_finite(const train::Learner& learner, const std::string& source);

/// Of an output, whose first row has this number; names the first that is not. Indices are finite.
void require_finite(const train::OutputValues& output, std::size_t first_row = 0);

/// Of what was measured; names the figure.
void require_finite(const train::Figures& figures);

}  // namespace graphrun::cli
