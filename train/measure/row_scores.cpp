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
std::vector<float> values_of(Learner& learner, const Examples& examples, const ImageSet& rows,
                             const std::string& role) {
  const OutputValues output = std::move(learner.run({role}, examples).front());
  const std::span<const float> floats = as_floats(output);
  std::vector<float> values(floats.begin(), floats.end());
  if (role != row_role) return values;
  if (values.size() != static_cast<std::size_t>(examples.count) * rows.values_per_image())
    throw Error(ErrorCode::usage, fmt::format("output 'row' is {}, and an example has {} cells",
                                              to_string(output.type), rows.values_per_image()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float difference = values[i] - rows.values[i];
    values[i] = difference * difference;
  }
  return values;
}

RowScores scores_of_cells(const std::vector<float>& values, const ImageSet& rows, std::size_t count,
                          const std::vector<std::string>& columns,
                          const std::vector<std::size_t>& column_of) {
  const std::size_t width = column_of.size();
  RowScores result{std::vector<double>(count), columns, std::vector<double>(count * columns.size()), {}, {}};
  for (std::size_t row = 0; row < count; ++row) {
    double there = 0;
    double* parts = result.parts.data() + row * columns.size();
    for (std::size_t cell = 0; cell < width; ++cell) {
      if (rows.mask[row * width + cell] == 0) continue;
      there += 1;
      parts[column_of[cell]] += static_cast<double>(values[row * width + cell]);
    }
    for (std::size_t column = 0; column < columns.size(); ++column) {
      parts[column] /= std::max(there, 1.0);
      result.scores[row] += parts[column];
    }
  }
  return result;
}

/// From scores of the points of windows to scores of rows: means over all windows that hold them.
RowScores of_rows(const RowScores& points, const ImageSet& windows) {
  const std::size_t width = points.columns.size();
  RowScores result{
      .scores = {}, .columns = points.columns, .parts = {}, .rows = windows.window_rows, .windows = {}};
  std::ranges::sort(result.rows);
  result.rows.erase(std::unique(result.rows.begin(), result.rows.end()), result.rows.end());
  result.scores.resize(result.rows.size());
  result.parts.resize(result.rows.size() * width);
  std::vector<double> counts(result.rows.size());
  for (std::size_t point = 0; point < points.scores.size(); ++point) {
    const auto at = static_cast<std::size_t>(
        std::ranges::lower_bound(result.rows, windows.window_rows[point]) - result.rows.begin());
    ++counts[at];
    result.scores[at] += points.scores[point];
    for (std::size_t i = 0; i < width; ++i) result.parts[at * width + i] += points.parts[point * width + i];
    if (point % windows.height == 0) result.windows.push_back(0);
    result.windows.back() += points.scores[point] / static_cast<double>(windows.height);
  }
  for (std::size_t at = 0; at < counts.size(); ++at) {
    result.scores[at] /= counts[at];
    for (std::size_t i = 0; i < width; ++i) result.parts[at * width + i] /= counts[at];
  }
  return result;
}

void require_finite(const std::vector<double>& scores) {
  const auto bad = std::ranges::find_if_not(scores, [](double score) { return std::isfinite(score); });
  if (bad == scores.end()) return;
  throw Error(ErrorCode::not_finite,
              fmt::format("the score of row {} is {}: its cells are too far from all that was learnt",
                          bad - scores.begin(), *bad));
}

}  // namespace

bool scores_rows(const ModelDefinition& model) {
  return model.data && model.data->table && (model.role(score_role) || model.role(row_role));
}

RowScorer::RowScorer(Learner& learner) : learner_(learner) {
  const ModelDefinition& model = learner.model();
  require_table(model);
  role_ = model.role(score_role) ? score_role : row_role;
  require_independent(model, role_);
  for (const FittedColumn& column : model.data->table->fitted) {
    if (column.cells() == 0) continue;
    column_of_.insert(column_of_.end(), column.cells(), columns_.size());
    columns_.push_back(column.name);
  }
}

RowScores RowScorer::scores(const Examples& examples, const ImageSet& rows) {
  const std::vector<float> values = values_of(learner_, examples, rows, role_);
  const std::size_t count = static_cast<std::size_t>(examples.count) * rows.height;
  RowScores result;
  if (values.size() == count * column_of_.size())
    result = scores_of_cells(values, rows, count, columns_, column_of_);
  else if (values.size() * rows.height == count)
    for (const float value : values) result.scores.insert(result.scores.end(), rows.height, value);
  else
    throw Error(
        ErrorCode::usage,
        fmt::format("output '{}' is {}: a score is one number a row, [batch], or one a cell, [batch, {}]",
                    role_, to_string(learner_.model().graph.node(*learner_.model().role(role_)).type),
                    column_of_.size()));
  require_finite(result.scores);
  return rows.window_rows.empty() ? result : of_rows(result, rows);
}

std::vector<double> kept_scores(std::vector<double> scores) {
  std::ranges::sort(scores);
  if (scores.size() <= held_out_scores_kept) return scores;
  std::vector<double> kept;
  for (std::size_t i = 0; i < held_out_scores_kept; ++i)
    kept.push_back(scores[i * (scores.size() - 1) / (held_out_scores_kept - 1)]);
  return kept;
}

double threshold_of(std::span<const double> rising, double share) {
  const auto count = static_cast<double>(rising.size());
  const auto place = static_cast<std::size_t>(std::ceil((count + 1) * share));
  return rising[std::clamp<std::size_t>(place, 1, rising.size()) - 1];
}

Detection detection(std::span<const double> scores, const std::vector<bool>& odd) {
  const auto all = static_cast<double>(std::count(odd.begin(), odd.end(), true));
  const double others = static_cast<double>(odd.size()) - all;
  if (all == 0 || others == 0)
    throw Error(ErrorCode::usage,
                "how well scores tell odd rows from others shows only where there are both");
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t row) { return scores[row]; });
  Detection result;
  double found = 0;
  double passed = 0;
  for (std::size_t begin = 0; begin < order.size();) {
    double equal_found = 0;
    double equal_passed = 0;
    std::size_t end = begin;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end)
      (odd[order[end]] ? equal_found : equal_passed) += 1;
    result.roc_auc += equal_passed * (found + equal_found / 2);
    found += equal_found;
    passed += equal_passed;
    const double precision = found / (found + passed);
    result.average_precision += equal_found * precision;
    const double f1 = 2 * found / (found + passed + all);
    if (f1 > result.best_f1) {
      result.best_f1 = f1;
      // In the middle: rows whose scores are new fall on the nearer side.
      result.best_threshold = end < order.size() ? (scores[order[begin]] + scores[order[end]]) / 2
                                                 : std::nextafter(scores[order[begin]], -1);
    }
    begin = end;
  }
  result.roc_auc /= all * others;
  result.average_precision /= all;
  return result;
}

}  // namespace graphrun::train
