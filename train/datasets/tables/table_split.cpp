#include "train/datasets/tables/table_split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include "train/datasets/tables/shuffle.hpp"
#include "train/datasets/tables/time_text.hpp"

namespace graphrun::train {

namespace {

/// Of the order of rows and groups: no run's own, so that all learn from the same rows.
constexpr std::uint64_t split_seed = 0x7461'626c'6573;

using Order = std::vector<std::uint32_t>;

std::size_t share_of(std::size_t rows, double share) {
  const auto count = static_cast<std::size_t>(std::lround(share * static_cast<double>(rows)));
  return share > 0 ? std::max<std::size_t>(count, 1) : 0;
}

/// By time, the earliest last, since the first rows of an order are kept.
Order latest_first(std::size_t rows, const std::vector<std::string>& values) {
  std::vector<double> times;
  for (const std::string& text : values) times.push_back(time_in(text).value());
  Order order(rows);
  std::iota(order.begin(), order.end(), 0U);
  if (!times.empty()) std::ranges::stable_sort(order, {}, [&](std::uint32_t row) { return times[row]; });
  std::ranges::reverse(order);
  return order;
}

/// By their place within their series, the last ones of all first.
Order last_of_each_first(const std::vector<std::uint32_t>& series) {
  std::map<std::uint32_t, double> counts;
  std::vector<double> places;
  for (const std::uint32_t one : series) places.push_back(++counts[one]);
  for (std::size_t row = 0; row < places.size(); ++row) places[row] /= counts[series[row]] + 1;
  Order order(series.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::reverse(order);
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::uint32_t row) { return places[row]; });
  return order;
}

/// All rows of a group stand behind each other; groups are in an order of chance.
Order group_by_group(const std::vector<std::string>& groups, std::vector<std::size_t>& ends) {
  std::map<std::string, std::vector<std::uint32_t>> rows;
  for (std::size_t row = 0; row < groups.size(); ++row)
    rows[groups[row]].push_back(static_cast<std::uint32_t>(row));
  std::vector<const std::vector<std::uint32_t>*> lists;
  for (const auto& [name, list] : rows) lists.push_back(&list);
  Order order;
  for (const std::uint32_t group : epoch_order(split_seed, 0, static_cast<std::int64_t>(lists.size()))) {
    order.insert(order.end(), lists[group]->begin(), lists[group]->end());
    ends.push_back(order.size());
  }
  return order;
}

/// The end of a group that is nearest to so many rows.
std::size_t nearest_end(const std::vector<std::size_t>& ends, std::size_t rows) {
  if (ends.empty() || rows == 0) return rows;
  return *std::ranges::min_element(ends, {},
                                   [&](std::size_t end) { return end > rows ? end - rows : rows - end; });
}

}  // namespace

std::vector<Part> parts_of(const TableRecipe::Split& split, std::size_t rows,
                           const std::vector<std::string>& values, const std::vector<std::uint32_t>& series) {
  std::vector<Part> parts(rows, Part::train);
  if (split.validation == 0 && split.test == 0) return parts;
  std::vector<std::size_t> ends;
  const Order order = split.by == TableRecipe::Split::By::random
                          ? epoch_order(split_seed, 0, static_cast<std::int64_t>(rows))
                      : !series.empty()                          ? last_of_each_first(series)
                      : split.by == TableRecipe::Split::By::time ? latest_first(rows, values)
                                                                 : group_by_group(values, ends);
  const std::size_t test = nearest_end(ends, share_of(rows, split.test));
  const std::size_t kept = nearest_end(ends, test + share_of(rows, split.validation));
  if (kept >= rows)
    throw Error(ErrorCode::data,
                fmt::format("`split:` leaves none of the {} rows to learn from{}", rows,
                            ends.empty() ? "" : fmt::format("; there are {} groups", ends.size())),
                split.column ? split.column->where : SourceLocation{});
  for (std::size_t i = 0; i < kept; ++i) parts[order[i]] = i < test ? Part::test : Part::validation;
  return parts;
}

std::vector<const TableRecipe::Named*> ordering_columns(const TableRecipe& table) {
  std::vector<const TableRecipe::Named*> columns;
  if (table.split.column) columns.push_back(&*table.split.column);
  if (table.windows && table.windows->group) columns.push_back(&*table.windows->group);
  if (table.windows && table.windows->time) columns.push_back(&*table.windows->time);
  return columns;
}

}  // namespace graphrun::train
