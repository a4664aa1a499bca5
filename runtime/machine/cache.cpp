#include "runtime/machine/cache.hpp"

#include <unistd.h>

namespace graphrun::runtime {

std::size_t second_level_cache_bytes() {
  static const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
  return bytes > 0 ? static_cast<std::size_t>(bytes) : std::size_t{1} << 20;
}

}  // namespace graphrun::runtime
