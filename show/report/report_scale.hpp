/// \file
/// An axis of a diagram as the page of a report takes it.
#pragma once

#include "files/json.hpp"
#include "show/draw/scales.hpp"

namespace graphrun::show {

files::JsonObject json_of(const Scale& scale);

}  // namespace graphrun::show
