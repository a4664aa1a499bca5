#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "cli/array_file.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/finite.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "cli/output/table_output.hpp"
#include "files/csv.hpp"
#include "files/file.hpp"
#include "files/number_text.hpp"
#include "graphrun/error.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/tables/column_scale.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::cli {

namespace {

namespace fs = std::filesystem;

/// Columns of the table that is written: their names, and the cells of a row.
struct OutputColumns {
  std::vector<std::string> names;
  virtual ~OutputColumns() = default;
  virtual void add(std::size_t row, std::vector<std::string>& cells) const = 0;
};

std::size_t width_of(const train::OutputValues& output) {
  std::size_t width = 1;
  for (std::size_t axis = 1; axis < output.extents.size(); ++axis)
    width *= static_cast<std::size_t>(output.extents[axis]);
  return width;
}

/// NAME, or NAME_0, NAME_1, …: as the model gives them.
struct PlainColumns : OutputColumns {
  explicit PlainColumns(const train::OutputValues& given) : output(given), width(width_of(given)) {
    for (std::size_t i = 0; i < width; ++i)
      names.push_back(width == 1 ? given.name : fmt::format("{}_{}", given.name, i));
  }
  void add(std::size_t row, std::vector<std::string>& cells) const override {
    for (std::size_t i = row * width; i < (row + 1) * width; ++i) cells.push_back(text_of(i));
  }
  std::string text_of(std::size_t i) const {
    if (output.type.dtype != DType::i32) return files::number_text(train::as_floats(output)[i]);
    return files::number_text(reinterpret_cast<const std::int32_t*>(output.bytes.data())[i]);
  }
  const train::OutputValues& output;
  std::size_t width;
};

/// A row of cells as the columns that they stand for, in their own units.
struct RowColumns : OutputColumns {
  RowColumns(const train::OutputValues& given, const std::vector<FittedColumn>& columns)
      : values(train::as_floats(given)), fitted(columns) {
    for (const FittedColumn& column : fitted)
      if (column.cells() > 0) names.push_back(column.name);
  }
  void add(std::size_t row, std::vector<std::string>& cells) const override {
    std::size_t at = row * static_cast<std::size_t>(cells_of(fitted));
    for (const FittedColumn& column : fitted) {
      if (column.cells() == 0) continue;
      cells.push_back(train::decoded(column, values.subspan(at, column.cells())));
      at += column.cells();
    }
  }
  std::span<const float> values;
  const std::vector<FittedColumn>& fitted;
};

/// What is said of several numbers, each in its unit.
struct TargetsColumns : OutputColumns {
  TargetsColumns(const train::OutputValues& given, std::vector<const FittedColumn*> columns)
      : values(train::as_floats(given)), targets(std::move(columns)) {
    for (const FittedColumn* target : targets) names.push_back(target->name);
  }
  void add(std::size_t row, std::vector<std::string>& cells) const override {
    for (std::size_t i = 0; i < targets.size(); ++i)
      cells.push_back(train::decoded(*targets[i], values.subspan(row * targets.size() + i, 1)));
  }
  std::span<const float> values;
  std::vector<const FittedColumn*> targets;
};

/// What is said of the target: a number in its unit; or the value that is likeliest, and what each is given.
struct TargetColumns : OutputColumns {
  TargetColumns(const train::OutputValues& given, const FittedColumn& column)
      : values(train::as_floats(given)), target(column), width(width_of(given)) {
    names.push_back(target.name);
    for (const std::string& value : target.values) names.push_back(fmt::format("{}_{}", given.name, value));
  }
  void add(std::size_t row, std::vector<std::string>& cells) const override {
    const std::span<const float> own = values.subspan(row * width, width);
    cells.push_back(train::decoded(target, own));
    if (!target.is_category) return;
    for (const float value : own) cells.push_back(files::number_text(value));
  }
  std::span<const float> values;
  const FittedColumn& target;
  std::size_t width;
};

std::vector<std::string> listed(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

class PredictCommand final : public Command {
 public:
  std::string name() const override { return "predict"; }
  std::string about() const override {
    return "Gives any outputs for the rows of a table, by the names and in the units of its columns.";
  }
  void declare(Arguments& arguments) override {
    trained_.declare(arguments);
    arguments.positional("TABLE", table_.table,
                         "a CSV file with the columns of the training table, in any order");
    table_.declare(arguments);
    arguments.option(
        "--output", outputs_, "NAMES",
        "outputs or nodes, as code,target (default: target, or row): `row` comes as the columns of "
        "the table, `target` as a number or class by name");
    arguments.flag("--fill", fill_, "write the table itself, its missing cells filled in from output `row`");
    arguments.option("--out", out_, "FILE",
                     "CSV, or NPY of one output as the model gives it (default: predictions.csv in the run "
                     "directory)");
  }
  int run(Context& context) override {
    check();
    TrainedModel trained = open_trained(trained_, context.flags, context.console);
    const DataRecipe& data = table_data_of(*trained.model, "predict");
    const std::vector<std::string> names = asked(*trained.model);
    const train::TableText text{fs::path(table_.table)};
    if (data.table->windows && fill_)
      throw Error(ErrorCode::usage,
                  "--fill: the model looks at windows of rows, and draws no rows one by one");
    const auto rows =
        std::make_shared<const train::ImageSet>(train::load_table(text, data, table_.query(text, data)));
    for (const std::string& note : rows->notes) context.console.warning(note);
    const auto examples =
        data.table->windows
            ? std::make_shared<const train::ImageSet>(train::examples_of(text, *rows, *data.table, true))
            : rows;
    const std::vector<train::OutputValues> outputs =
        trained.learner.run(names, train::bind_images(*trained.model, examples));
    for (const train::OutputValues& output : outputs) require_rows(output, examples->count);
    const std::string out = out_.empty() ? default_output(trained_, "predictions.csv") : out_;
    if (fs::path(out).extension() == ".npy")
      write_array(out, outputs.front());
    else if (fill_)
      write_filled(out, text, data, *rows, outputs.front());
    else
      write_table(out, text, data, outputs, examples_by_row(*examples, rows->count));
    report(context, *examples, out);
    return exit_code(ExitCode::ok);
  }

 private:
  void check() const {
    if (fill_ && !outputs_.empty())
      throw Error(ErrorCode::usage, "--fill writes the table itself: leave --output away");
    if (out_.empty()) return;
    require_array_name(out_);
    const bool is_npy = fs::path(out_).extension() == ".npy";
    if (is_npy && (fill_ || listed(outputs_).size() > 1))
      throw Error(ErrorCode::usage, fmt::format("{}: an NPY file holds one output; take CSV", out_));
  }

  std::vector<std::string> asked(const ModelDefinition& model) const {
    if (fill_) return {"row"};
    std::vector<std::string> names = listed(outputs_);
    if (!names.empty()) return names;
    for (const char* role : {"target", "row"})
      if (model.role(role)) return {role};
    throw Error(ErrorCode::usage,
                "the model has no output `target` or `row`: say what to give, as --output code");
  }

  static void require_rows(const train::OutputValues& output, std::size_t count) {
    cli::require_finite(output);
    if (!output.extents.empty() && output.extents.front() == static_cast<std::int64_t>(count)) return;
    throw Error(ErrorCode::usage, fmt::format("output '{}' is {}: it has no row for each row of the table",
                                              output.name, to_string(output.type)));
  }

  static std::unique_ptr<OutputColumns> columns_for(const train::OutputValues& output,
                                                    const DataRecipe& data) {
    const std::vector<FittedColumn>& fitted = data.table->fitted;
    const FittedColumn* target = target_of(fitted);
    const std::size_t width = width_of(output);
    if (output.name == "row" && width == static_cast<std::size_t>(cells_of(fitted)))
      return std::make_unique<RowColumns>(output, fitted);
    if (output.type.dtype != DType::f32) return std::make_unique<PlainColumns>(output);
    const std::vector<const FittedColumn*> targets = targets_of(fitted);
    const auto named = std::ranges::find(targets, output.name, &FittedColumn::name);
    if (named != targets.end()) target = *named;
    const bool are_numbers =
        std::ranges::none_of(targets, [](const FittedColumn* one) { return one->is_category; });
    if (output.name == "target" && targets.size() > 1 && are_numbers && width == targets.size())
      return std::make_unique<TargetsColumns>(output, targets);
    const bool is_target = (output.name == "target" || named != targets.end()) && target != nullptr;
    if (is_target && width == (target->is_category ? target->values.size() : 1))
      return std::make_unique<TargetColumns>(output, *target);
    return std::make_unique<PlainColumns>(output);
  }

  /// What tells rows apart: the columns that the model does not see, or else their numbers.
  static std::vector<std::size_t> id_columns(const train::TableText& table, const DataRecipe& data) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < table.names().size(); ++i) {
      const auto known = std::ranges::find(data.table->fitted, table.names()[i], &FittedColumn::name);
      const bool is_id = known == data.table->fitted.end() || known->use == FittedColumn::Use::ignored;
      if (is_id) places.push_back(i);
    }
    return places;
  }

  /// Of each row the example that ends with it: itself, or a window. Rows without one are left out.
  static std::vector<std::optional<std::size_t>> examples_by_row(const train::ImageSet& examples,
                                                                 std::size_t rows) {
    std::vector<std::optional<std::size_t>> by_row(rows);
    for (std::size_t i = 0; i < examples.count; ++i)
      by_row[examples.window_rows.empty() ? i : examples.window_rows[(i + 1) * examples.height - 1]] = i;
    return by_row;
  }

  static void write_table(const std::string& out, const train::TableText& table, const DataRecipe& data,
                          const std::vector<train::OutputValues>& outputs,
                          const std::vector<std::optional<std::size_t>>& by_row) {
    std::vector<std::unique_ptr<OutputColumns>> columns;
    for (const train::OutputValues& output : outputs) columns.push_back(columns_for(output, data));
    const std::vector<std::size_t> ids = id_columns(table, data);
    std::vector<std::string> names;
    if (ids.empty()) names.emplace_back("row_number");
    for (const std::size_t id : ids) names.push_back(table.names()[id].empty() ? "id" : table.names()[id]);
    for (const auto& some : columns) names.insert(names.end(), some->names.begin(), some->names.end());
    require_unique(names);
    files::AtomicFile file(out);
    file.write(files::csv_line(names));
    std::size_t row = 0;
    table.for_each_row([&](const files::CsvLines& lines, const files::CsvFields& fields) {
      const std::optional<std::size_t> example = by_row[row++];
      if (!example) return;
      std::vector<std::string> cells;
      if (ids.empty()) cells.push_back(std::to_string(row));
      for (const std::size_t id : ids) cells.push_back(copied_cell(lines, fields[id]));
      for (const auto& some : columns) some->add(*example, cells);
      file.write(files::csv_line(cells));
    });
    file.commit();
  }

  static void require_unique(const std::vector<std::string>& names) {
    std::set<std::string> seen;
    for (const std::string& name : names)
      if (!seen.insert(name).second)
        throw Error(ErrorCode::usage,
                    fmt::format("two columns would be called '{}': ask for these outputs one by one", name));
  }

  static void write_filled(const std::string& out, const train::TableText& table, const DataRecipe& data,
                           const train::ImageSet& rows, const train::OutputValues& drawn) {
    const RowColumns filled(drawn, data.table->fitted);
    if (width_of(drawn) != rows.width)
      throw Error(ErrorCode::usage, fmt::format("output 'row' is {}, and a row has {} cells",
                                                to_string(drawn.type), rows.width));
    files::AtomicFile file(out);
    file.write(files::csv_line(table.names()));
    std::size_t row = 0;
    table.for_each_row([&](const files::CsvLines& lines, const files::CsvFields& fields) {
      std::vector<std::string> cells = copied_row(lines, fields);
      std::vector<std::string> values;
      filled.add(row++, values);
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (!files::is_missing_cell(fields[i])) continue;
        const auto column = std::ranges::find(filled.names, table.names()[i]);
        if (column != filled.names.end())
          cells[i] = values[static_cast<std::size_t>(column - filled.names.begin())];
      }
      file.write(files::csv_line(cells));
    });
    file.commit();
  }

  static void report(const Context& context, const train::ImageSet& rows, const std::string& out) {
    JsonObject object;
    object.set("file", out).set("count", rows.count);
    context.console.result(
        context.flags.json
            ? object.text() + "\n"
            : fmt::format("{} rows: {}\n", files::grouped(static_cast<std::int64_t>(rows.count)), out));
  }

  TrainedFlags trained_;
  TableFlags table_;
  std::string outputs_;
  bool fill_ = false;
  std::string out_;
};

}  // namespace

std::unique_ptr<Command> predict_command() {
  return std::make_unique<PredictCommand>();
}

}  // namespace graphrun::cli
