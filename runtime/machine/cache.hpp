/// \file
/// The caches of this machine. What is cut by their sizes has the same bits on every machine.
#pragma once

#include <cstddef>

namespace graphrun::runtime {

/// Of one core; a mebibyte where the system does not say.
std::size_t second_level_cache_bytes();

}  // namespace graphrun::runtime
