#include "train/measure/row_scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

#include "ops/op.hpp"
#include "runtime/lower/rows.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::train {

namespace {

constexpr const char* score_role = "score";
constexpr const char* row_role = "row";

void require_table(const ModelDefinition& model) {
  if (scores_rows(model)) return;
  throw Error(
      ErrorCode::usage,
      !model.data || !model.data->table
          ? fmt::format("model '{}' has not learnt from a table (`data: {{train: {{table: FILE}}}}`), so it "
                        "scores no rows",
                        model.name)
          : fmt::format("model '{}' has no output `score` or `row`, so it scores no rows: write outputs: "
                        "{{row: NODE}} for the node that draws the cells again",
                        model.name));
}

void require_independent(const ModelDefinition& model, const std::string& role) {
  const Program program = role_program(model, ops::registry(), {{role, *model.role(role)}}, {});
  if (runtime::rows_are_independent(*program.graph)) return;
  throw Error(
      ErrorCode::model,
      fmt::format("output '{}' of a row depends on the rows beside it, so a row has no score of its own",
                  role),
      model.where);
}

/// The value of each cell, [rows, cells], or of each row: what the output is, or its squared distance.
/// `examples` are those of `rows` from `first` on.
std::vector<float> values_of(Learner& learner, const Examples& examples, const ImageSet& rows,
                             std::size_t first, const std::string& role) {
  const OutputValues output = std::move(learner.run({role}, examples).front());
  const std::span<const float> floats = as_floats(output);
  std::vector<float> values(floats.begin(), floats.end());
  if (role != row_role) return values;
  if (values.size() != static_cast<std::size_t>(examples.count) * rows.values_per_image())
    throw Error(ErrorCode::usage, fmt::format("output 'row' is {}, and an example has {} cells",
                                              to_string(output.type), rows.values_per_image()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float difference = values[i] - rows.values[first * rows.values_per_image() + i];
    values[i] = difference * difference;
  }
  return values;
}

/// Collects the scores of rows, block by block: what columns have a part in may be too much for memory.
class ScoreCollector {
 public:
  ScoreCollector(const ImageSet& rows, const ScoreRule& rule)
      : rows_(rows), rule_(rule), own_parts_(rule.columns.size()) {
    result_.columns = rule.columns;
  }

  /// Of each cell: the score of a row is the mean over those that are there.
  void add_cells(std::span<const float> values) {
    const std::size_t width = rule_.column_of.size();
    for (std::size_t at = 0; at < values.size(); at += width) {
      const std::span<const float> mask =
          rows_.mask.empty() ? std::span<const float>()
                             : std::span(rows_.mask).subspan(result_.scores.size() * width, width);
      result_.scores.push_back(rule_.score(values.subspan(at, width), mask, own_parts_));
      parts_.append(own_parts_);
    }
  }

  /// One for all rows of an example.
  void add_whole(std::span<const float> values) {
    result_.columns.clear();
    for (const float value : values) result_.scores.insert(result_.scores.end(), rows_.height, value);
  }

  RowScores take() {
    result_.parts = parts_.take();
    return std::move(result_);
  }

 private:
  const ImageSet& rows_;
  const ScoreRule& rule_;
  std::vector<double> own_parts_;
  RowScores result_;
  StoredWriter<double> parts_;
};

/// From scores of the points of windows to those of windows: the means of their points.
RowScores of_windows(const RowScores& points, std::size_t size) {
  const std::size_t width = points.columns.size();
  const std::size_t count = points.scores.size() / size;
  RowScores windows{std::vector<double>(count), points.columns, {}, {}, {}};
  std::vector<double> parts(count * width);
  const auto whole = static_cast<double>(size);
  for (std::size_t point = 0; point < count * size; ++point) {
    windows.scores[point / size] += points.scores[point] / whole;
    for (std::size_t i = 0; i < width; ++i)
      parts[point / size * width + i] += points.parts[point * width + i] / whole;
  }
  windows.parts = std::move(parts);
  return windows;
}

/// From scores of windows to scores of rows: means over all windows that hold them.
RowScores of_rows(const RowScores& windows, const ImageSet& set) {
  const std::size_t width = windows.columns.size();
  RowScores result{.scores = {},
                   .columns = windows.columns,
                   .parts = {},
                   .rows = set.window_rows,
                   .windows = windows.scores};
  result.rows.resize(windows.scores.size() * set.height);  // only the first may have been looked at
  std::ranges::sort(result.rows);
  result.rows.erase(std::unique(result.rows.begin(), result.rows.end()), result.rows.end());
  result.scores.resize(result.rows.size());
  std::vector<double> parts(result.rows.size() * width);
  std::vector<double> counts(result.rows.size());
  for (std::size_t point = 0; point < windows.scores.size() * set.height; ++point) {
    const std::size_t window = point / set.height;
    const auto at = static_cast<std::size_t>(std::ranges::lower_bound(result.rows, set.window_rows[point]) -
                                             result.rows.begin());
    ++counts[at];
    result.scores[at] += windows.scores[window];
    for (std::size_t i = 0; i < width; ++i) parts[at * width + i] += windows.parts[window * width + i];
  }
  for (std::size_t at = 0; at < counts.size(); ++at) {
    result.scores[at] /= counts[at];
    for (std::size_t i = 0; i < width; ++i) parts[at * width + i] /= counts[at];
  }
  result.parts = std::move(parts);
  return result;
}

void require_finite(const std::vector<double>& scores) {
  const auto bad = std::ranges::find_if_not(scores, [](double score) { return std::isfinite(score); });
  if (bad == scores.end()) return;
  throw Error(ErrorCode::not_finite,
              fmt::format("the score of row {} is {}: its cells are too far from all that was learnt",
                          bad - scores.begin() + 1, *bad));
}

}  // namespace

bool scores_rows(const ModelDefinition& model) {
  return model.data && model.data->table && (model.role(score_role) || model.role(row_role));
}

ScoreRule score_rule_of(const ModelDefinition& model) {
  require_table(model);
  ScoreRule rule{.role = model.role(score_role) ? score_role : row_role, .columns = {}, .column_of = {}};
  require_independent(model, rule.role);
  for (const FittedColumn& column : model.data->table->fitted) {
    if (column.cells() == 0) continue;
    rule.column_of.insert(rule.column_of.end(), column.cells(), rule.columns.size());
    rule.columns.push_back(column.name);
  }
  return rule;
}

double ScoreRule::score(std::span<const float> values, std::span<const float> mask,
                        std::span<double> parts) const {
  std::ranges::fill(parts, 0.0);
  double there = 0;
  for (std::size_t cell = 0; cell < column_of.size(); ++cell) {
    if (!mask.empty() && mask[cell] == 0) continue;
    there += 1;
    parts[column_of[cell]] += static_cast<double>(values[cell]);
  }
  double score = 0;
  for (double& part : parts) {
    part /= std::max(there, 1.0);
    score += part;
  }
  return score;
}

RowScorer::RowScorer(Learner& learner) : learner_(learner), rule_(score_rule_of(learner.model())) {}

RowScores RowScorer::scores(const Examples& examples, const ImageSet& rows) {
  // A multiple of the rows that a learner runs at once, so that blocks change no bit.
  constexpr std::int64_t block = 65'536;
  ScoreCollector collector(rows, rule_);
  for (std::int64_t first = 0; first < examples.count; first += block) {
    const Examples part = slice_of(examples, first, std::min(block, examples.count - first));
    const std::vector<float> values =
        values_of(learner_, part, rows, static_cast<std::size_t>(first), rule_.role);
    const std::size_t points = static_cast<std::size_t>(part.count) * rows.height;
    if (values.size() == points * rule_.column_of.size())
      collector.add_cells(values);
    else if (values.size() * rows.height == points)
      collector.add_whole(values);
    else
      throw Error(
          ErrorCode::usage,
          fmt::format("output '{}' is {}: a score is one number a row, [batch], or one a cell, [batch, {}]",
                      rule_.role,
                      to_string(learner_.model().graph.node(*learner_.model().role(rule_.role)).type),
                      rule_.column_of.size()));
    for (const files::MappedFile* file : {rows.values.file(), rows.mask.file()})
      if (file != nullptr) file->has_read(points * rule_.column_of.size() * sizeof(float));
  }
  RowScores result = collector.take();
  require_finite(result.scores);
  return rows.window_rows.empty() ? result : of_rows(of_windows(result, rows.height), rows);
}

namespace {

/// The scores that part the weight into equal shares.
std::vector<double> kept_by_weight(const std::vector<double>& scores, std::span<const float> weights) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t row) { return scores[row]; });
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  const std::size_t count = std::min(scores.size(), held_out_scores_kept);
  std::vector<double> kept;
  double passed = 0;
  for (const std::size_t row : order) {
    passed += static_cast<double>(weights[row]);
    const auto share = [&] { return static_cast<double>(kept.size() + 1) / static_cast<double>(count + 1); };
    while (kept.size() < count && passed >= share() * all) kept.push_back(scores[row]);
  }
  return kept;
}

}  // namespace

std::vector<double> kept_scores(std::vector<double> scores, std::span<const float> weights) {
  if (!weights.empty() && weights.size() == scores.size()) return kept_by_weight(scores, weights);
  std::ranges::sort(scores);
  if (scores.size() <= held_out_scores_kept) return scores;
  constexpr auto parts = static_cast<double>(held_out_scores_kept + 1);
  std::vector<double> kept;
  for (std::size_t i = 1; i <= held_out_scores_kept; ++i)
    kept.push_back(threshold_of(scores, static_cast<double>(i) / parts));
  return kept;
}

double threshold_of(std::span<const double> rising, double share) {
  const auto count = static_cast<double>(rising.size());
  const double place = std::clamp((count + 1) * share, 1.0, count) - 1;
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, rising.size() - 1);
  return rising[below] + (place - static_cast<double>(below)) * (rising[above] - rising[below]);
}

bool tells_share(std::size_t scores, double above) {
  return (static_cast<double>(scores) + 1) * above >= 1;
}

std::vector<std::size_t> surprising_columns(const RowScores& scores, std::size_t row) {
  constexpr std::size_t most_named = 3;
  constexpr double share_named = 0.1;  // of a score: less is not worth a name
  const std::size_t width = scores.columns.size();
  const double* parts = scores.parts.data() + row * width;
  std::vector<std::size_t> order(width);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t column) { return parts[column]; });
  order.resize(std::min(width, most_named));
  std::erase_if(order, [&](std::size_t column) { return parts[column] <= share_named * scores.scores[row]; });
  return order;
}

std::vector<std::size_t> worst_rows(const RowScores& scores, std::size_t count) {
  std::vector<std::size_t> order(scores.scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::size_t row) { return scores.scores[row]; });
  order.resize(std::min(order.size(), count));
  return order;
}

}  // namespace graphrun::train
