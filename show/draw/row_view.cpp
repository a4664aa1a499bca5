#include "show/draw/row_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/tables/column_scale.hpp"
#include "train/datasets/tables/row_coder.hpp"
#include "train/learn/loop.hpp"

namespace graphrun::show {

namespace {

using Kind = Diagram::Kind;

constexpr std::int64_t most_examples = 20'000;
constexpr int histogram_bins = 40;
constexpr std::size_t most_places = 1'200;  ///< of a line of a series, each with its lowest and highest value
constexpr std::size_t most_series_columns = 5;
constexpr double share_expected = 0.01;  ///< as `graphrun score` flags where nothing else is asked for
constexpr int ticks = 5;

struct Chosen {
  const train::ImageSet& set;
  const char* split;
};

Chosen chosen_rows(const train::Dataset& data) {
  if (data.test.count > 0) return {data.test, "test"};
  if (data.validation.count > 0) return {data.validation, "validation"};
  return {data.train, "training"};
}

/// The data set outlives the view.
train::Examples examples_of(const ModelDefinition& model, const train::ImageSet& set) {
  const std::shared_ptr<const train::ImageSet> borrowed(std::shared_ptr<void>(), &set);
  return first_of(train::bind_images(model, borrowed), most_examples);
}

std::vector<bool> odd_rows(const train::ImageSet& set, const train::RowScores& scores) {
  const std::optional<std::int32_t> odd = train::odd_label(set);
  std::vector<bool> is_odd;
  if (!odd) return is_odd;
  if (scores.rows.empty()) {
    for (std::size_t row = 0; row < scores.scores.size(); ++row) is_odd.push_back(set.labels[row] == *odd);
    return is_odd;
  }
  is_odd.resize(scores.rows.size());
  const std::size_t points = std::min(set.row_labels.size(), scores.windows.size() * set.height);
  for (std::size_t point = 0; point < points; ++point) {
    const auto at = std::ranges::lower_bound(scores.rows, set.window_rows[point]) - scores.rows.begin();
    is_odd[static_cast<std::size_t>(at)] = set.row_labels[point] == *odd;
  }
  return is_odd;
}

bool has_both(const std::vector<bool>& odd) {
  const auto count = static_cast<std::size_t>(std::ranges::count(odd, true));
  return count > 0 && count < odd.size();
}

Scale scale_of_shares() {
  return {0, 1, false, even_ticks(0, 1, ticks)};
}

/// From 0 to the highest, with room above it.
Scale scale_of_counts(double highest) {
  Scale scale{0, 1.05 * std::max(highest, 1.0), false, {}};
  scale.ticks = even_ticks(scale.low, scale.high, ticks);
  return scale;
}

Scale scale_of(const std::vector<double>& values, bool may_be_logarithmic) {
  Curve curve;
  for (const double value : values)
    if (std::isfinite(value)) curve.train.push_back({0, value});
  if (curve.train.empty()) curve.train.push_back({0, 0});
  const ValueScales scales = value_scales(curve);
  return may_be_logarithmic ? scales.preferred() : scales.even;
}

double place_in(const Scale& scale, double share) {
  if (!scale.logarithmic) return scale.low + share * (scale.high - scale.low);
  return std::exp(std::log(scale.low) + share * (std::log(scale.high) - std::log(scale.low)));
}

std::string about_detection(const RowView& view) {
  return fmt::format("ROC-AUC {:.4f}, average precision {:.4f}", view.detection->roc_auc,
                     view.detection->average_precision);
}

Diagram share_diagram(std::string title, std::string x_name, std::string y_name,
                      const std::vector<train::DetectionCurves::Point>& points) {
  Diagram diagram{.title = std::move(title),
                  .about = {},
                  .x_name = std::move(x_name),
                  .y_name = std::move(y_name),
                  .x = scale_of_shares(),
                  .y = scale_of_shares()};
  Diagram::Line line;
  const std::size_t step = points.size() / most_places + 1;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (i % step == 0 || i + 1 == points.size()) line.points.push_back({points[i].x, points[i].y});
  diagram.lines.push_back(std::move(line));
  return diagram;
}

// ---- Series ----

/// What is drawn of many values in a row: of each stretch of them the lowest and the highest.
Diagram::Line line_of(const RowView& view, const std::vector<double>& values) {
  Diagram::Line line;
  const std::size_t step = values.size() / most_places + 1;
  for (std::size_t begin = 0; begin < values.size();) {
    std::size_t end = begin;
    std::size_t low = begin;
    std::size_t high = begin;
    for (; end < values.size() && end < begin + step; ++end) {
      if (end > begin && view.number(end) != view.number(end - 1) + 1) break;
      if (values[end] < values[low]) low = end;
      if (values[end] > values[high]) high = end;
    }
    const auto add = [&](std::size_t at) {
      line.points.push_back({static_cast<double>(view.number(at)), values[at]});
    };
    add(std::min(low, high));
    if (low != high) add(std::max(low, high));
    if (end < values.size() && view.number(end) != view.number(end - 1) + 1)
      line.points.push_back(
          {static_cast<double>(view.number(end - 1)), std::numeric_limits<double>::quiet_NaN()});
    begin = end;
  }
  return line;
}

template <class IsIn>
void add_stretches(Diagram& diagram, const RowView& view, Kind kind, const IsIn& is_in) {
  for (std::size_t row = 0; row < view.scores.scores.size(); ++row) {
    if (!is_in(row)) continue;
    const auto number = static_cast<double>(view.number(row));
    std::vector<Diagram::Stretch>& all = diagram.stretches;
    const bool goes_on = !all.empty() && all.back().kind == kind && all.back().to + 0.5 == number;
    if (goes_on)
      all.back().to = number + 0.5;
    else
      all.push_back({number - 0.5, number + 0.5, kind});
  }
}

Diagram series_diagram(const RowView& view, std::string title, const std::vector<double>& values,
                       bool are_scores) {
  const auto first = static_cast<double>(view.number(0));
  const auto last = static_cast<double>(view.number(values.size() - 1));
  Diagram diagram{.title = std::move(title),
                  .about = {},
                  .x_name = "row",
                  .y_name = {},
                  .x = {first, std::max(last, first + 1), false, {}},
                  .y = scale_of(values, are_scores)};
  diagram.x.ticks = even_ticks(diagram.x.low, diagram.x.high, 2 * ticks);
  diagram.lines.push_back(line_of(view, values));
  add_stretches(diagram, view, Kind::first, [&](std::size_t row) { return view.is_flagged(row); });
  if (!view.odd.empty())
    add_stretches(diagram, view, Kind::second, [&](std::size_t row) { return view.odd[row]; });
  diagram.is_wide = true;
  return diagram;
}

/// Where the cells of a scored row begin among the values of its set.
std::size_t cells_at(const RowView& view, std::size_t row) {
  if (view.scores.rows.empty()) return row * view.set.width;
  // A row stands in the window that begins with it, or at the end of an earlier one.
  const auto found = std::ranges::find(view.set.window_rows, view.scores.rows[row]);
  return static_cast<std::size_t>(found - view.set.window_rows.begin()) * view.set.width;
}

/// Of each scored row the number that a column has there.
std::vector<double> numbers_of(const RowView& view, const FittedColumn& column, std::size_t cell) {
  const std::size_t width = view.set.width;
  std::vector<double> numbers(view.scores.scores.size(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t point = 0; point < view.scores.windows.size() * view.set.height; ++point) {
    const auto at = static_cast<std::size_t>(
        std::ranges::lower_bound(view.scores.rows, view.set.window_rows[point]) - view.scores.rows.begin());
    const std::size_t place = point * width + cell;
    if (view.set.mask.empty() || view.set.mask[place] != 0)
      numbers[at] = train::unscaled(column, static_cast<double>(view.set.values[place]));
  }
  return numbers;
}

}  // namespace

std::optional<RowView> row_view(train::Learner& learner, const Source& source) {
  const ModelDefinition& model = learner.model();
  if (!train::scores_rows(model)) return std::nullopt;
  const auto [set, split] = chosen_rows(source.data);
  RowView view{.set = set,
               .of = fmt::format("{} rows", split),
               .scores = train::RowScorer(learner).scores(examples_of(model, set), set),
               .odd = {},
               .kinds = {},
               .detection = {},
               .threshold = {}};
  view.odd = odd_rows(set, view.scores);
  if (!has_both(view.odd)) view.odd.clear();
  if (!view.odd.empty()) {
    view.detection = train::detection(view.scores.scores, view.odd);
    view.kinds = set.class_names.size() == 2 ? set.class_names : std::vector<std::string>{"others", "odd"};
  }
  const std::vector<double>& held_out = learner.state().held_out_scores;
  if (!held_out.empty()) view.threshold = train::threshold_of(held_out, 1 - share_expected);
  return view;
}

Diagram score_histogram(const RowView& view) {
  const std::vector<double>& scores = view.scores.scores;
  Diagram diagram{.title = "Scores of " + view.of,
                  .about = {},
                  .x_name = "score",
                  .y_name = "rows",
                  .x = scale_of(scores, true),
                  .y = {}};
  for (int bin = 0; bin < histogram_bins; ++bin)
    diagram.bars.push_back({place_in(diagram.x, static_cast<double>(bin) / histogram_bins),
                            place_in(diagram.x, static_cast<double>(bin + 1) / histogram_bins)});
  double highest = 0;
  for (std::size_t row = 0; row < scores.size(); ++row) {
    const auto bin = static_cast<std::size_t>(diagram.x.share(scores[row]) * histogram_bins);
    Diagram::Bar& bar = diagram.bars[std::min<std::size_t>(bin, histogram_bins - 1)];
    (!view.odd.empty() && view.odd[row] ? bar.second : bar.first) += 1;
    highest = std::max(highest, bar.first + bar.second);
  }
  diagram.y = scale_of_counts(highest);
  diagram.names = view.kinds;
  const auto flagged = static_cast<std::size_t>(
      std::ranges::count_if(scores, [&](double score) { return view.threshold && score > *view.threshold; }));
  if (view.threshold) {
    diagram.x_marks.push_back(*view.threshold);
    diagram.about =
        fmt::format("{} of {} rows are above the threshold {:.4g}", flagged, scores.size(), *view.threshold);
  }
  return diagram;
}

std::vector<Diagram> detection_diagrams(const RowView& view) {
  if (!view.detection) return {};
  const train::DetectionCurves curves = train::detection_curves(view.scores.scores, view.odd);
  std::vector<Diagram> diagrams{
      share_diagram(fmt::format("ROC, area {:.4f}", view.detection->roc_auc), "others flagged", "odd flagged",
                    curves.roc),
      share_diagram(fmt::format("Average precision {:.4f}", view.detection->average_precision),
                    "odd flagged (recall)", "flagged that are odd (precision)", curves.precision)};
  for (Diagram& diagram : diagrams) diagram.about = about_detection(view);
  return diagrams;
}

std::vector<Diagram> series_diagrams(const RowView& view, const std::vector<FittedColumn>& columns) {
  if (view.scores.rows.empty()) return {};
  std::vector<Diagram> diagrams{series_diagram(view, "Score, row by row", view.scores.scores, true)};
  Diagram& scores = diagrams.front();
  if (view.threshold) scores.y_marks.push_back(*view.threshold);
  if (view.threshold && *view.threshold > scores.y.high) scores.y_marks.clear();
  if (view.threshold && *view.threshold < scores.y.low) scores.y_marks.clear();
  std::size_t cell = 0;
  for (const FittedColumn& column : columns) {
    if (column.cells() == 1 && !column.is_category && diagrams.size() <= most_series_columns)
      diagrams.push_back(series_diagram(view, column.name, numbers_of(view, column, cell), false));
    cell += column.cells();
  }
  const auto flagged = static_cast<std::size_t>(
      std::ranges::count_if(scores.stretches, [](const auto& s) { return s.kind == Kind::first; }));
  for (Diagram& diagram : diagrams)
    diagram.about = fmt::format("{} stretches are flagged{}", flagged,
                                view.odd.empty() ? "" : "; those that are odd are shaded in another colour");
  return diagrams;
}

std::string cell_text(const RowView& view, const std::vector<FittedColumn>& columns, std::size_t row,
                      const std::string& column) {
  std::size_t at = cells_at(view, row);
  for (const FittedColumn& fitted : columns) {
    if (fitted.cells() == 0) continue;
    if (fitted.name != column) {
      at += fitted.cells();
      continue;
    }
    if (!view.set.mask.empty() && view.set.mask[at] == 0) return {};
    return train::decoded(fitted, std::span(view.set.values).subspan(at, fitted.cells()));
  }
  return {};
}

std::vector<ClassView> class_views(train::Learner& learner, const Source& source) {
  const ModelDefinition& model = learner.model();
  const train::ImageSet& set = chosen_rows(source.data).set;
  if (!set.has_labels()) return {};
  const train::Examples examples = examples_of(model, set);
  std::vector<ClassView> views = train::confusions(learner, examples);
  const FittedColumn* target =
      model.data && model.data->table ? target_of(model.data->table->fitted) : nullptr;
  if (!views.empty() || target == nullptr || !target->is_category || !model.role("target")) return views;
  const train::OutputValues output = std::move(learner.run({"target"}, examples).front());
  const auto count = static_cast<std::size_t>(examples.count);
  const std::size_t classes = target->values.size();
  if (output.type.dtype == DType::f32 && train::as_floats(output).size() == count * classes)
    views.push_back({target->name,
                     train::confusion(train::as_floats(output), std::span(set.labels).first(count), classes),
                     target->values});
  return views;
}

std::optional<ClassView> flagged_view(const RowView& view) {
  if (!view.detection || !view.threshold) return std::nullopt;
  ClassView result{"flagged", {2, std::vector<std::int64_t>(4)}, view.kinds};
  for (std::size_t row = 0; row < view.odd.size(); ++row)
    ++result.confusion.counts[(view.odd[row] ? 2U : 0U) + (view.is_flagged(row) ? 1U : 0U)];
  return result;
}

}  // namespace graphrun::show
