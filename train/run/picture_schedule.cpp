#include "train/run/picture_schedule.hpp"

namespace graphrun::train {

std::uint64_t pictures_until(std::uint64_t epochs, const std::optional<std::int64_t>& every) {
  if (every) return *every == 0 ? 0 : epochs / static_cast<std::uint64_t>(*every);
  std::uint64_t count = 0;
  for (std::uint64_t rest = epochs; rest > 0; rest /= 10) {
    // Whole powers of ten below count three each; the first digit decides about the last of them.
    count += rest >= 5 ? 3 : (rest >= 2 ? 2 : 1);
  }
  return count;
}

}  // namespace graphrun::train
