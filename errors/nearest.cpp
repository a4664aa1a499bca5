#include "errors/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

namespace graphrun {
namespace {

constexpr std::size_t longest_name = 64;
constexpr std::size_t most_cells = 1'000'000;  // of 200 to 10,000 names as near by their letters as this
constexpr std::size_t most_listed = 24;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Costs count in halves, so that a difference of case alone costs 1 and any other edit 2.
int replacement_cost(char a, char b) {
  if (a == b) return 0;
  return lower(a) == lower(b) ? 1 : 2;
}

int distance(std::string_view a, std::string_view b) {
  const std::size_t columns = b.size() + 1;
  std::vector<int> costs((a.size() + 1) * columns);
  const auto at = [&costs, columns](std::size_t i, std::size_t j) -> int& { return costs[i * columns + j]; };
  for (std::size_t i = 0; i <= a.size(); ++i) at(i, 0) = 2 * static_cast<int>(i);
  for (std::size_t j = 0; j <= b.size(); ++j) at(0, j) = 2 * static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      int best = std::min(at(i - 1, j), at(i, j - 1)) + 2;
      best = std::min(best, at(i - 1, j - 1) + replacement_cost(a[i - 1], b[j - 1]));
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) best = std::min(best, at(i - 2, j - 2) + 2);
      at(i, j) = best;
    }
  }
  return at(a.size(), b.size());
}

/// "BatchNorm" for "batch_norm".
bool same_letters(std::string_view a, std::string_view b) {
  const auto skip = [](std::string_view text, std::size_t at) {
    while (at < text.size() && (text[at] == '_' || text[at] == '-')) ++at;
    return at;
  };
  std::size_t i = skip(a, 0);
  std::size_t j = skip(b, 0);
  for (; i < a.size() && j < b.size(); i = skip(a, i + 1), j = skip(b, j + 1))
    if (lower(a[i]) != lower(b[j])) return false;
  return i == a.size() && j == b.size();
}

/// What no edits can fall below: the letters that one has more than the other, case aside.
int least_distance(std::string_view a, std::string_view b) {
  std::array<int, 256> more{};
  for (const char c : a) ++more[static_cast<unsigned char>(lower(c))];
  for (const char c : b) --more[static_cast<unsigned char>(lower(c))];
  int added = 0;
  int removed = 0;
  for (const int count : more) (count > 0 ? added : removed) += std::abs(count);
  return 2 * std::max(added, removed);
}

/// "epoch" for "epochs_total", "lenght" for "len": at least three letters.
bool is_beginning(std::string_view start, std::string_view whole) {
  return start.size() >= 3 && whole.starts_with(start);
}

}  // namespace

std::string nearest_name(std::string_view name, std::span<const std::string> candidates) {
  if (name.empty() || name.size() > longest_name) return {};
  for (const std::string& candidate : candidates)
    if (same_letters(name, candidate)) return candidate;
  const std::string* nearest = nullptr;
  int smallest = std::max(2, 2 * static_cast<int>(name.size()) / 3) + 1;
  std::size_t cells = 0;  // of the tables of distances
  for (const std::string& candidate : candidates) {
    if (candidate.size() > longest_name) continue;
    int cost = smallest;
    if (is_beginning(name, candidate) || is_beginning(candidate, name)) cost = std::min(cost, 2);
    if (least_distance(name, candidate) < cost && cells < most_cells) {
      cells += (name.size() + 1) * (candidate.size() + 1);
      cost = std::min(cost, distance(name, candidate));
    }
    if (cost >= smallest) continue;
    nearest = &candidate;
    smallest = cost;
  }
  return nearest != nullptr ? *nearest : std::string();
}

std::string suggestion(std::string_view name, std::span<const std::string> candidates,
                       std::string_view lister) {
  const std::string nearest = nearest_name(name, candidates);
  if (!nearest.empty()) return fmt::format("Did you mean '{}'?", nearest);
  if (candidates.empty()) return {};
  std::string listed;
  for (std::size_t i = 0; i < std::min(candidates.size(), most_listed); ++i) {
    listed += (i > 0 ? ", " : "") + candidates[i];
  }
  if (candidates.size() <= most_listed) return fmt::format("There are: {}.", listed);
  if (!lister.empty()) return fmt::format("{} lists all {}.", lister, candidates.size());
  return fmt::format("There are: {} and {} more.", listed, candidates.size() - most_listed);
}

}  // namespace graphrun
