#include "train/datasets/row_windows.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>

namespace graphrun::train {

namespace {

/// Steps of time that are longer than the usual one by this are gaps.
constexpr double gap = 1.5;

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// Days from the beginning of our calendar to the first of March of a year, and so on: the usual formula.
std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
}

/// Seconds of "2026-01-31", "2026-01-31 12:00", "2026-01-31T12:00:05.5Z": all digits count, what parts them
/// not.
std::optional<double> seconds_in(std::string_view text) {
  std::vector<double> parts;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (at < end && parts.size() < 6) {
    double value = 0;
    const std::from_chars_result read =
        parts.size() == 5 ? std::from_chars(at, end, value, std::chars_format::fixed) : [&] {
          std::int64_t whole = 0;
          const auto result = std::from_chars(at, end, whole);
          value = static_cast<double>(whole < 0 ? -whole : whole);
          return result;
        }();
    if (read.ec != std::errc()) break;
    parts.push_back(value);
    at = read.ptr;
    if (at < end) ++at;
  }
  if (parts.size() < 3 || parts[0] < 1000 || parts[1] > 12 || parts[2] > 31) return std::nullopt;
  parts.resize(6, 0);
  const auto whole = [&](std::size_t i) { return static_cast<std::int64_t>(parts[i]); };
  return static_cast<double>(days_from_civil(whole(0), whole(1), whole(2))) * 86400 + parts[3] * 3600 +
         parts[4] * 60 + parts[5];
}

/// The times as numbers, if all of them are numbers or dates.
std::optional<std::vector<double>> numbers_of(const std::vector<std::string>& times) {
  std::vector<double> numbers;
  for (const std::string& text : times) {
    std::optional<double> number = number_in(text);
    if (!number) number = seconds_in(text);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

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
  const std::optional<std::vector<double>> times =
      columns.times.empty() ? std::nullopt : numbers_of(columns.times);
  Series series{std::vector<std::uint32_t>(rows), std::vector<bool>(rows, false)};
  std::iota(series.order.begin(), series.order.end(), 0U);
  std::ranges::stable_sort(series.order, [&](std::uint32_t a, std::uint32_t b) {
    if (groups[a] != groups[b]) return groups[a] < groups[b];
    if (times) return (*times)[a] < (*times)[b];
    return !columns.times.empty() && columns.times[a] < columns.times[b];
  });
  for (std::size_t i = 0; i < rows; ++i) {
    const std::uint32_t row = series.order[i];
    const std::uint32_t before = i == 0 ? row : series.order[i - 1];
    series.begins[i] =
        i == 0 || groups[row] != groups[before] || (!parts.empty() && parts[row] != parts[before]);
  }
  if (times) part_at_gaps(series, *times);
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
