/// \file
/// Pictures and numbers in a form that a page reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "files/json.hpp"
#include "show/draw/pictures.hpp"

namespace graphrun::show {

/// Pictures in one PNG, row by row without gaps: {png (base64), count, columns, height, width}. At least one.
files::JsonObject sprite(const Pictures& pictures);

/// So many of the pictures wanted that a report stays of a size to send: their pixels take 2 MB at most. At
/// least one.
std::int64_t affordable(std::int64_t wanted, std::size_t values_per_picture);

/// f32, little endian as all machines are that graphrun runs on.
std::string base64_of(std::span<const float> values);

}  // namespace graphrun::show
