/// \file
/// The tables of keys in docs/model-language.md, made from the rows that the reader of a model goes by.
#pragma once

#include <string>
#include <string_view>

namespace graphrun {

/// The guide with the table after each line `<!-- keys: SECTION -->` (also `<!-- probes -->`,
/// `<!-- schedules -->`, `<!-- initialisers -->`) made anew, up to the next empty line.
std::string with_tables(std::string_view guide);

}  // namespace graphrun
