#include <vector>

#include "tests/support/catch.hpp"
#include "train/run/picture_schedule.hpp"

using graphrun::train::pictures_until;

namespace {

std::vector<int> epochs_with_pictures(int until, std::optional<std::int64_t> every) {
  std::vector<int> epochs;
  for (int epoch = 1; epoch <= until; ++epoch)
    if (pictures_until(static_cast<std::uint64_t>(epoch), every) >
        pictures_until(static_cast<std::uint64_t>(epoch) - 1, every))
      epochs.push_back(epoch);
  return epochs;
}

}  // namespace

TEST_CASE("pictures become rare as a run becomes long, or come as often as asked") {
  CHECK(epochs_with_pictures(1200, {}) == std::vector<int>{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000});
  CHECK(epochs_with_pictures(10, 3) == std::vector<int>{3, 6, 9});
  CHECK(epochs_with_pictures(3, 1) == std::vector<int>{1, 2, 3});
  CHECK(epochs_with_pictures(100, 0).empty());
}
