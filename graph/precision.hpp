/// \file
/// The names of precisions.
#pragma once

#include <optional>
#include <string_view>

#include "graphrun/products.hpp"

namespace graphrun {

std::string_view to_string(Precision precision);  ///< "f32", "bf16", "bf16-emulated"
/// Nothing for another word.
std::optional<Precision> precision_named(std::string_view word);

}  // namespace graphrun
