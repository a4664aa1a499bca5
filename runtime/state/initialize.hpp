/// \file
/// How a variable starts: graph/initializers.hpp tells of the kinds.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "graph/attribute.hpp"
#include "graph/type.hpp"

namespace graphrun::runtime {

/// Fills `values` (dense row-major, of `extents`). What it draws depends on the seed and the name alone.
/// Throws Error{model} for a name or an argument that there is not.
void initialize(const Initializer& initializer, std::string_view name, const Extents& extents,
                std::uint64_t seed, std::span<float> values);

}  // namespace graphrun::runtime
