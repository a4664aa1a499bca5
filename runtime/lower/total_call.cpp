#include "runtime/lower/total_call.hpp"

#include <algorithm>

namespace graphrun::runtime {
namespace {

/// Elements whose sum stays in the first-level cache while all parts are added.
constexpr std::int64_t elements_at_once = 4096;

void add_to(float* sum, const float* part, std::int64_t count) {
#pragma GCC ivdep
  for (std::int64_t i = 0; i < count; ++i) sum[i] += part[i];
}

}  // namespace

std::unique_ptr<Call> make_total_call(std::int64_t elements) {
  return make_call([elements](const CallArguments& arguments) {
    auto* const sum = reinterpret_cast<float*>(arguments.output);
    for (std::int64_t first = 0; first < elements; first += elements_at_once) {
      const std::int64_t count = std::min(elements_at_once, elements - first);
      std::copy_n(reinterpret_cast<const float*>(arguments.inputs[0]) + first, count, sum + first);
      for (const std::byte* const part : arguments.inputs.subspan(1))
        add_to(sum + first, reinterpret_cast<const float*>(part) + first, count);
    }
  });
}

}  // namespace graphrun::runtime
