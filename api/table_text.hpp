/// \file
/// A host's table as the text of a file: so its rows go the way of all rows.
#pragma once

#include <cstddef>
#include <string>

#include "graphrun/table.hpp"

namespace graphrun::api {

/// What errors call the table.
inline constexpr const char* table_name = "table";

/// A cell as the file would have it; numbers read back to the same bits.
std::string cell_of(const Table::Column& column, std::size_t row);

std::string text_of(const Table& table);

}  // namespace graphrun::api
