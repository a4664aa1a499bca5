#include "train/datasets/tables/fit_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "errors/nearest.hpp"
#include "errors/printable.hpp"
#include "train/datasets/tables/column_scale.hpp"
#include "train/datasets/tables/number_columns.hpp"
#include "train/datasets/tables/table_split.hpp"
#include "train/datasets/tables/table_survey.hpp"
#include "train/datasets/tables/table_text.hpp"

namespace graphrun::train {

namespace {

/// Linear between the values beside it; `sorted` is not empty.
double quantile_of(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation_of(const std::vector<double>& values, double mean) {
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

/// What a number is divided by must be no zero: a column that is always the same becomes zeros.
double usable(double spread) {
  return spread > 0 && std::isfinite(spread) ? spread : 1;
}

void standardise(FittedColumn& column, const std::vector<double>& values) {
  column.centre = mean_of(values);
  column.spread = usable(deviation_of(values, column.centre));
}

constexpr std::size_t most_landmarks = 51;

void fit_landmarks(FittedColumn& column, const std::vector<double>& sorted) {
  const std::size_t count = std::clamp<std::size_t>(sorted.size(), 2, most_landmarks);
  for (std::size_t i = 0; i < count; ++i)
    column.landmarks.push_back(quantile_of(sorted, static_cast<double>(i) / static_cast<double>(count - 1)));
}

/// Means and the like need no order, which of many numbers takes its time.
bool needs_order(const FittedColumn& column, MissingCells missing) {
  return missing == MissingCells::median || column.scale == ColumnScale::robust ||
         column.scale == ColumnScale::min_max || column.scale == ColumnScale::quantile;
}

void fit_numbers(FittedColumn& column, std::vector<double> values, MissingCells missing) {
  std::vector<double> sorted;
  if (needs_order(column, missing)) sorted = values;
  std::ranges::sort(sorted);
  if (missing == MissingCells::mean) column.fill = mean_of(values);
  if (missing == MissingCells::median) column.fill = quantile_of(sorted, 0.5);
  switch (column.scale) {
    case ColumnScale::as_is:
      return;
    case ColumnScale::standardise:
      return standardise(column, values);
    case ColumnScale::robust:
      column.centre = quantile_of(sorted, 0.5);
      column.spread = usable(quantile_of(sorted, 0.75) - quantile_of(sorted, 0.25));
      return;
    case ColumnScale::min_max:
      column.centre = sorted.front();
      column.spread = usable(sorted.back() - sorted.front());
      return;
    case ColumnScale::quantile:
      return fit_landmarks(column, sorted);
    case ColumnScale::log:
      for (double& value : values) value = signed_log(value);
      return standardise(column, values);
  }
}

class Fitting {
  using Counts = std::map<std::string, std::size_t, std::less<>>;

 public:
  Fitting(const DataRecipe& data, const TableText& table)
      : spec_(*data.table), table_(table), survey_(survey(table_, spec_)) {
    if (data.train->label_column.empty() && data.test) label_ = data.test->label_column;
    if (!data.train->label_column.empty()) label_ = data.train->label_column;
  }

  std::vector<FittedColumn> run() {
    require_columns();
    for (const ColumnSurvey& column : survey_.columns) columns_.push_back(kind_of(column));
    if (std::ranges::none_of(columns_, [](const FittedColumn& column) {
          return column.has_cells() || column.use == FittedColumn::Use::input;
        }))
      throw no_columns();
    require_one_label();
    read_values();
    for (std::size_t i = 0; i < columns_.size(); ++i) fit(i);
    require_cells();
    return std::move(columns_);
  }

 private:
  Error files_error(const std::string& message) const {
    return {ErrorCode::data, message, {table_.path().string(), 0, 0}};
  }

  Error no_columns() const {
    if (columns_.size() > 1) return files_error("has no column that a model could be given");
    return files_error(
        fmt::format("has one column, '{}', of texts that say nothing: are its cells parted by commas, "
                    "semicolons, tabs or bars, as those of a table are?",
                    printable(columns_.front().name.substr(0, 40))));
  }

  template <class Lists>
  void require_known(const Lists& lists) const {
    for (const auto& column : lists) require_known(column.name, column.where);
  }
  void require_known(const std::string& name, const SourceLocation& where) const {
    if (std::ranges::find(table_.names(), name) != table_.names().end()) return;
    throw Error(ErrorCode::model,
                fmt::format("{} has no column '{}'. {}", table_.path().filename().string(), printable(name),
                            suggestion(name, table_.names())),
                where);
  }

  void require_columns() const {
    require_unseen_label();
    for (const TableRecipe::Named& target : spec_.targets)
      if (find(spec_.ignored, target.name) != nullptr || (spec_.weight && spec_.weight->name == target.name))
        throw Error(
            ErrorCode::model,
            fmt::format(
                "'{}' is the target, and {} too: it can be only one of them", printable(target.name),
                find(spec_.ignored, target.name) != nullptr ? "listed under `ignore:`" : "the weight"),
            target.where);
    require_known(spec_.numbers);
    require_known(spec_.categories);
    require_known(spec_.ignored);
    require_known(spec_.targets);
    require_known(spec_.inputs);
    if (spec_.weight) require_known(spec_.weight->name, spec_.weight->where);
    for (const TableRecipe::Named& input : spec_.inputs)
      if (find(spec_.ignored, input.name) != nullptr)
        throw Error(
            ErrorCode::model,
            fmt::format("an input takes the column '{}', which `ignore:` lists", printable(input.name)),
            input.where);
    for (const TableRecipe::Named* column : ordering_columns(spec_))
      require_known(column->name, column->where);
  }

  /// What a model sees of the label would tell it what it is to find out.
  void require_unseen_label() const {
    if (label_.empty()) return;
    const auto refuse = [&](const TableRecipe::Named& column, const char* what) {
      if (column.name == label_)
        throw Error(ErrorCode::model,
                    fmt::format("'{}' is both the label, which the model never sees, and {}",
                                printable(label_), what),
                    column.where);
    };
    for (const TableRecipe::Named& column : spec_.targets) refuse(column, "the target, which it learns");
    for (const TableRecipe::Named& column : spec_.numbers) refuse(column, "a number that it is given");
    for (const TableRecipe::Named& column : spec_.categories) refuse(column, "a category that it is given");
    for (const TableRecipe::Named& column : spec_.inputs) refuse(column, "what an input takes");
    if (spec_.weight) refuse(*spec_.weight, "the weight of a row");
  }

  void require_one_label() const {
    const FittedColumn* target = target_of(columns_);
    if (target == nullptr || !target->is_category || label_.empty()) return;
    throw Error(ErrorCode::model,
                fmt::format("the target '{}' is a category, and so the label; '{}' cannot be the label too",
                            printable(target->name), printable(label_)),
                find(spec_.targets, target->name)->where);
  }

  static const TableRecipe::Named* find(const std::vector<TableRecipe::Named>& list,
                                        const std::string& name) {
    const auto found = std::ranges::find(list, name, &TableRecipe::Named::name);
    return found == list.end() ? nullptr : &*found;
  }

  FittedColumn kind_of(const ColumnSurvey& column) const {
    FittedColumn fitted;
    fitted.name = column.name;
    const bool is_target = find(spec_.targets, column.name) != nullptr;
    const bool is_input = find(spec_.inputs, column.name) != nullptr;
    const bool is_weight = spec_.weight && spec_.weight->name == column.name;
    const bool splits = std::ranges::any_of(
        ordering_columns(spec_), [&](const TableRecipe::Named* one) { return one->name == column.name; });
    const auto number = std::ranges::find(spec_.numbers, column.name, &TableRecipe::Number::name);
    const bool is_category = find(spec_.categories, column.name) != nullptr;
    if (is_input) fitted.use = FittedColumn::Use::input;
    if (is_target) fitted.use = FittedColumn::Use::target;
    if (is_weight) fitted.use = FittedColumn::Use::weight;
    fitted.is_seen = is_target && spec_.windows && spec_.windows->ahead > 0;
    if (number != spec_.numbers.end()) {
      fitted.scale = number->scale;
      require_numbers(
          column, fmt::format("`numbers:` lists '{}'; mend it, write NA where a value is missing, or list "
                              "the column under `categories:` or `ignore:`",
                              printable(column.name)));
    } else if (is_category) {
      fitted.is_category = true;
    } else if (is_weight) {
      require_numbers(column, fmt::format("'{}' is the weight of a row: mend it", printable(column.name)));
    } else if (find(spec_.ignored, column.name) != nullptr || column.name == label_ ||
               (splits && !is_target && !is_input)) {
      fitted.use = FittedColumn::Use::ignored;
    } else if (is_target || is_input) {
      fitted.is_category = !column.holds_numbers();
      if ((is_input && !is_target) || fitted.is_seen) fitted.scale = ColumnScale::standardise;
    } else {
      take_guess(column, fitted);
    }
    if (fitted.is_category) require_few(column);
    if (fitted.use != FittedColumn::Use::ignored) require_some(column);
    return fitted;
  }

  void take_guess(const ColumnSurvey& column, FittedColumn& fitted) const {
    const Guess guessed = guess(column, survey_.rows);
    if (guessed.kind == Guess::Kind::ignored) fitted.use = FittedColumn::Use::ignored;
    fitted.is_category = guessed.kind == Guess::Kind::category;
    fitted.scale = ColumnScale::standardise;
  }

  /// `why`: what makes it a column of numbers, and what to do.
  static void require_numbers(const ColumnSurvey& column, const std::string& why) {
    if (column.holds_numbers()) return;
    throw Error(ErrorCode::data,
                fmt::format("'{}' is no {}number, and {}", printable(column.first_text.text.substr(0, 40)),
                            is_infinite(column.first_text.text) ? "finite " : "", why),
                column.first_text.where);
  }

  void require_few(const ColumnSurvey& column) const {
    if (column.values.size() <= ColumnSurvey::most_values) return;
    throw files_error(
        fmt::format("the column '{}' has more than {} values, too many for a category: list it "
                    "under `ignore:`, or under `numbers:`",
                    printable(column.name), ColumnSurvey::most_values));
  }

  void require_some(const ColumnSurvey& column) const {
    if (!column.is_empty()) return;
    throw files_error(
        fmt::format("the column '{}' is empty: list it under `ignore:`", printable(column.name)));
  }

  /// Of the rows to learn from.
  void read_values() {
    const std::vector<Part> parts = parts_of(spec_.split, survey_.rows, survey_.split_values, survey_.series);
    survey_.split_values = std::vector<std::string>();
    std::size_t numbers = 0;
    for (const FittedColumn& column : columns_) places_.push_back(is_number(column) ? numbers++ : 0);
    numbers_.emplace(numbers);
    counts_.resize(columns_.size());
    std::size_t row = 0;
    table_.for_each_row([&](const files::CsvLines& lines, const files::CsvFields& fields) {
      if (parts[row++] != Part::train) return;
      for (std::size_t i = 0; i < fields.size(); ++i) add(lines, fields[i], i);
      numbers_->end_row();
    });
  }

  void add(const files::CsvLines& lines, std::string_view field, std::size_t i) {
    if (columns_[i].use == FittedColumn::Use::ignored || files::is_missing_cell(field)) return;
    if (columns_[i].is_category) return count(counts_[i], field);
    const double number = *lines.real(field);
    if (std::abs(number) > std::numeric_limits<float>::max())
      lines.fail(fmt::format("column '{}': '{}' is beyond what f32 holds", printable(columns_[i].name),
                             printable(field.substr(0, 40))),
                 field);
    numbers_->add(places_[i], number);
  }

  static bool is_number(const FittedColumn& column) {
    return column.use != FittedColumn::Use::ignored && !column.is_category;
  }

  static void count(Counts& counts, std::string_view value) {
    const auto known = counts.find(value);
    ++(known != counts.end() ? known->second : counts[std::string(value)]);
  }

  void fit(std::size_t i) {
    FittedColumn& column = columns_[i];
    if (column.use == FittedColumn::Use::ignored) return;
    std::vector<double> numbers;
    if (!column.is_category) numbers = numbers_->column(places_[i]);
    if (column.is_category ? counts_[i].empty() : numbers.empty())
      throw files_error(
          fmt::format("the column '{}' is empty in the rows to learn from: list it under `ignore:`",
                      printable(column.name)));
    if (column.is_category)
      fit_category(column, counts_[i]);
    else
      fit_numbers(column, std::move(numbers), spec_.missing);
  }

  void fit_category(FittedColumn& column, const Counts& counts) const {
    std::size_t most = 0;
    const bool is_filled = spec_.missing == MissingCells::mean || spec_.missing == MissingCells::median;
    for (const auto& [value, count] : counts) {
      if (is_filled && count > std::exchange(most, std::max(most, count)))
        column.fill = static_cast<double>(column.values.size());
      column.values.push_back(value);
    }
  }

  void require_cells() const {
    if (cells_of(columns_) > std::numeric_limits<std::int32_t>::max())
      throw files_error("has more cells in a row than a model can be given");
  }

  const TableRecipe& spec_;
  const TableText& table_;
  TableSurvey survey_;
  std::string label_;
  std::vector<FittedColumn> columns_;
  std::vector<std::size_t> places_;  ///< of each column of numbers, among those
  std::optional<NumberColumns> numbers_;
  std::vector<Counts> counts_;
};

}  // namespace

std::vector<FittedColumn> fit_table(const DataRecipe& data) {
  return fit_table(data, TableText(data.train->images));
}

std::vector<FittedColumn> fit_table(const DataRecipe& data, const TableText& table) {
  return Fitting(data, table).run();
}

}  // namespace graphrun::train
