#include "cli/model_source.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/finite.hpp"
#include "graphrun/error.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/needed_variables.hpp"
#include "weights/foreign.hpp"

namespace graphrun::cli {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> settings_of(const CommonFlags& flags) {
  std::vector<std::string> settings = flags.sets;
  if (flags.seed) settings.push_back(fmt::format("train.seed={}", *flags.seed));
  return settings;
}

}  // namespace

SharedModel model_from_file(const std::string& path, const CommonFlags& flags) {
  return train::load_definition(path, settings_of(flags));
}

SharedModel model_from_checkpoint(const train::Checkpoint& checkpoint, const CommonFlags& flags) {
  return train::parse_definition(checkpoint.model(), checkpoint.path().string() + ":model",
                                 settings_of(flags));
}

std::optional<Precision> precision_of(const CommonFlags& flags) {
  return flags.precision.empty() ? std::nullopt : precision_named(flags.precision);
}

runtime::SessionOptions session_options(const CommonFlags& flags) {
  runtime::SessionOptions options;
  options.threads = flags.threads;
  options.lowering.provider = runtime::provider_choice(flags.provider).value();
  options.lowering.precision = precision_of(flags);
  return options;
}

bool is_model_file(const std::string& path) {
  const std::string suffix = fs::path(path).extension();
  std::error_code ignored;
  return (suffix == ".yaml" || suffix == ".yml") && !fs::is_directory(path, ignored);
}

void ForeignFlags::declare(Arguments& arguments) {
  arguments.option("--from", from, "PROGRAM",
                   "who wrote the weights: torch, keras or graphrun (default: by their names)");
  arguments.option(
      "--map", map, "MODULE=LAYER",
      "which module of the file is which layer, such as 'encoder.{0,2}=enc.{0,1}'; may be repeated");
}

std::optional<train::Learner::Weights> foreign_weights(const ModelDefinition& model, const std::string& path,
                                                       const ForeignFlags& flags, Console& console,
                                                       const std::set<std::string>* needed) {
  const std::optional<weights::Convention> named = weights::convention_from(flags.from);
  if (!named && !flags.from.empty() && flags.from != "graphrun")
    throw Error(ErrorCode::usage, fmt::format("--from {}: there are torch, keras and graphrun", flags.from));
  if (flags.from == "graphrun") return std::nullopt;
  const files::SafetensorsFile file(path);
  const std::optional<weights::Convention> convention = named ? named : weights::guessed(model, file);
  if (!convention) return std::nullopt;
  weights::ForeignOptions options{*convention, {}, needed};
  for (const std::string& entry : flags.map)
    for (const weights::Correspondence& one : weights::correspondences(entry)) options.map.push_back(one);
  const weights::ForeignWeights found = weights::match(model, file, options);
  console.log(weights::table_of(found));
  return weights::read(found, file);
}

void TrainedFlags::declare(Arguments& arguments) {
  arguments.positional("RUN", source, "a run directory, a checkpoint, or a model file with --weights");
  arguments.option("--weights", weights, "FILE", "take the weights from this safetensors file or run");
  foreign.declare(arguments);
  arguments.flag("--best", best, "the run's best checkpoint instead of its newest");
}

TrainedModel open_trained(const TrainedFlags& trained, const CommonFlags& flags, Console& console,
                          const AskedOf& asked) {
  if (is_model_file(trained.source) && trained.weights.empty())
    throw Error(ErrorCode::usage,
                fmt::format("{} holds no weights; give a run directory instead, or add --weights FILE",
                            trained.source));
  if (is_model_file(trained.source) && !fs::is_directory(trained.weights)) {
    SharedModel model = model_from_file(trained.source, flags);
    train::Learner learner(model, session_options(flags));
    const std::set<std::string> needed = train::variables_behind(*model, asked.outputs, asked.given);
    const std::set<std::string>* const only = asked.outputs.empty() ? nullptr : &needed;
    if (const auto foreign = foreign_weights(*model, trained.weights, trained.foreign, console, only))
      learner.set_weights(*foreign);
    else
      train::restore_weights(learner, files::SafetensorsFile(trained.weights), only);
    require_finite(learner, trained.weights);
    return {std::move(model), std::move(learner), trained.weights};
  }
  const train::FoundCheckpoint found =
      train::find_checkpoint(trained.weights.empty() ? trained.source : trained.weights, trained.best);
  for (const std::string& note : found.notes) console.warning(note);
  SharedModel model = is_model_file(trained.source) ? model_from_file(trained.source, flags)
                                                    : model_from_checkpoint(found.checkpoint, flags);
  train::Learner learner(model, session_options(flags));
  train::restore(learner, found.checkpoint);
  require_finite(learner, found.checkpoint.path().string());
  return {std::move(model), std::move(learner), found.checkpoint.path().string()};
}

std::filesystem::path metrics_file(const TrainedFlags& trained) {
  const std::filesystem::path source = trained.source;
  return std::filesystem::is_directory(source) ? source / "metrics.csv" : std::filesystem::path();
}

std::string default_output(const TrainedFlags& trained, const std::string& name) {
  return fs::is_directory(trained.source) ? (fs::path(trained.source) / name).string() : name;
}

}  // namespace graphrun::cli
