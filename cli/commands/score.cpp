#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iostream>
#include <map>
#include <optional>

#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/finite.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "cli/output/table_output.hpp"
#include "cli/suggest.hpp"
#include "errors/printable.hpp"
#include "files/csv.hpp"
#include "files/file.hpp"
#include "files/number_text.hpp"
#include "graphrun/error.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/learn/state.hpp"
#include "train/measure/detection.hpp"
#include "train/measure/row_scores.hpp"

namespace graphrun::cli {

namespace {

double number_of(const char* flag, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    throw Error(ErrorCode::usage, fmt::format("{} {}: it is no number", flag, text));
  return value;
}

/// Above which score a row is flagged, and why there.
struct Threshold {
  double value = 0;
  std::string why;
  std::optional<double> expected;  ///< the share of rows like those learnt from that is flagged
  std::string warning;
};

class ScoreCommand final : public Command {
 public:
  std::string name() const override { return "score"; }
  std::string about() const override {
    return "Says how odd each row of a table is, and which of its columns make it so.";
  }
  void declare(Arguments& arguments) override {
    trained_.declare(arguments);
    arguments.positional("TABLE", table_.table,
                         "a CSV file with the columns of the training table, in any order; "
                         "- with --follow: rows from standard input");
    table_.declare(arguments);
    arguments.option("--out", out_, "FILE",
                     "the CSV that is written (default: scores.csv in the run directory)");
    arguments.option("--threshold", threshold_, "SCORE",
                     "rows above it are flagged; f1: the best for the labels (default: by --expect)");
    arguments.option("--expect", expect_, "SHARE",
                     "the share of rows to be flagged if all are like those learnt from (default 0.01)");
    arguments.option("--odd", odd_, "VALUE",
                     "of the label: which rows are odd (default: 1, or the rarer of two)");
    arguments.option("--windows", windows_, "FILE", "of a series: also a CSV with the score of each window");
    arguments.flag("--follow", follow_, "answer each row of standard input as it comes");
  }
  int run(Context& context) override {
    check();
    TrainedModel trained =
        open_trained(trained_, context.flags, context.console, {.outputs = {"score", "row"}});
    const DataRecipe& data = table_data_of(*trained.model, "score");
    train::RowScorer scorer(trained.learner);
    if (follow_) return follow(trained, data, scorer, context.console);
    const train::TableText text{std::filesystem::path(table_.table)};
    const train::TableQuery query = table_.query(text, data);
    const train::ImageSet rows = train::load_table(text, data, query);
    for (const std::string& note : rows.notes) context.console.warning(note);
    const auto examples =
        std::make_shared<const train::ImageSet>(train::examples_of(text, rows, *data.table));
    const train::RowScores scores = scorer.scores(train::bind_images(*trained.model, examples), *examples);
    note_unscored(scores, rows.count, context.console);
    Result result{.scores = scores, .labelled = detected(scores, rows), .threshold = {}};
    result.threshold = threshold(trained.learner.state().held_out_scores, rows, data, result.labelled);
    if (!result.threshold.warning.empty()) context.console.warning(result.threshold.warning);
    if (!result.threshold.why.empty() && data.table->split.validation == 0 && threshold_.empty())
      context.console.warning(
          "the threshold comes from rows that were learnt from, which flags about twice as many as expected: "
          "keep some apart with `split: {validation: 0.15}`");
    const std::string out = out_.empty() ? default_output(trained_, "scores.csv") : out_;
    write(out, text, result);
    if (!windows_.empty()) write_windows(*examples, scores);
    context.console.result(context.flags.json ? json_of(result, out) : text_of(result, text, out));
    return exit_code(ExitCode::ok);
  }

 private:
  struct Labelled {
    std::string odd;
    train::Detection detection;
    std::vector<bool> is_odd;
  };
  struct Result {
    const train::RowScores& scores;
    std::optional<Labelled> labelled;
    Threshold threshold;

    std::size_t flagged() const {
      return static_cast<std::size_t>(
          std::ranges::count_if(scores.scores, [&](double score) { return score > threshold.value; }));
    }
  };
  static constexpr std::size_t worst_shown = 5;  ///< rows on the terminal

  void check() const {
    if (follow_ != (table_.table == "-"))
      throw Error(ErrorCode::usage, "rows from standard input are scored one by one: score RUN - --follow");
    if (follow_ && (!out_.empty() || threshold_ == "f1"))
      throw Error(ErrorCode::usage,
                  "--follow answers each row at once, on standard output: leave --out and "
                  "--threshold f1 away");
    const double share = expected();
    if (!(share > 0 && share < 1))
      throw Error(ErrorCode::usage, fmt::format("--expect {}: a share is between 0 and 1", expect_));
  }

  double expected() const { return expect_.empty() ? 0.01 : number_of("--expect", expect_); }

  static void note_unscored(const train::RowScores& scores, std::size_t count, Console& console) {
    if (scores.rows.empty() || scores.rows.size() == count) return;
    console.warning(fmt::format("{} of {} rows have no score: no window fits into their part of a series",
                                count - scores.rows.size(), count));
  }

  // ---- Labels ----

  /// Which rows the labels call odd; nothing where there are no labels.
  std::optional<Labelled> detected(const train::RowScores& scores, const train::ImageSet& rows) const {
    if (!rows.has_labels()) {
      if (!odd_.empty()) throw Error(ErrorCode::usage, "--odd is a value of the label: add --label COLUMN");
      return std::nullopt;
    }
    const std::int32_t odd = odd_number(rows);
    Labelled result;
    for (std::size_t i = 0; i < scores.scores.size(); ++i)
      result.is_odd.push_back(rows.labels[row_of(scores, i)] == odd);
    const auto count = std::ranges::count(result.is_odd, true);
    if (count == 0 || static_cast<std::size_t>(count) == result.is_odd.size()) return std::nullopt;
    result.odd =
        rows.class_names.empty() ? std::to_string(odd) : rows.class_names[static_cast<std::size_t>(odd)];
    result.detection = train::detection(scores.scores, result.is_odd);
    return result;
  }

  /// The row of the table that a score is of.
  static std::size_t row_of(const train::RowScores& scores, std::size_t i) {
    return scores.rows.empty() ? i : scores.rows[i];
  }

  std::int32_t odd_number(const train::ImageSet& rows) const {
    if (!odd_.empty()) return named_number(rows);
    if (const std::optional<std::int32_t> odd = train::odd_label(rows)) return *odd;
    std::map<std::int32_t, std::size_t> counts;
    for (const std::int32_t label : rows.labels) ++counts[label];
    const std::int32_t rarest =
        std::ranges::min_element(counts, {}, [](const auto& one) { return one.second; })->first;
    throw Error(ErrorCode::usage, fmt::format("the label has {} values: say which rows are odd, as --odd {}",
                                              counts.size(), name_of(rows, rarest)));
  }

  static std::string name_of(const train::ImageSet& rows, std::int32_t label) {
    return rows.class_names.empty() ? std::to_string(label)
                                    : printable(rows.class_names[static_cast<std::size_t>(label)]);
  }

  std::int32_t named_number(const train::ImageSet& rows) const {
    const auto named = std::ranges::find(rows.class_names, odd_);
    if (named != rows.class_names.end()) return static_cast<std::int32_t>(named - rows.class_names.begin());
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(odd_.data(), odd_.data() + odd_.size(), number);
    if (rows.class_names.empty() && error == std::errc() && end == odd_.data() + odd_.size()) return number;
    throw Error(ErrorCode::usage,
                fmt::format("--odd {}: no row has this label{}", odd_, did_you_mean(odd_, rows.class_names)));
  }

  // ---- Threshold ----

  Threshold threshold(const std::vector<double>& held_out, const train::ImageSet& rows,
                      const DataRecipe& data, const std::optional<Labelled>& labelled) const {
    if (threshold_ == "f1") {
      if (!labelled)
        throw Error(ErrorCode::usage, rows.has_labels() ? "--threshold f1: all rows have one label"
                                                        : "--threshold f1 needs labels: add --label COLUMN");
      return {labelled->detection.best_threshold, "the best for these labels", {}, {}};
    }
    if (!threshold_.empty()) return {number_of("--threshold", threshold_), "as asked for", {}, {}};
    if (held_out.empty())
      throw Error(ErrorCode::data, "the run holds no scores of rows to compare with: give --threshold SCORE");
    const double share = expected();
    const char* rows_kept = data.table->split.validation > 0 ? "held-out rows" : "rows that were learnt from";
    return {train::threshold_of(held_out, 1 - share),
            fmt::format("{:.4g} % of {} are above it", share * 100, rows_kept), share,
            warning_of(held_out.size(), share, data)};
  }

  /// Can so small a share be told by the scores that the run has kept? Rows of one window have nearly the
  /// same score: of a series, it is windows beside each other that tell.
  static std::string warning_of(std::size_t scores, double share, const DataRecipe& data) {
    const bool are_all = scores < train::held_out_scores_kept;
    const bool are_windows = data.table->windows && are_all;
    const std::size_t size = are_windows ? static_cast<std::size_t>(data.table->windows->size) : 1;
    if (train::tells_share(scores / size, share)) return {};
    if (!are_windows)
      return fmt::format(
          "{:.4g} % cannot be told by {} scores that the run has kept: the threshold is the "
          "largest of them",
          share * 100, scores);
    return fmt::format(
        "{:.4g} % cannot be told by {} rows in windows of {}, of which {} stand beside each other: "
        "one in {} good rows may well be flagged; keep more rows with `split:`",
        share * 100, scores, size, scores / size, scores / size + 1);
  }

  // ---- One by one ----

  int follow(TrainedModel& trained, const DataRecipe& data, train::RowScorer& scorer,
             Console& console) const {
    std::string header;
    if (data.table->windows)
      throw Error(ErrorCode::usage,
                  "a row of a series has no score before the rows behind it are there: score a file");
    if (!std::getline(std::cin, header))
      throw Error(ErrorCode::data, "standard input: no line with names of columns");
    const std::filesystem::path path("standard input");
    const train::ImageSet none;
    const Threshold above = threshold(trained.learner.state().held_out_scores, none, data, std::nullopt);
    if (!above.warning.empty()) console.warning(above.warning);
    files::CsvLines lines(header, path);
    const files::CsvFields& first = lines.next();
    const std::vector<std::string> names(first.begin(), first.end());
    const train::RowCoder coder(data.table->fitted,
                                train::table_reading(data, {table_.label, table_.ignored}), names, path);
    print(console, "score,flagged,because\n");
    train::CodedRow row;
    for (std::string line; console.has_reader() && std::getline(std::cin, line);) {
      lines.append(line);
      if (lines.is_at_end()) continue;
      const files::CsvFields& fields = lines.next();
      coder.encode(lines, fields, row);
      const auto alone = std::make_shared<const train::ImageSet>(train::single_row(row, data));
      const train::RowScores scores = scorer.scores(train::bind_images(*trained.model, alone), *alone);
      print(console, files::csv_line(answer(scores, 0, above.value)));
    }
    return exit_code(ExitCode::ok);
  }

  static void print(Console& console, const std::string& line) {
    console.result(line);
    console.finish();
  }

  // ---- What is written ----

  static std::vector<std::string> answer(const train::RowScores& scores, std::size_t row, double threshold) {
    const double score = scores.scores[row];
    std::string names;
    for (const std::size_t column : train::surprising_columns(scores, row))
      names += (names.empty() ? "" : " ") + scores.columns[column];
    return {files::number_text(static_cast<float>(score)), score > threshold ? "1" : "0", names};
  }

  static void write(const std::string& out, const train::TableText& table, const Result& result) {
    const train::RowScores& scores = result.scores;
    std::vector<std::string> names = table.names();
    names.insert(names.end(), {"score", "flagged", "because"});
    for (const std::string& column : scores.columns) names.push_back("score." + column);
    require_unique(names, "the table has it already; rename it there");
    files::AtomicFile file(out);
    file.write(files::csv_line(names));
    std::size_t row = 0;
    std::size_t at = 0;
    table.for_each_row([&](const files::CsvLines& lines, const files::CsvFields& fields) {
      std::vector<std::string> cells = copied_row(lines, fields);
      if (at < scores.scores.size() && row_of(scores, at) == row)
        add_score(cells, scores, at++, result.threshold.value);
      if (scores.parts.file() != nullptr)
        scores.parts.file()->has_read(scores.columns.size() * sizeof(double));
      cells.resize(names.size());
      file.write(files::csv_line(cells));
      ++row;
    });
    file.commit();
  }

  static void add_score(std::vector<std::string>& cells, const train::RowScores& scores, std::size_t at,
                        double threshold) {
    for (std::string& cell : answer(scores, at, threshold)) cells.push_back(std::move(cell));
    for (std::size_t i = 0; i < scores.columns.size(); ++i)
      cells.push_back(files::number_text(static_cast<float>(scores.parts[at * scores.columns.size() + i])));
  }

  /// Rows are numbered from 1, as on the terminal.
  void write_windows(const train::ImageSet& examples, const train::RowScores& scores) const {
    if (scores.windows.empty())
      throw Error(ErrorCode::usage, "--windows: the model looks at rows one by one, not at windows of them");
    files::AtomicFile file(windows_);
    file.write("first_row,last_row,score\n");
    for (std::size_t i = 0; i < scores.windows.size(); ++i)
      file.write(fmt::format("{},{},{}\n", examples.window_rows[i * examples.height] + 1,
                             examples.window_rows[(i + 1) * examples.height - 1] + 1,
                             files::number_text(static_cast<float>(scores.windows[i]))));
    file.commit();
  }

  /// Is the share that is flagged what chance makes of the expected one?
  static std::string drift(const Result& result) {
    if (!result.threshold.expected) return {};
    const auto count = static_cast<double>(result.scores.scores.size());
    const double share = *result.threshold.expected;
    const double most = count * share + 3 * std::sqrt(count * share * (1 - share)) + 1;
    const auto flagged = static_cast<double>(result.flagged());
    if (flagged <= most)
      return fmt::format("{:.4g} % were expected of rows like those learnt from", share * 100);
    return fmt::format(
        "{:.4g} % were expected: many rows are odd, or the data are no longer like those learnt from",
        share * 100);
  }

  static std::string text_of(const Result& result, const train::TableText& table, const std::string& out) {
    const std::size_t count = result.scores.scores.size();
    const std::size_t flagged = result.flagged();
    std::string text =
        fmt::format("{} rows of {}, {} flagged ({:.3g} %): score above {:.5g}; {}\n",
                    files::grouped(static_cast<std::int64_t>(count)), table.path().filename().string(),
                    files::grouped(static_cast<std::int64_t>(flagged)),
                    100 * static_cast<double>(flagged) / static_cast<double>(count), result.threshold.value,
                    result.threshold.why);
    if (const std::string line = drift(result); !line.empty()) text += line + "\n";
    if (result.labelled) {
      const train::Detection& found = result.labelled->detection;
      text += fmt::format(
          "odd rows ({}): ROC-AUC {:.4f}, average precision {:.4f}, best F1 {:.4f} above {:.5g}\n",
          printable(result.labelled->odd), found.roc_auc, found.average_precision, found.best_f1,
          found.best_threshold);
    }
    return text + worst(result) + fmt::format("scores  {}\n", out);
  }

  static std::string worst(const Result& result) {
    const train::RowScores& scores = result.scores;
    std::string text;
    for (const std::size_t row : train::worst_rows(scores, worst_shown)) {
      text += fmt::format("row {:>7}  score {:.5g}", row_of(scores, row) + 1, scores.scores[row]);
      for (const std::size_t column : train::surprising_columns(scores, row))
        text += fmt::format("  {} {:.0f} %", printable(scores.columns[column]),
                            100 * scores.parts[row * scores.columns.size() + column] / scores.scores[row]);
      text += "\n";
    }
    return text;
  }

  static std::string json_of(const Result& result, const std::string& out) {
    JsonObject object;
    object.set("file", out)
        .set("count", result.scores.scores.size())
        .set("flagged", result.flagged())
        .set("threshold", result.threshold.value)
        .set("expected", result.threshold.expected);
    if (result.labelled) {
      const train::Detection& found = result.labelled->detection;
      object.set("odd", result.labelled->odd)
          .set("roc_auc", found.roc_auc)
          .set("average_precision", found.average_precision)
          .set("best_f1", found.best_f1)
          .set("best_threshold", found.best_threshold);
    }
    return object.text() + "\n";
  }

  TrainedFlags trained_;
  TableFlags table_;
  std::string out_;
  std::string threshold_;
  std::string expect_;
  std::string odd_;
  std::string windows_;
  bool follow_ = false;
};

}  // namespace

std::unique_ptr<Command> score_command() {
  return std::make_unique<ScoreCommand>();
}

}  // namespace graphrun::cli
