/// \file
/// A host's table as the text of a file: so its rows go the way of all rows.
#pragma once

#include <string>

#include "graphrun/table.hpp"

namespace graphrun::api {

/// What errors call the table.
inline constexpr const char* table_name = "table";

/// Numbers read back to the same bits.
std::string text_of(const Table& table);

}  // namespace graphrun::api
