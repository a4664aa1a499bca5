#include "cli/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace graphrun::cli {

namespace {

/// Levenshtein's distance: insertions, deletions and replacements, one row of the table at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion(std::string_view written, std::span<const std::string> known) {
  std::size_t best_distance = std::max<std::size_t>(2, written.size() / 3) + 1;
  const std::string* best = nullptr;
  for (const std::string& name : known) {
    const std::size_t distance = edit_distance(written.substr(0, 64), name);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = &name;
  }
  return best == nullptr ? std::string() : "; did you mean '" + *best + "'?";
}

}  // namespace graphrun::cli
