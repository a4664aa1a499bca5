#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/figures_text.hpp"
#include "cli/json.hpp"
#include "cli/signals.hpp"
#include "cli/suggest.hpp"
#include "graphrun/error.hpp"
#include "train/fetch.hpp"
#include "train/find_dataset.hpp"
#include "train/verified_sums.hpp"

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

JsonObject json_of(const train::FoundDataset& found) {
  return JsonObject()
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

class DataCommand final : public Command {
 public:
  std::string name() const override { return "data"; }
  std::string about() const override {
    return "Data sets by name: list (default), fetch NAME into the cache, verify NAME.";
  }
  void declare(Arguments& arguments) override {
    arguments.positional("ACTION", action_, "list, fetch or verify", false);
    arguments.positional("NAME", name_, "a data set; list and verify: all when left out", false);
  }

  int run(Context& context) override {
    if (action_.empty() || action_ == "list") return list(context);
    if (action_ == "verify") return verify(context);
    if (action_ == "fetch") return fetch(context);
    const std::vector<std::string> actions{"list", "fetch", "verify"};
    throw Error(ErrorCode::usage,
                fmt::format("graphrun data has no action '{}': there are list, fetch and verify{}", action_,
                            did_you_mean(action_, actions)));
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
    JsonArray array;
    for (const train::FoundDataset& found : find()) {
      text += fmt::format("{}: {}\n  {}\n  licence: {}\n", found.dataset->name, state_text(found),
                          found.dataset->about, found.dataset->licence);
      for (const std::string& note : found.notes) text += fmt::format("  {}\n", note);
      array.add(json_of(found));
    }
    context.console.result(context.flags.json ? JsonObject().set("datasets", array).text() + "\n" : text);
    return exit_code(ExitCode::ok);
  }

  /// A data set that is not there in full fails the check.
  int verify(Context& context) const {
    std::vector<train::FoundDataset> all = find();
    for (train::FoundDataset& found : all) read_again(found);
    const bool ok = std::all_of(all.begin(), all.end(), [](const train::FoundDataset& found) {
      return !found.wrong && found.state == train::DatasetState::full;
    });
    std::string text;
    JsonArray array;
    for (const train::FoundDataset& found : all) {
      text += fmt::format("{}: {}\n", found.dataset->name, state_text(found));
      array.add(json_of(found));
    }
    context.console.result(
        context.flags.json ? JsonObject().set("ok", ok).set("datasets", array).text() + "\n" : text);
    return exit_code(ok ? ExitCode::ok : ExitCode::check_failed);
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
          fmt::format("{}: {} of {} KB", file, grouped(static_cast<std::int64_t>(received / 1000)),
                      total == 0 ? "?" : grouped(static_cast<std::int64_t>(total / 1000))));
    };
    std::string text;
    JsonArray files;
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
    context.console.result(context.flags.json ? JsonObject().set("files", files).text() + "\n" : text);
    return exit_code(ExitCode::ok);
  }

  std::string action_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> data_command() {
  return std::make_unique<DataCommand>();
}

}  // namespace graphrun::cli
