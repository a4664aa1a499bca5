#include <fmt/format.h>

#include <filesystem>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "cli/output/figures_text.hpp"
#include "cli/output/next_steps.hpp"
#include "cli/output/phases_text.hpp"
#include "cli/progress.hpp"
#include "cli/shell_word.hpp"
#include "cli/signals.hpp"
#include "graphrun/error.hpp"
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
  text += phases_text(model, result);
  text += fmt::format("weights {}\ndigest  {}\n", result.checkpoint.string(), result.digest);
  if (!result.picture.empty()) text += fmt::format("picture {}\n", result.picture.string());
  if (!result.report.empty()) text += fmt::format("report  {}\n", result.report.string());
  if (result.end == train::LoopEnd::finished) text += next_steps(model, result, program);
  return text;
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
    arguments.option(
        "--weights", weights_, "FILE",
        "begin with the weights of this safetensors file or run, as far as names and shapes fit");
    foreign_.declare(arguments);
    arguments.option("--max-steps", max_steps_, "N", "stop after N steps in all");
    arguments.flag("--tensorboard", tensorboard_,
                   "write figures and pictures for TensorBoard too, in tensorboard/ of the run directory");
  }

  bool handles_signals() const override { return true; }

  int run(Context& context) override {
    check();
    StopSignals signals;
    TrainingProgress progress(context.console);
    train::RunOptions options;
    options.out = out_;
    if (!weights_.empty())
      options.weights = fs::is_directory(weights_) ? train::newest_checkpoint(weights_).checkpoint.path()
                                                   : fs::path(weights_);
    options.session = session_options(context.flags);
    if (max_steps_) options.max_steps = static_cast<std::uint64_t>(*max_steps_);
    options.tensorboard = tensorboard_;
    options.stop = signals.token();
    SharedModel model;
    const train::RunResult result =
        resume_ ? resume(context, options, progress, model) : start(context, options, progress, model);
    context.console.result(context.flags.json ? json_of(*model, result, options.session.lowering.provider)
                                              : summary(*model, result, context.program));
    if (result.end == train::LoopEnd::finished) return exit_code(ExitCode::ok);
    context.console.warning(fmt::format("interrupted after step {}; {} train --resume {} continues it",
                                        result.steps, context.program,
                                        shell_word(result.directory.string())));
    return 128 + signals.received();
  }

 private:
  void check() {
    // `graphrun train --resume FILE.yaml`: the word after --resume was meant as the model.
    if (resume_ && file_.empty() && is_model_file(run_)) std::swap(file_, run_);
    if (file_.empty() && run_.empty())
      throw Error(ErrorCode::usage, "FILE is missing; usage: graphrun train FILE [FLAGS]");
    if (resume_ && !out_.empty())
      throw Error(ErrorCode::usage, "--resume continues in the run's own directory; leave --out away");
    if (resume_ && !weights_.empty())
      throw Error(ErrorCode::usage, "--resume takes the run's own weights; leave --weights away");
    if (max_steps_ && *max_steps_ < 1)
      throw Error(ErrorCode::usage, fmt::format("--max-steps {}: at least one step is needed", *max_steps_));
  }

  train::RunResult start(Context& context, const train::RunOptions& options, TrainingProgress& progress,
                         SharedModel& model) {
    model = model_from_file(file_, with_precision(context.flags));
    train::RunOptions begin = options;
    if (!options.weights.empty())
      begin.values = foreign_weights(*model, options.weights.string(), foreign_, context.console)
                         .value_or(train::Learner::Weights());
    return train::start_run(model, begin, progress);
  }

  train::RunResult resume(Context& context, const train::RunOptions& options, TrainingProgress& progress,
                          SharedModel& model) {
    if (!file_.empty()) model = model_from_file(file_, context.flags);
    // Locked before it is looked into: nobody adds a checkpoint meanwhile.
    train::RunDirectory run =
        train::RunDirectory::open(run_.empty() ? newest_run_of(*model) : fs::path(run_));
    run.lock();
    const train::FoundCheckpoint from = train::newest_checkpoint(run.folder());
    if (!model) model = model_from_checkpoint(from.checkpoint, context.flags);
    return train::resume_run(model, from, std::move(run), options, progress);
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
  std::string weights_;
  ForeignFlags foreign_;
  std::optional<std::int64_t> max_steps_;
  bool tensorboard_ = false;
};

}  // namespace

std::unique_ptr<Command> train_command() {
  return std::make_unique<TrainCommand>();
}

}  // namespace graphrun::cli
