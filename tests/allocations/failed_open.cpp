// A program that counts its allocations, and opens a library that is not there. dlerror() allocates while it
// holds a block of its own: what is freed must not be written to afterwards.
#include <dlfcn.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" [[gnu::weak]] std::uint64_t graphrun_allocation_count() noexcept;

namespace {

constexpr std::size_t blocks = 5;
using Blocks = std::array<void*, blocks>;

/// Of the size of the block that dlerror() holds.
void allocate(Blocks& all) {
  for (void*& block : all) block = std::malloc(24);
}

}  // namespace

int main() {
  if (graphrun_allocation_count == nullptr) return 1;
  // Freed blocks form a list through their first bytes: one that is broken shows when it is followed.
  Blocks before{};
  allocate(before);
  for (void* const block : before) std::free(block);
  if (dlopen("there is no such library", RTLD_NOW) != nullptr || dlerror() == nullptr) return 2;
  const std::uint64_t counted = graphrun_allocation_count();
  Blocks after{};
  allocate(after);
  for (const void* const block : after)
    if (block == nullptr) return 3;
  return graphrun_allocation_count() == counted + blocks ? 0 : 4;
}
