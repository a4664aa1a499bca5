#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/output/figures_text.hpp"
#include "cli/signals.hpp"
#include "cli/suggest.hpp"
#include "files/csv.hpp"
#include "files/file_kind.hpp"
#include "files/number_text.hpp"
#include "graphrun/error.hpp"
#include "train/datasets/find_dataset.hpp"
#include "train/datasets/load_table.hpp"
#include "train/datasets/tables/fit_table.hpp"
#include "train/datasets/tables/table_survey.hpp"
#include "train/datasets/verified_sums.hpp"
#include "train/fetch/fetch.hpp"

namespace graphrun::cli {

namespace {

const char* state_name(train::DatasetState state) {
  switch (state) {
    case train::DatasetState::full:
      return "full";
    case train::DatasetState::subset:
      return "subset";
    case train::DatasetState::missing:
      return "missing";
  }
  return "";
}

std::string state_text(const train::FoundDataset& found) {
  if (found.wrong) return "wrong: " + *found.wrong;
  switch (found.state) {
    case train::DatasetState::full:
      return "verified, in " + found.folder.string();
    case train::DatasetState::subset:
      return "only the small subset that comes with graphrun, in " + found.folder.string();
    case train::DatasetState::missing:
      return fmt::format("not found; graphrun data fetch {}", found.dataset->name);
  }
  return "";
}

files::JsonObject json_of(const train::FoundDataset& found) {
  return files::JsonObject()
      .set("name", found.dataset->name)
      .set("state", state_name(found.state))
      .set("folder", found.folder.string())
      .set("wrong", found.wrong.value_or(""));
}

/// Finding believes remembered sums; verifying reads every byte.
void read_again(train::FoundDataset& found) {
  if (found.state != train::DatasetState::full) return;
  const std::array<std::filesystem::path, 4> paths{found.files.train.images, found.files.train.labels,
                                                   found.files.test.images, found.files.test.labels};
  for (std::size_t i = 0; i < paths.size(); ++i)
    if (train::decompressed_sha256(paths[i]) != found.dataset->files[i].sha256)
      found.wrong = paths[i].string() + " has other contents than it should";
}

struct Range {
  double lowest = 0;
  double highest = 0;
};

Range range_of(const train::ImageSet& set) {
  Range range{set.value(0), set.value(0)};
  for (std::size_t i = 0; i < set.count * set.values_per_image(); ++i) {
    range.lowest = std::min(range.lowest, set.value(i));
    range.highest = std::max(range.highest, set.value(i));
  }
  return range;
}

std::map<std::int32_t, std::int64_t> counts_of(const std::vector<std::int32_t>& labels) {
  std::map<std::int32_t, std::int64_t> counts;
  for (const std::int32_t label : labels) ++counts[label];
  return counts;
}

std::string name_of(const train::ImageSet& set, std::int32_t label) {
  return set.class_names.empty() ? "" : set.class_names[static_cast<std::size_t>(label)];
}

std::string json_of(const train::ImageSet& set) {
  const Range range = range_of(set);
  files::JsonArray labels;
  for (const auto& [label, count] : counts_of(set.labels))
    labels.add(files::JsonObject().set("label", label).set("name", name_of(set, label)).set("count", count));
  return files::JsonObject()
             .set("count", set.count)
             .set("height", set.height)
             .set("width", set.width)
             .set("channels", set.channels)
             .set("pictures", set.are_pictures)
             .set("pixels", set.are_pixels())
             .set("lowest", range.lowest)
             .set("highest", range.highest)
             .set("labels", labels)
             .text() +
         "\n";
}

std::string text_of(const train::ImageSet& set) {
  const Range range = range_of(set);
  const std::string what =
      set.are_pictures
          ? fmt::format("pictures of {} x {} x {} {}", set.height, set.width, set.channels,
                        set.are_pixels() ? "pixels" : "numbers")
          : fmt::format("rows of {} {}", set.values_per_image(), set.are_pixels() ? "pixels" : "numbers");
  std::string text =
      fmt::format("{} {}; a model is given {:.6g} to {:.6g}\n",
                  files::grouped(static_cast<std::int64_t>(set.count)), what, range.lowest, range.highest);
  if (!set.has_labels()) return text + "no labels\n";
  for (const auto& [label, count] : counts_of(set.labels))
    text += fmt::format("label {:>3}{}{}: {}\n", label, set.class_names.empty() ? "" : " ",
                        name_of(set, label), files::grouped(count));
  return text;
}

/// Numbers with a fraction are something to learn, and no labels.
bool holds_classes(const train::ColumnSurvey& column) {
  return !column.holds_numbers() || std::ranges::none_of(column.values, [](const std::string& text) {
    const std::optional<double> number = files::number_in<double>(text);
    return number && *number != std::floor(*number);
  });
}

class DataCommand final : public Command {
 public:
  std::string name() const override { return "data"; }
  std::string about() const override {
    return "Data sets by name: list (default), fetch NAME, verify NAME; show FILE: what a file of your own "
           "holds.";
  }
  void declare(Arguments& arguments) override {
    arguments.positional("ACTION", action_, "list, fetch, verify or show", false);
    arguments.positional(
        "NAME", name_,
        "a data set; list and verify: all when left out; show: an IDX, NPY, CSV or picture file, or a "
        "folder of pictures or of tables",
        false);
    arguments.option("--labels", labels_, "FILE", "show: the labels that go with it");
    arguments.option("--label-column", label_column_, "NAME",
                     "show: the column of a CSV that holds the labels");
  }

  bool handles_signals() const override { return action_ == "fetch"; }
  int run(Context& context) override {
    if (action_.empty() || action_ == "list") return list(context);
    if (action_ == "verify") return verify(context);
    if (action_ == "fetch") return fetch(context);
    if (action_ == "show") return show(context);
    const std::vector<std::string> actions{"list", "fetch", "verify", "show"};
    throw Error(ErrorCode::usage,
                fmt::format("graphrun data has no action '{}': there are list, fetch, verify and show{}",
                            action_, did_you_mean(action_, actions)));
  }

 private:
  std::vector<train::FoundDataset> find() const {
    const train::DataFolders folders = train::DataFolders::from_environment();
    std::vector<train::FoundDataset> all;
    for (const train::KnownDataset& dataset : train::known_datasets())
      if (name_.empty() || name_ == dataset.name) all.push_back(train::find_dataset(dataset.name, folders));
    if (all.empty()) train::known_dataset(name_);
    return all;
  }

  int list(Context& context) const {
    std::string text;
    files::JsonArray array;
    for (const train::FoundDataset& found : find()) {
      text += fmt::format("{}: {}\n  {}\n  licence: {}\n", found.dataset->name, state_text(found),
                          found.dataset->about, found.dataset->licence);
      for (const std::string& note : found.notes) text += fmt::format("  {}\n", note);
      array.add(json_of(found));
    }
    return answer(context, files::JsonObject().set("datasets", array), text);
  }

  /// A data set that is not there in full fails the check.
  int verify(Context& context) const {
    std::vector<train::FoundDataset> all = find();
    for (train::FoundDataset& found : all) read_again(found);
    const bool ok = std::all_of(all.begin(), all.end(), [](const train::FoundDataset& found) {
      return !found.wrong && found.state == train::DatasetState::full;
    });
    std::string text;
    files::JsonArray array;
    for (const train::FoundDataset& found : all) {
      text += fmt::format("{}: {}\n", found.dataset->name, state_text(found));
      array.add(json_of(found));
    }
    return answer(context, files::JsonObject().set("ok", ok).set("datasets", array), text,
                  ok ? ExitCode::ok : ExitCode::check_failed);
  }

  int show(Context& context) const {
    if (name_.empty()) throw Error(ErrorCode::usage, "FILE is missing; usage: graphrun data show FILE");
    if (const std::optional<std::string> table = as_table(context)) {
      context.console.result(*table);
      return exit_code(ExitCode::ok);
    }
    const train::ImageSet set = train::load_images({name_, labels_, label_column_});
    for (const std::string& note : set.notes) context.console.warning(note);
    context.console.result(context.flags.json ? json_of(set) : text_of(set));
    return exit_code(ExitCode::ok);
  }

  /// What `table:` makes of a CSV whose columns are not all numbers; nothing of other files.
  std::optional<std::string> as_table(Context& context) const {
    const bool is_asked = labels_.empty() && label_column_.empty();
    if (!is_asked || !train::is_table(name_)) return std::nullopt;
    const train::TableText text{std::filesystem::path(name_)};
    const train::TableSurvey survey = train::survey(text, {});
    const bool all_numbers = std::ranges::all_of(survey.columns, [](const train::ColumnSurvey& column) {
      return column.name == files::label_column ? holds_classes(column) : column.holds_numbers();
    });
    if (all_numbers && !std::filesystem::is_directory(name_)) return std::nullopt;
    if (!text.note().empty()) context.console.warning(fmt::format("{}: {}", name_, text.note()));
    DataRecipe data;
    data.train.emplace().images = name_;
    data.table = TableRecipe{};
    const std::string columns = train::described(train::fit_table(data));
    if (context.flags.json)
      return files::JsonObject().set("count", survey.rows).set("columns", columns).text() + "\n";
    return fmt::format("{} rows, as train: {{table: {}}}\n{}\n", survey.rows, name_, columns);
  }

  int fetch(Context& context) const {
    if (name_.empty()) throw Error(ErrorCode::usage, "NAME is missing; usage: graphrun data fetch NAME");
    const train::KnownDataset& dataset = train::known_dataset(name_);
    StopSignals signals;
    train::FetchOptions options;
    options.cache = train::DataFolders::from_environment().cache;
    options.mirrors = train::mirrors_from_environment();
    options.stop = signals.token();
    options.on_progress = [&](std::string_view file, std::uint64_t received, std::uint64_t total) {
      context.console.progress(
          fmt::format("{}: {} of {} KB", file, files::grouped(static_cast<std::int64_t>(received / 1000)),
                      total == 0 ? "?" : files::grouped(static_cast<std::int64_t>(total / 1000))));
    };
    std::string text;
    files::JsonArray files;
    try {
      for (const train::FetchedFile& file : train::fetch_dataset(dataset, options)) {
        text +=
            fmt::format("{} {}\n", file.path.string(), file.url.empty() ? "was there" : "from " + file.url);
        files.add(file.path.string());
      }
    } catch (const Error& error) {
      if (error.code() != ErrorCode::cancelled || signals.received() == 0) throw;
      context.console.warning("interrupted; what has arrived is kept and will be continued");
      return 128 + signals.received();
    }
    return answer(context, files::JsonObject().set("files", files), text);
  }

  std::string action_;
  std::string name_;
  std::string labels_;
  std::string label_column_;
};

}  // namespace

std::unique_ptr<Command> data_command() {
  return std::make_unique<DataCommand>();
}

}  // namespace graphrun::cli
