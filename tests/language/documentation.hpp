/// \file
/// The parts of the documentation that are made from the definitions; tests hold what is committed to them.
#pragma once

#include <string>
#include <string_view>

#include "language/build.hpp"

namespace graphrun::testing {

/// docs/ops.md
std::string reference_markdown(const Language& language);

/// The guide with the table after each line `<!-- keys: SECTION -->` (also `<!-- probes -->`,
/// `<!-- schedules -->`, `<!-- initialisers -->`) made anew, up to the next empty line.
std::string with_tables(std::string_view guide);

}  // namespace graphrun::testing
