/// \file
/// The blocks of the language's own library, ops/std.yaml, embedded as text.
#pragma once

#include <string_view>

namespace graphrun::ops {

std::string_view standard_blocks();

}  // namespace graphrun::ops
