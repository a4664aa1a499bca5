#include "train/datasets/row_windows.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace graphrun::train {

namespace {

/// Steps of time that are longer than the usual one by this are gaps.
constexpr double gap = 1.5;

/// Groups in the order in which they first appear.
std::vector<std::uint32_t> group_numbers(const std::vector<std::string>& groups, std::size_t rows) {
  std::vector<std::uint32_t> numbers(rows, 0);
  std::map<std::string, std::uint32_t> known;
  for (std::size_t row = 0; row < groups.size(); ++row)
    numbers[row] = known.emplace(groups[row], static_cast<std::uint32_t>(known.size())).first->second;
  return numbers;
}

/// The step in the middle of all that go forward within a series.
double usual_step(const Series& series, const std::vector<double>& times) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < series.order.size(); ++i)
    if (!series.begins[i]) steps.push_back(times[series.order[i]] - times[series.order[i - 1]]);
  std::erase_if(steps, [](double step) { return !(step > 0); });
  if (steps.empty()) return 0;
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  return *middle;
}

void part_at_gaps(Series& series, const std::vector<double>& times) {
  const double usual = usual_step(series, times);
  for (std::size_t i = 1; i < series.order.size(); ++i)
    if (usual > 0 && times[series.order[i]] - times[series.order[i - 1]] > gap * usual)
      series.begins[i] = true;
}

}  // namespace

Series series_of(const SeriesColumns& columns, std::size_t rows, std::span<const std::uint8_t> parts) {
  const std::vector<std::uint32_t> groups = group_numbers(columns.groups, rows);
  const std::vector<double>& times = columns.times;
  Series series{std::vector<std::uint32_t>(rows), std::vector<bool>(rows, false)};
  std::iota(series.order.begin(), series.order.end(), 0U);
  std::ranges::stable_sort(series.order, [&](std::uint32_t a, std::uint32_t b) {
    if (groups[a] != groups[b]) return groups[a] < groups[b];
    return !times.empty() && times[a] < times[b];
  });
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint32_t row = series.order[i];
    const std::uint32_t before = i == 0 ? row : series.order[i - 1];
    series.begins[i] =
        i == 0 || groups[row] != groups[before] || (!parts.empty() && parts[row] != parts[before]);
    if (!series.begins[i] && !times.empty() && times[row] == times[before]) ++series.equal_times;
  }
  if (!times.empty()) part_at_gaps(series, times);
  return series;
}

std::vector<std::size_t> window_starts(const Series& series, std::size_t size, std::size_t stride) {
  std::vector<std::size_t> starts;
  for (std::size_t begin = 0; begin < series.order.size();) {
    std::size_t end = begin + 1;
    while (end < series.order.size() && !series.begins[end]) ++end;
    std::size_t at = begin;
    for (; at + size <= end; at += stride) starts.push_back(at);
    const bool is_left = at > begin && at - stride + size < end;
    if (is_left) starts.push_back(end - size);
    begin = end;
  }
  return starts;
}

namespace {

/// Elements of the rows of windows, `width` of each row.
template <class Element, class From>
std::vector<Element> gathered(const From& from, std::size_t width, std::span<const std::uint32_t> rows) {
  std::vector<Element> elements;
  elements.reserve(rows.size() * width);
  for (const std::uint32_t row : rows)
    elements.insert(elements.end(), from.begin() + static_cast<std::ptrdiff_t>(row * width),
                    from.begin() + static_cast<std::ptrdiff_t>((row + 1) * width));
  return elements;
}

SideValues gathered(const SideValues& from, std::span<const std::uint32_t> rows, std::size_t window) {
  SideValues part;
  if (window > 0) part.shape = {window};
  if (from.numbers.empty())
    part.values = gathered<float>(from.values, 1, rows);
  else
    part.numbers = gathered<std::int32_t>(from.numbers, 1, rows);
  return part;
}

/// What a window has one of.
void take_sums(ImageSet& set, const ImageSet& rows) {
  const std::size_t size = set.height;
  for (std::size_t window = 0; window < set.count; ++window) {
    const std::span<const std::uint32_t> own = std::span(set.window_rows).subspan(window * size, size);
    std::int32_t label = 0;
    float weight = 0;
    for (const std::uint32_t row : own) {
      if (rows.has_labels()) set.row_labels.push_back(rows.labels[row]);
      if (rows.has_labels()) label = std::max(label, rows.labels[row]);
      if (!rows.weights.empty()) weight += rows.weights[row] / static_cast<float>(size);
    }
    if (rows.has_labels()) set.labels.push_back(label);
    if (!rows.weights.empty()) set.weights.push_back(weight);
  }
}

void take_targets(ImageSet& set, const ImageSet& rows, std::span<const std::uint32_t> last,
                  std::span<const std::string> targets) {
  for (const std::string& name : targets) set.columns[name] = gathered(rows.columns.at(name), last, 0);
  if (!rows.targets.empty())
    set.targets = gathered<float>(rows.targets, rows.targets.size() / rows.count, last);
  const bool is_class = rows.has_labels() && rows.targets.empty() && targets.size() == 1 &&
                        rows.labels == rows.columns.at(targets.front()).numbers;
  if (is_class) set.labels = gathered<std::int32_t>(rows.labels, 1, last);
}

}  // namespace

ImageSet windows_of(const ImageSet& rows, const Series& series, std::span<const std::size_t> starts,
                    WindowSizes sizes) {
  ImageSet set;
  set.count = starts.size();
  set.height = sizes.size;
  set.width = rows.width;
  set.channels = 1;
  set.are_pictures = false;
  set.is_table = true;
  set.class_names = rows.class_names;
  set.target_columns = rows.target_columns;
  set.window_rows.reserve(starts.size() * sizes.size);
  std::vector<std::uint32_t> last;
  for (const std::size_t start : starts) {
    for (std::size_t i = start; i < start + sizes.size; ++i) set.window_rows.push_back(series.order[i]);
    last.push_back(series.order[start + sizes.whole() - 1]);
  }
  set.values = gathered<float>(rows.values, rows.width, set.window_rows);
  if (!rows.mask.empty()) set.mask = gathered<float>(rows.mask, rows.width, set.window_rows);
  take_sums(set, rows);
  for (const auto& [name, part] : rows.columns)
    set.columns[name] = gathered(part, set.window_rows, sizes.size);
  take_targets(set, rows, last, rows.target_columns);
  return set;
}

}  // namespace graphrun::train
