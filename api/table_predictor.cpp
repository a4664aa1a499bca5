#include "graphrun/table_predictor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <utility>

#include "api/bound_rows.hpp"
#include "api/boundary.hpp"
#include "api/table_text.hpp"
#include "api/weights.hpp"
#include "files/csv_lines.hpp"
#include "runtime/execute/pool.hpp"
#include "train/datasets/load_table.hpp"
#include "train/measure/row_scores.hpp"

namespace graphrun {

using api::at_boundary;

namespace {

constexpr const char* noun = "table predictor";

/// The columns that the model takes, in the order of its table.
std::vector<std::string> taken_columns(const std::vector<FittedColumn>& fitted) {
  std::vector<std::string> names;
  for (const FittedColumn& column : fitted)
    if (column.has_cells() || column.use == FittedColumn::Use::input) names.push_back(column.name);
  return names;
}

std::vector<std::string> asked_outputs(const Model& model, const TablePredictorOptions& options) {
  if (!options.outputs.empty()) return options.outputs;
  for (const char* role : {"target", "row"})
    if (model.definition().role(role)) return {role};
  return {};
}

/// The values of one output, in its own type.
struct Values {
  explicit Values(const TensorInfo& info, std::size_t rows) : name(info.name) {
    width = 1;
    for (std::size_t axis = 1; axis < info.shape.size(); ++axis)
      width *= static_cast<std::size_t>(info.shape[axis]);
    info.type == ElementType::i32 ? wholes.resize(rows * width) : floats.resize(rows * width);
  }
  OutputSpan span() { return floats.empty() ? OutputSpan(std::span(wholes)) : OutputSpan(std::span(floats)); }
  double at(std::size_t i) const {
    return floats.empty() ? static_cast<double>(wholes[i]) : static_cast<double>(floats[i]);
  }

  std::string name;
  std::size_t width = 1;
  std::vector<float> floats;
  std::vector<std::int32_t> wholes;
};

/// As `graphrun predict` writes them.
void add_columns(Table& table, const Values& values, const Model& model, std::size_t rows) {
  const std::vector<FittedColumn>& fitted = api::row_data_of(model).table->fitted;
  const bool is_row = values.name == "row" && values.width == static_cast<std::size_t>(cells_of(fitted));
  if ((is_row || values.name == "target") && !values.floats.empty()) {
    const Table own = decoded(model, values.name, values.floats);
    for (std::size_t i = 0; i < own.names().size(); ++i)
      std::visit([&](const auto& cells) { table.add(own.names()[i], cells); }, own.column(i));
    return;
  }
  for (std::size_t place = 0; place < values.width; ++place) {
    std::vector<double> column(rows);
    for (std::size_t row = 0; row < rows; ++row) column[row] = values.at(row * values.width + place);
    table.add(values.width == 1 ? values.name : fmt::format("{}_{}", values.name, place), std::move(column));
  }
}

/// Scores rows that are encoded, one at a time.
class Scoring {
 public:
  Scoring(const Model& model, const Weights& weights, Provider provider)
      : model_(model),
        rule_(train::score_rule_of(model.definition())),
        predictor_(model, weights, {.outputs = {rule_.role}, .inputs = {}, .provider = provider}) {
    const TensorInfo output = predictor_.outputs().front();
    width_ = Values(output, 1).width;
    if (width_ != rule_.column_of.size() && (width_ != 1 || rule_.is_row()))
      throw Error(
          ErrorCode::usage,
          fmt::format("output '{}' has {} values a row: a score is one number, or one for each of {} cells",
                      rule_.role, width_, rule_.column_of.size()));
    is_whole_ = width_ != rule_.column_of.size();
    if (!is_whole_) columns_ = rule_.columns;
    for (const TensorInfo& input : predictor_.inputs()) inputs_.push_back(input.name);
    predictor_.prepare(1);
  }

  /// None where a row has but one number.
  const std::vector<std::string>& columns() const { return columns_; }

  void score(const train::CodedRow& row, std::vector<float>& values, RowScore& into) const {
    const api::BoundRows bound(model_, train::single_row(row, api::row_data_of(model_)));
    std::vector<InputSpan> given;
    for (const std::string& input : inputs_) given.push_back(bound.needed_values_of(input));
    values.resize(width_);
    const OutputSpan asked = std::span(values);
    predictor_.predict(given, std::span(&asked, 1));
    if (rule_.is_row())
      for (std::size_t i = 0; i < width_; ++i)
        values[i] = (values[i] - row.cells[i]) * (values[i] - row.cells[i]);
    into.parts.resize(columns_.size());
    into.score =
        is_whole_ ? static_cast<double>(values.front()) : rule_.score(values, mask_of(row), into.parts);
    if (!std::isfinite(into.score))
      throw Error(ErrorCode::not_finite,
                  fmt::format("the score of a row is {}: its cells are too far from all that was learnt",
                              into.score));
  }

 private:
  std::span<const float> mask_of(const train::CodedRow& row) const {
    const bool all_count = api::row_data_of(model_).table->missing == MissingCells::refuse;
    return all_count ? std::span<const float>() : std::span<const float>(row.mask);
  }

  Model model_;
  train::ScoreRule rule_;
  Predictor predictor_;
  std::vector<std::string> inputs_;
  std::vector<std::string> columns_;
  std::size_t width_ = 1;
  bool is_whole_ = false;  ///< one number a row
};

}  // namespace

class TablePredictor::Implementation {
 public:
  Implementation(const Model& model, const Weights& weights, const TablePredictorOptions& options)
      : model_(model),
        columns_(options.columns.empty() ? taken_columns(fitted()) : options.columns),
        coder_(fitted(), reading(), columns_, row_path_),
        held_out_(weights.implementation()->learner.state().held_out_scores) {
    const std::vector<std::string> outputs = asked_outputs(model, options);
    if (!outputs.empty())
      predictor_.emplace(model, weights,
                         PredictorOptions{.outputs = outputs, .inputs = {}, .provider = options.provider});
    if (train::scores_rows(model.definition())) scoring_.emplace(model, weights, options.provider);
  }

  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<std::string>& scored_columns() const {
    static const std::vector<std::string> none;
    return scoring_ ? scoring_->columns() : none;
  }

  Table predict(const Table& rows) const {
    if (!predictor_)
      throw Error(ErrorCode::usage,
                  "the model has no output `target` or `row`: ask for others, as for `code`");
    const EncodedRows encoded(model_, rows);
    std::vector<Values> values;
    for (const TensorInfo& info : predictor_->outputs()) values.emplace_back(info, encoded.rows());
    std::vector<OutputSpan> asked;
    for (Values& one : values) asked.push_back(one.span());
    predictor_->predict(encoded.inputs(*predictor_), asked);
    Table table;
    for (const Values& one : values) add_columns(table, one, model_, encoded.rows());
    return table;
  }

  std::vector<RowScore> scores(const Table& rows) const {
    const std::filesystem::path path(api::table_name);
    const train::RowCoder coder(fitted(), reading(), rows.names(), path);
    std::vector<RowScore> scores(rows.rows());
    std::vector<std::string> texts(rows.names().size());
    std::vector<std::string_view> cells(texts.size());
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      for (std::size_t i = 0; i < texts.size(); ++i) {
        texts[i] = api::cell_of(rows.column(i), row);
        cells[i] = texts[i];
      }
      score(coder, files::CsvLines(cells, path, static_cast<int>(row) + 2), scores[row]);
    }
    return scores;
  }

  void score(std::span<const std::string_view> cells, RowScore& into) const {
    if (cells.size() != columns_.size())
      throw Error(ErrorCode::usage,
                  fmt::format("a row has {} cells, {} are given", columns_.size(), cells.size()));
    score(coder_, files::CsvLines(cells, row_path_, 1), into);
  }

  double threshold(double share) const {
    if (!(share > 0 && share < 1))
      throw Error(ErrorCode::usage, fmt::format("{} is no share: it is between 0 and 1", share));
    if (held_out_.empty())
      throw Error(ErrorCode::data,
                  "the weights come without scores of held-out rows: take a run's checkpoint");
    return train::threshold_of(held_out_, 1 - share);
  }

 private:
  /// What a call needs for itself.
  struct Scratch {
    train::CodedRow row;
    std::vector<float> values;
  };

  const std::vector<FittedColumn>& fitted() const { return api::row_data_of(model_).table->fitted; }
  train::TableReading reading() const { return train::table_reading(api::row_data_of(model_), {}); }

  void score(const train::RowCoder& coder, const files::CsvLines& lines, RowScore& into) const {
    if (!scoring_)
      throw Error(ErrorCode::usage,
                  fmt::format("model '{}' has no output `score` or `row`, so it scores no rows",
                              model_.definition().name));
    const runtime::Pool<Scratch>::Lease scratch = scratch_.take([] { return std::make_unique<Scratch>(); });
    coder.encode(lines, lines.fields(), scratch->row);
    scoring_->score(scratch->row, scratch->values, into);
  }

  Model model_;
  std::filesystem::path row_path_ = "row";
  std::vector<std::string> columns_;
  train::RowCoder coder_;
  std::optional<Predictor> predictor_;
  std::optional<Scoring> scoring_;
  std::vector<double> held_out_;
  mutable runtime::Pool<Scratch> scratch_;
};

TablePredictor::TablePredictor(const Model& model, const Weights& weights,
                               const TablePredictorOptions& options)
    : implementation_(
          at_boundary([&] { return std::make_unique<Implementation>(model, weights, options); })) {}
TablePredictor::~TablePredictor() = default;
TablePredictor::TablePredictor(TablePredictor&&) noexcept = default;
TablePredictor& TablePredictor::operator=(TablePredictor&&) noexcept = default;

const std::vector<std::string>& TablePredictor::columns() const {
  return api::held_by(implementation_, noun).columns();
}
const std::vector<std::string>& TablePredictor::scored_columns() const {
  return api::held_by(implementation_, noun).scored_columns();
}
Table TablePredictor::predict(const Table& rows) const {
  return at_boundary([&] { return api::held_by(implementation_, noun).predict(rows); });
}
std::vector<RowScore> TablePredictor::scores(const Table& rows) const {
  return at_boundary([&] { return api::held_by(implementation_, noun).scores(rows); });
}
void TablePredictor::score(std::span<const std::string_view> cells, RowScore& into) const {
  at_boundary([&] { api::held_by(implementation_, noun).score(cells, into); });
}
double TablePredictor::threshold(double share) const {
  return at_boundary([&] { return api::held_by(implementation_, noun).threshold(share); });
}

}  // namespace graphrun
