#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "cli/array_file.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "cli/output/output_blocks.hpp"
#include "cli/output/output_columns.hpp"
#include "cli/output/table_output.hpp"
#include "files/csv.hpp"
#include "files/file.hpp"
#include "files/number_text.hpp"
#include "graphrun/error.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::cli {

namespace {

namespace fs = std::filesystem;

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
    OutputBlocks outputs(trained.learner, names, train::bind_images(*trained.model, examples),
                         examples->window_rows.empty());
    const std::string out = out_.empty() ? default_output(trained_, "predictions.csv") : out_;
    if (fs::path(out).extension() == ".npy")
      write_npy(out, outputs);
    else if (fill_)
      write_filled(out, text, *data.table, outputs);
    else
      write_table(out, text, *data.table, outputs, examples_by_row(*examples, rows->count));
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

  /// What tells rows apart: the columns that the model does not see, or else their numbers.
  static std::vector<std::size_t> id_columns(const train::TableText& table, const TableRecipe& recipe) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < table.names().size(); ++i) {
      const auto known = std::ranges::find(recipe.fitted, table.names()[i], &FittedColumn::name);
      const bool is_id = known == recipe.fitted.end() || known->use == FittedColumn::Use::ignored;
      if (is_id) places.push_back(i);
    }
    return places;
  }

  /// Of each row the window that ends with it; some have none. Of rows that stand alone: nothing.
  static std::vector<std::optional<std::uint32_t>> examples_by_row(const train::ImageSet& examples,
                                                                   std::size_t rows) {
    if (examples.window_rows.empty()) return {};
    std::vector<std::optional<std::uint32_t>> by_row(rows);
    for (std::uint32_t i = 0; i < examples.count; ++i)
      by_row[examples.window_rows[(i + std::size_t{1}) * examples.height - 1]] = i;
    return by_row;
  }

  static void write_table(const std::string& out, const train::TableText& table, const TableRecipe& recipe,
                          OutputBlocks& outputs, const std::vector<std::optional<std::uint32_t>>& by_row) {
    const std::vector<std::size_t> ids = id_columns(table, recipe);
    std::vector<std::string> names;
    if (ids.empty()) names.emplace_back("row_number");
    for (const std::size_t id : ids) names.push_back(table.names()[id].empty() ? "id" : table.names()[id]);
    for (const auto& some : outputs.with(0).columns)
      names.insert(names.end(), some->names.begin(), some->names.end());
    require_unique(names, "ask for these outputs one by one");
    files::AtomicFile file(out);
    file.write(files::csv_line(names));
    std::size_t row = 0;
    table.for_each_row([&](const files::CsvLines& lines, const files::CsvFields& fields) {
      const std::size_t number = row++;
      if (!by_row.empty() && !by_row[number]) return;
      const std::size_t example = by_row.empty() ? number : *by_row[number];
      std::vector<std::string> cells;
      if (ids.empty()) cells.push_back(std::to_string(row));
      for (const std::size_t id : ids) cells.push_back(copied_cell(lines, fields[id]));
      const OutputBlocks::Block& block = outputs.with(example);
      for (const auto& some : block.columns) some->add(example - block.first, cells);
      file.write(files::csv_line(cells));
    });
    file.commit();
  }

  static void write_filled(const std::string& out, const train::TableText& table, const TableRecipe& recipe,
                           OutputBlocks& outputs) {
    const train::OutputValues& drawn = outputs.with(0).outputs.front();
    if (width_of(drawn) != static_cast<std::size_t>(cells_of(recipe.fitted)))
      throw Error(ErrorCode::usage, fmt::format("output 'row' is {}, and a row has {} cells",
                                                to_string(drawn.type), cells_of(recipe.fitted)));
    files::AtomicFile file(out);
    file.write(files::csv_line(table.names()));
    std::size_t row = 0;
    table.for_each_row([&](const files::CsvLines& lines, const files::CsvFields& fields) {
      std::vector<std::string> cells = copied_row(lines, fields);
      std::vector<std::string> values;
      const OutputBlocks::Block& block = outputs.with(row);
      const OutputColumns& filled = *block.columns.front();
      filled.add(row++ - block.first, values);
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
