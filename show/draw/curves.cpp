#include "show/draw/curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "files/file.hpp"

namespace graphrun::show {

namespace {

constexpr std::uint64_t largest_log = std::uint64_t{1} << 30;

/// The fields of a line; none of them that is a number is quoted, and commas in quotes part nothing.
std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] != ',' || quoted) continue;
    fields.push_back(line.substr(begin, i - begin));
    begin = i + 1;
  }
  fields.push_back(line.substr(begin));
  return fields;
}

using Fields = std::vector<std::string_view>;

/// A field without the quotes of CSV.
std::string text_in(std::string_view field) {
  if (field.size() < 2 || field.front() != '"') return std::string(field);
  std::string text;
  for (std::size_t i = 1; i + 1 < field.size(); ++i) {
    text += field[i];
    if (field[i] == '"') ++i;  // the second of two
  }
  return text;
}

std::optional<double> number_in(std::string_view field) {
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || !std::isfinite(value)) return {};
  return value;
}

Curve& curve_named(std::vector<Curve>& curves, std::string_view name) {
  const auto found =
      std::find_if(curves.begin(), curves.end(), [&](const Curve& curve) { return curve.name == name; });
  if (found != curves.end()) return *found;
  curves.push_back({std::string(name), {}, {}});
  return curves.back();
}

void add_cell(std::vector<Curve>& curves, std::string_view column, Curve::Point point) {
  constexpr std::string_view train = "train.";
  constexpr std::string_view test = "test.";
  if (column.starts_with(train)) curve_named(curves, column.substr(train.size())).train.push_back(point);
  if (column.starts_with(test)) curve_named(curves, column.substr(test.size())).test.push_back(point);
}

/// Calls visit(columns, fields, step) for each row.
template <class Visit>
void for_each_row(const std::filesystem::path& metrics, const Visit& visit) {
  const std::string text = files::read_text_file(metrics, largest_log);
  std::string_view rest = text;
  Fields columns;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const Fields fields = fields_of(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (columns.empty()) {
      columns = fields;
      continue;
    }
    const std::optional<double> step = number_in(fields.front());
    if (!step || fields.size() != columns.size())
      throw files::data_error(metrics,
                              fmt::format("has a line of {} fields, which begins with '{}', for {} columns",
                                          fields.size(), fields.front(), columns.size()));
    visit(columns, fields, *step);
  }
}

bool same_stage(const LoggedStage& a, const LoggedStage& b) {
  return a.phase == b.phase && a.draw == b.draw && a.layer == b.layer;
}

bool same(const std::vector<Curve::Point>& a, const std::vector<Curve::Point>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Curve::Point& p, const Curve::Point& q) {
    return p.step == q.step && p.value == q.value;
  });
}

}  // namespace

std::vector<Curve> read_curves(const std::filesystem::path& metrics) {
  std::vector<Curve> curves;
  for_each_row(metrics, [&](const Fields& columns, const Fields& fields, double step) {
    for (std::size_t i = 1; i < fields.size(); ++i)
      if (const std::optional<double> value = number_in(fields[i]))
        add_cell(curves, columns[i], {step, *value});
  });
  if (!curves.empty()) {
    const Curve first = curves.front();
    curves.erase(std::remove_if(curves.begin() + 1, curves.end(),
                                [&](const Curve& curve) {
                                  return same(curve.train, first.train) && same(curve.test, first.test);
                                }),
                 curves.end());
  }
  return curves;
}

std::vector<LoggedStage> read_stages(const std::filesystem::path& metrics) {
  std::vector<LoggedStage> stages;
  for_each_row(metrics, [&](const Fields& columns, const Fields& fields, double step) {
    LoggedStage stage;
    stage.first = step;
    stage.last = step;
    for (std::size_t i = 1; i < fields.size(); ++i) {
      if (columns[i] == "phase") stage.phase = text_in(fields[i]);
      if (columns[i] == "draw") stage.draw = std::llround(number_in(fields[i]).value_or(1));
      if (columns[i] == "layer") stage.layer = std::llround(number_in(fields[i]).value_or(0));
    }
    if (!stages.empty() && same_stage(stages.back(), stage))
      stages.back().last = step;
    else
      stages.push_back(std::move(stage));
  });
  return stages;
}

}  // namespace graphrun::show
