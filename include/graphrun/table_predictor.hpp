/// \file
/// Answers rows as people have them: a Predictor, with what its model has fitted to its table on both sides.
///
///     const graphrun::Model model = graphrun::Model::load("runs/machines-1/resolved.yaml");
///     const graphrun::TablePredictor predictor(model, graphrun::Weights::load(model, "runs/machines-1/…"),
///                                              {.columns = {"temp", "kind"}});
///     graphrun::RowScore odd;
///     predictor.score(std::vector<std::string_view>{"20.5", "old"}, odd);
///     if (odd.score > predictor.threshold()) …
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graphrun/error.hpp"
#include "graphrun/export.hpp"
#include "graphrun/model.hpp"
#include "graphrun/predictor.hpp"
#include "graphrun/table.hpp"

namespace graphrun {

struct TablePredictorOptions {
  /// The columns of rows that are given as cells alone, in their order. Empty: those that the model takes, in
  /// the order of its table.
  std::vector<std::string> columns = {};
  /// What predict() gives: names of `outputs:` or of nodes. Empty: `target`, or else `row`.
  std::vector<std::string> outputs = {};
  Provider provider = Provider::automatic;
};

/// How odd a row is, as `graphrun score` says it.
struct RowScore {
  double score = 0;           ///< the mean over the cells that are there
  std::vector<double> parts;  ///< of each of scored_columns(): what it adds
};

/// Immutable; any number of threads use it at once.
class GRAPHRUN_API TablePredictor {
 public:
  /// Error{usage}: the model has not learnt from a table, or looks at windows of rows. Error{data}: a column
  /// that the model takes is none of `columns`, or one of these is new.
  TablePredictor(const Model& model, const Weights& weights, const TablePredictorOptions& options = {});
  ~TablePredictor();
  TablePredictor(TablePredictor&&) noexcept;
  TablePredictor& operator=(TablePredictor&&) noexcept;

  const std::vector<std::string>& columns() const;
  /// Those that have a part in a score: none where the model scores no rows, or gives each but one number.
  const std::vector<std::string>& scored_columns() const;

  /// The outputs for all rows: `row` as the columns that it draws, `target` as a number in its unit or a
  /// class by name, all else as NAME, or NAME_0, NAME_1, …. Errors are those of EncodedRows.
  Table predict(const Table& rows) const;
  /// Error{usage} for a model that scores no rows; Error{not_finite}.
  std::vector<RowScore> scores(const Table& rows) const;

  /// Of one row, whose cells are those of columns(). Empty cells, NA, nan and their like are missing.
  /// Errors{data} name the cell by its number, from 1: `row:1:NUMBER`.
  void score(std::span<const std::string_view> cells, RowScore& into) const;

  /// What so small a share of rows like those learnt from is above, by the scores of rows that were held out;
  /// the largest of them where these are too few to tell it. Error{data}: the weights come without such
  /// scores.
  double threshold(double share = 0.01) const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace graphrun
