#include "show/draw/curves.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "files/csv_lines.hpp"

namespace graphrun::show {

namespace {

Curve& curve_named(std::vector<Curve>& curves, std::string_view name) {
  const auto found =
      std::find_if(curves.begin(), curves.end(), [&](const Curve& curve) { return curve.name == name; });
  if (found != curves.end()) return *found;
  curves.push_back({.name = std::string(name), .train = {}, .test = {}});
  return curves.back();
}

void add_cell(std::vector<Curve>& curves, std::string_view column, Curve::Point point) {
  constexpr std::string_view train = "train.";
  if (column.starts_with(train)) curve_named(curves, column.substr(train.size())).train.push_back(point);
  for (const std::string_view measured : {std::string_view("test."), std::string_view("validation.")}) {
    if (!column.starts_with(measured)) continue;
    Curve& curve = curve_named(curves, column.substr(measured.size()));
    curve.test.push_back(point);
    curve.measured = measured.substr(0, measured.size() - 1);
  }
}

/// The rows of a log, each with the number of its step.
class Rows {
 public:
  explicit Rows(const std::filesystem::path& metrics)
      : text_(files::csv_text(metrics)), lines_(text_, metrics) {
    if (lines_.is_at_end()) return;
    const files::CsvFields& names = lines_.next();
    columns_.assign(names.begin(), names.end());
  }

  /// Calls visit(columns, fields, step) for each row.
  template <class Visit>
  void for_each(const Visit& visit) {
    while (!lines_.is_at_end()) {
      const files::CsvFields& fields = lines_.next();
      const std::optional<double> step = number(fields.front());
      if (!step) lines_.fail("a row of figures begins with the number of its step", fields.front());
      visit(columns_, fields, *step);
    }
  }

  /// Nothing for what is not finite.
  std::optional<double> number(std::string_view field) const { return lines_.real(field); }

 private:
  std::string text_;
  files::CsvLines lines_;
  std::vector<std::string> columns_;
};

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
  Rows rows(metrics);
  rows.for_each([&](const auto& columns, const auto& fields, double step) {
    for (std::size_t i = 1; i < fields.size(); ++i)
      if (const std::optional<double> value = rows.number(fields[i]))
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
  Rows rows(metrics);
  rows.for_each([&](const auto& columns, const auto& fields, double step) {
    LoggedStage stage;
    stage.first = step;
    stage.last = step;
    for (std::size_t i = 1; i < fields.size(); ++i) {
      if (columns[i] == "phase") stage.phase = fields[i];
      if (columns[i] == "draw") stage.draw = std::llround(rows.number(fields[i]).value_or(1));
      if (columns[i] == "layer") stage.layer = std::llround(rows.number(fields[i]).value_or(0));
    }
    if (!stages.empty() && same_stage(stages.back(), stage))
      stages.back().last = step;
    else
      stages.push_back(std::move(stage));
  });
  return stages;
}

}  // namespace graphrun::show
