/// \file
/// What there is to see of the rows of a table or the points of a series: their scores, and how well these
/// tell odd rows from others.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "show/draw/diagram.hpp"
#include "show/draw/source.hpp"
#include "train/learn/learner.hpp"
#include "train/measure/detection.hpp"
#include "train/measure/probes.hpp"
#include "train/measure/row_scores.hpp"

namespace graphrun::show {

/// Rows that a model has scored, and what is known of them. Test rows where there are any, or else validation
/// rows, or those that were learnt from.
struct RowView {
  const train::ImageSet& set;
  std::string of;  ///< "test rows"
  train::RowScores scores;
  std::vector<bool> odd;           ///< of each score; empty: nobody says
  std::vector<std::string> kinds;  ///< what others and odd rows are called
  std::optional<train::Detection> detection;
  std::optional<double> threshold;  ///< the one that `graphrun score` flags by

  /// The number of a scored row in its table, from 1.
  std::size_t number(std::size_t row) const {
    return (scores.rows.empty() ? row : static_cast<std::size_t>(scores.rows[row])) + 1;
  }
  bool is_flagged(std::size_t row) const { return threshold && scores.scores[row] > *threshold; }
};
/// Nothing for a model that scores no rows. At most so many of them are looked at as a page or picture can
/// show.
std::optional<RowView> row_view(train::Learner& learner, const Source& source);

/// How often which score is met, with the threshold.
Diagram score_histogram(const RowView& view);

/// ROC, and precision against recall; none where nobody says which rows are odd.
std::vector<Diagram> detection_diagrams(const RowView& view);

/// Of a series: the scores and the columns over the rows, with the stretches that are flagged, and those that
/// are odd. Nothing of rows that stand for themselves.
std::vector<Diagram> series_diagrams(const RowView& view, const std::vector<FittedColumn>& columns);

/// A cell as the table has it, or nothing where it is missing.
std::string cell_text(const RowView& view, const std::vector<FittedColumn>& columns, std::size_t row,
                      const std::string& column);

using ClassView = train::NamedConfusion;
/// Of each metric that asks for it, and of `target` where that is a category.
std::vector<ClassView> class_views(train::Learner& learner, const Source& source);
/// What is flagged against what is odd, as a classifier of two classes.
std::optional<ClassView> flagged_view(const RowView& view);

}  // namespace graphrun::show
