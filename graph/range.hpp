/// \file
/// Which numbers are allowed: of attributes of ops and arguments of blocks, as they are checked, named in
/// errors and shown in the reference.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace graphrun {

/// From `low` to `high`; NaN is in no range.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool above = false;  ///< `low` itself is outside
  bool below = false;  ///< `high` itself is outside

  bool contains(double number) const {
    return (above ? number > low : number >= low) && (below ? number < high : number <= high);
  }
  friend bool operator==(const Range&, const Range&) = default;
};

/// These leave infinity out.
constexpr Range finite() {
  return {.above = true, .below = true};
}
constexpr Range at_least(double low) {
  return {.low = low, .below = true};
}
constexpr Range above(double low) {
  return {.low = low, .above = true, .below = true};
}

/// "at least 0 and below 1", "above 0", "finite"; empty for all numbers.
std::string to_string(const Range& range);

/// The range that is written "[0, 1)" or "(0, inf)", or nothing: a bracket takes its number in.
std::optional<Range> range_from(std::string_view text);

}  // namespace graphrun
