#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/failure.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "cli/output/figures_text.hpp"
#include "cli/output/next_steps.hpp"
#include "cli/output/phases_text.hpp"
#include "cli/progress.hpp"
#include "cli/shell_word.hpp"
#include "cli/signals.hpp"
#include "graphrun/error.hpp"
#include "ranks/rank_team.hpp"
#include "ranks/shared_cores.hpp"
#include "train/run/run.hpp"

namespace graphrun::cli {

namespace {

namespace fs = std::filesystem;

std::string json_of(const ModelDefinition& model, const train::RunResult& result,
                    runtime::ProviderChoice provider) {
  files::JsonObject object;
  object.set("run_dir", result.directory.string())
      .set("checkpoint", result.checkpoint.string())
      .set("epochs", result.epochs)
      .set("steps", result.steps)
      .set("seconds", result.seconds);
  files::JsonObject train_figures;
  object.set("train", set_figures(train_figures, result.train));
  files::JsonObject test_figures;
  if (result.test) set_figures(test_figures, *result.test);
  files::JsonObject validation_figures;
  if (result.validation) object.set("validation", set_figures(validation_figures, *result.validation));
  object.set("test", test_figures).set("digest", result.digest);
  object.set("provider", std::string(to_string(effective(provider))));
  object.set("precision", std::string(to_string(model.precision())));
  if (!result.report.empty()) object.set("report", result.report.string());
  set_phases(object, model, result);
  return object.text() + "\n";
}

std::string summary(const ModelDefinition& model, const train::RunResult& result,
                    const std::string& program) {
  std::string text =
      fmt::format("{} steps, {} epochs in {}\n", files::grouped(static_cast<std::int64_t>(result.steps)),
                  result.epochs, files::duration_text(result.seconds));
  if (!result.train.values.empty()) text += fmt::format("train   {}\n", text_of(result.train));
  if (result.validation) text += fmt::format("valid   {}\n", text_of(*result.validation));
  if (result.test) text += fmt::format("test    {}\n", text_of(*result.test));
  if (result.test || result.validation) text += parts_text(result.test ? *result.test : *result.validation);
  text += phases_text(model, result);
  text += fmt::format("weights {}\ndigest  {}\n", result.checkpoint.string(), result.digest);
  if (!result.picture.empty()) text += fmt::format("picture {}\n", result.picture.string());
  if (!result.report.empty()) text += fmt::format("report  {}\n", result.report.string());
  if (result.end == train::LoopEnd::finished) text += next_steps(model, result, program);
  return text;
}

bool has_shards(const ModelDefinition& model) {
  return model.train && model.train->shards;
}

class TrainCommand final : public Command {
 public:
  std::string name() const override { return "train"; }
  std::string about() const override { return "Learns the model in FILE, or continues a run."; }

  void declare(Arguments& arguments) override {
    arguments.positional("FILE", file_, "the model file; may be left out with --resume DIR", false);
    arguments.option_with_default(
        "--resume", resume_, run_, "DIR",
        "continue the run in DIR, or the newest run of the model, to the same bits");
    arguments.option("--out", out_, "DIR",
                     "the run directory; it must not be there yet (default runs/NAME-N)");
    weights_.declare(
        arguments,
        "begin with the weights of this safetensors file or run, as far as names and shapes fit; "
        "of several, each fills in and overrides");
    arguments.option("--max-steps", max_steps_, "N", "stop after N steps in all");
    arguments.flag("--tensorboard", tensorboard_,
                   "write figures and pictures for TensorBoard too, in tensorboard/ of the run directory");
    arguments.flag("--mpi", mpi_,
                   "learn with the other processes of an MPI launcher that is not recognised by itself");
  }

  bool handles_signals() const override { return true; }

  int run(Context& context) override {
    check();
    StopSignals signals;
    if (!mpi_ && ranks::launched_ranks() == 1) return run(context, context.flags, signals, nullptr);
    std::shared_ptr<ranks::RankTeam> team;
    try {
      team = ranks::join(signals.token());
      return run_as_member(context, signals, team);
    } catch (...) {
      if (team == nullptr) throw;  // as what failed before
      await_turn(*team, signals);
      team->abort(report(std::current_exception(), {}));
    }
  }

 private:
  int run(Context& context, const CommonFlags& flags, const StopSignals& signals,
          const std::shared_ptr<ranks::RankTeam>& team) {
    TrainingProgress progress(context.console);
    train::RunObserver nobody;
    const bool writes = team == nullptr || team->member() == 0;
    train::RunObserver& observer = writes ? static_cast<train::RunObserver&>(progress) : nobody;
    train::RunOptions options;
    options.out = out_;
    options.weights = weights_.recipes();
    options.weights_map = weights_.map;
    options.session = session_options(flags);
    if (max_steps_) options.max_steps = static_cast<std::uint64_t>(*max_steps_);
    options.tensorboard = tensorboard_;
    options.stop = team == nullptr ? signals.token() : team->stop();
    options.team = team;
    SharedModel model;
    const train::RunResult result =
        resume_ ? resume(flags, options, observer, model) : start(flags, options, observer, model);
    if (!writes) return exit_code(ExitCode::ok);
    context.console.result(flags.json ? json_of(*model, result, options.session.lowering.provider)
                                      : summary(*model, result, context.program));
    if (result.end == train::LoopEnd::finished) return exit_code(ExitCode::ok);
    context.console.warning(fmt::format("{} after step {}; {} train --resume {} continues it",
                                        why_ended(signals, team), result.steps, context.program,
                                        shell_word(result.directory.string())));
    return signals.received() == 0 ? exit_code(ExitCode::failed) : 128 + signals.received();
  }

  static std::string why_ended(const StopSignals& signals, const std::shared_ptr<ranks::RankTeam>& team) {
    if (team == nullptr || !team->lost()) return "interrupted";
    if (signals.received() != 0) return "interrupted, or left alone by a process that failed,";
    return *team->lost() + "; ended";
  }

  /// The same as everybody else, and for those that do not write in silence.
  int run_as_member(Context& context, const StopSignals& signals,
                    const std::shared_ptr<ranks::RankTeam>& team) {
    CommonFlags flags = context.flags;
    const int threads = own_threads(*team);  // all say what they have, also who needs no answer
    if (flags.threads == 0) flags.threads = threads;
    const bool names_shards = std::any_of(flags.sets.begin(), flags.sets.end(), [](const std::string& set) {
      return set.starts_with("train.shards=");
    });
    if (team->members() > 1 && !resume_ && !names_shards && !has_shards(*model_from_file(file_, flags))) {
      flags.sets.push_back(fmt::format("train.shards={}", team->members()));
      if (team->member() == 0)
        context.console.log(
            fmt::format("{} processes: the run has `train.shards: {}`, and can be continued by 1 to {} "
                        "processes to the same bits",
                        team->members(), team->members(), team->members()));
    }
    return run(context, flags, signals, team);
  }

  static int own_threads(ranks::RankTeam& team) {
    std::vector<ranks::OwnCores> all;
    for (const std::string& text : team.gather(to_text(ranks::own_cores())))
      all.push_back(ranks::cores_in(text));
    return ranks::threads_of(static_cast<std::size_t>(team.member()), all);
  }

  /// Before a failure is told. What fails in all processes the first one tells, and ends the others, which
  /// wait for that and do not return from here. What fails in one of them alone, that one tells, with its
  /// number.
  static void await_turn(const ranks::RankTeam& team, const StopSignals& signals) {
    using namespace std::chrono_literals;
    // Whoever failed has spoken.
    if (team.lost() && signals.received() != 0) std::_Exit(128 + signals.received());
    if (team.member() == 0) return;
    for (auto waited = 0ms; waited < ranks::others_wait; waited += 10ms) {
      if (signals.received() != 0) std::_Exit(exit_code(ExitCode::failed));
      std::this_thread::sleep_for(10ms);
    }
    std::fputs(fmt::format("process {} of {}: ", team.member() + 1, team.members()).c_str(), stderr);
  }

  void check() {
    // `graphrun train --resume FILE.yaml`: the word after --resume was meant as the model.
    if (resume_ && file_.empty() && is_model_file(run_)) std::swap(file_, run_);
    if (file_.empty() && run_.empty())
      throw Error(ErrorCode::usage, "FILE is missing; usage: graphrun train FILE [FLAGS]");
    if (resume_ && !out_.empty())
      throw Error(ErrorCode::usage, "--resume continues in the run's own directory; leave --out away");
    if (resume_ && !weights_.files.empty())
      throw Error(ErrorCode::usage, "--resume takes the run's own weights; leave --weights away");
    if (max_steps_ && *max_steps_ < 1)
      throw Error(ErrorCode::usage, fmt::format("--max-steps {}: at least one step is needed", *max_steps_));
  }

  train::RunResult start(const CommonFlags& flags, const train::RunOptions& options,
                         train::RunObserver& observer, SharedModel& model) {
    model = model_from_file(file_, with_precision(flags));
    return train::start_run(model, options, observer);
  }

  train::RunResult resume(const CommonFlags& flags, const train::RunOptions& options,
                          train::RunObserver& observer, SharedModel& model) {
    if (!file_.empty()) model = model_from_file(file_, flags);
    // Locked before it is looked into: nobody adds a checkpoint meanwhile.
    train::RunDirectory run =
        train::RunDirectory::open(run_.empty() ? newest_run_of(*model) : fs::path(run_));
    if (options.team == nullptr || options.team->member() == 0) run.lock();
    const train::FoundCheckpoint from = train::newest_checkpoint(run.folder());
    if (!model) model = model_from_checkpoint(from.checkpoint, flags);
    return train::resume_run(model, from, std::move(run), options, observer);
  }

  /// The record of a run is its model, which says its precision.
  static CommonFlags with_precision(CommonFlags flags) {
    if (!flags.precision.empty()) flags.sets.push_back("train.precision=" + flags.precision);
    return flags;
  }

  static fs::path newest_run_of(const ModelDefinition& model) {
    if (const auto run = train::newest_run(model.name)) return *run;
    throw Error(
        ErrorCode::usage,
        fmt::format("there is no run of '{}' below runs/ to continue; give its directory: --resume DIR",
                    model.name));
  }

  std::string file_;
  bool resume_ = false;
  std::string run_;
  std::string out_;
  WeightsFlags weights_;
  std::optional<std::int64_t> max_steps_;
  bool tensorboard_ = false;
  bool mpi_ = false;
};

}  // namespace

std::unique_ptr<Command> train_command() {
  return std::make_unique<TrainCommand>();
}

}  // namespace graphrun::cli
