/// \file
/// How odd the rows of a table are to a model: what `outputs: {score: …}` gives, or how far `row`, the row as
/// the model draws it again, is from the row itself.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "language/recipe/definition.hpp"
#include "train/datasets/examples.hpp"
#include "train/datasets/read_examples.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::train {

/// Does the model learn from a table, and give its rows a score?
bool scores_rows(const ModelDefinition& model);

struct RowScores {
  std::vector<double> scores;        ///< the mean over the cells that are there
  std::vector<std::string> columns;  ///< that have a part in it; none where the model gives one number a row
  Stored<double> parts;              ///< [rows, columns]: what each adds to the score
  std::vector<std::uint32_t> rows;   ///< of windows: the row of each score, rising; empty: all rows have one
  std::vector<double> windows;       ///< of windows: the score of each
};

/// How the rows of a model's table are scored, whoever runs the model.
struct ScoreRule {
  std::string role;                    ///< the output that is asked for
  std::vector<std::string> columns;    ///< of the table, as far as they have cells
  std::vector<std::size_t> column_of;  ///< of each cell, its place among these

  /// Is the output the row as it is drawn again? Otherwise it holds scores.
  bool is_row() const { return role == "row"; }
  /// Of one row: the mean of the values that its cells have, over those that are there (an empty mask: all);
  /// what each column adds goes to `parts`.
  double score(std::span<const float> values, std::span<const float> mask, std::span<double> parts) const;
};

/// Error{usage} for a model that scores no rows, Error{model} when scores would depend on other rows.
ScoreRule score_rule_of(const ModelDefinition& model);

/// Scores rows by a model, which it borrows. No score depends on the rows beside it.
class RowScorer {
 public:
  /// Errors are those of score_rule_of().
  explicit RowScorer(Learner& learner);

  /// Of `rows`, which the examples were bound from; of windows, a row's score is the mean over the windows
  /// that hold it, of each as a whole. Error{usage} when the score is neither a number a row nor one a cell.
  RowScores scores(const Examples& examples, const ImageSet& rows);

 private:
  Learner& learner_;
  ScoreRule rule_;
};

/// At most held_out_scores_kept values, rising, whose thresholds are those of all scores; where rows have
/// weights, between two of them lies as much weight.
std::vector<double> kept_scores(std::vector<double> scores, std::span<const float> weights = {});

/// The score that so large a share of new rows, alike to those held out, stays below: of n held-out ones that
/// with the number (n + 1)·share, or between the two beside it. (Of n + 1 alike rows each is equally often
/// the k-th, whatever their distribution.) `rising` is not empty.
double threshold_of(std::span<const double> rising, double share);

/// Can so small a share be told by so many scores? Otherwise its threshold is the largest of them.
bool tells_share(std::size_t scores, double above);

/// The columns that make most of a row's score, the largest part first: at most three, none that makes less
/// than a tenth.
std::vector<std::size_t> surprising_columns(const RowScores& scores, std::size_t row);

/// The rows of the highest scores, the highest first.
std::vector<std::size_t> worst_rows(const RowScores& scores, std::size_t count);

}  // namespace graphrun::train
