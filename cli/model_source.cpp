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
#include "weights/gather.hpp"

namespace graphrun::cli {

namespace fs = std::filesystem;

namespace {

/// A model without `train:` has no seed to replace: what a command draws by itself, it draws by the flag.
template <class Load>
SharedModel with_seed(const CommonFlags& flags, const Load& load) {
  SharedModel model = load(flags.sets);
  if (!flags.seed || !model->train) return model;
  std::vector<std::string> settings = flags.sets;
  settings.push_back(fmt::format("train.seed={}", *flags.seed));
  return load(settings);
}

}  // namespace

SharedModel model_from_file(const std::string& path, const CommonFlags& flags) {
  return with_seed(flags, [&](const std::vector<std::string>& settings) {
    return train::load_definition(path, settings);
  });
}

SharedModel model_from_checkpoint(const train::Checkpoint& checkpoint, const CommonFlags& flags) {
  return with_seed(flags, [&](const std::vector<std::string>& settings) {
    return train::parse_definition(checkpoint.model(), checkpoint.path().string() + ":model", settings);
  });
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

void WeightsFlags::declare(Arguments& arguments, const std::string& help) {
  arguments.option("--weights", files, "FILE", help);
  arguments.option("--from", from, "PROGRAM",
                   "who wrote the weights: torch, keras or graphrun (default: by their names)");
  arguments.option(
      "--map", map, "MODULE=LAYER",
      "which module of the file is which layer, such as 'encoder.{0,2}=enc.{0,1}'; may be repeated");
}

std::vector<WeightsRecipe> WeightsFlags::recipes() const {
  std::vector<WeightsRecipe> recipes;
  for (const std::string& file : files)
    recipes.push_back(
        {fs::is_directory(file) ? train::newest_checkpoint(file).checkpoint.path().string() : file,
         from,
         {},
         {}});
  return recipes;
}

void TrainedFlags::declare(Arguments& arguments) {
  arguments.positional("RUN", source, "a run directory, a checkpoint, or a model file with --weights");
  weights.declare(
      arguments,
      "take the weights from this safetensors file or run; of several, each fills in and overrides");
  arguments.flag("--best", best, "the run's best checkpoint instead of its newest");
}

namespace {

std::set<std::string> all_variables(const ModelDefinition& model) {
  std::set<std::string> names;
  for (const Node& node : model.graph.nodes())
    if (node.op->traits.variable) names.insert(node.name);
  return names;
}

std::string names_of(const std::vector<WeightsRecipe>& files) {
  std::string names;
  for (const WeightsRecipe& file : files) names += (names.empty() ? "" : ", ") + file.file;
  return names;
}

/// Weights for a model file; no more of them than is asked for.
void take_weights(train::Learner& learner, const std::vector<WeightsRecipe>& files,
                  const std::vector<std::string>& map, const AskedOf& asked, Console& console) {
  const ModelDefinition& model = learner.model();
  const std::set<std::string> needed = asked.outputs.empty()
                                           ? all_variables(model)
                                           : train::variables_behind(model, asked.outputs, asked.given);
  if (files.size() == 1 && map.empty() && files[0].map.empty() && !weights::is_foreign(model, files[0])) {
    weights::at_place_of(files[0], [&] {
      train::restore_weights(learner, files::SafetensorsFile(files[0].file),
                             asked.outputs.empty() ? nullptr : &needed);
    });
    return;
  }
  const weights::Gathered found = weights::gathered(model, files, {.map = map, .needed = &needed});
  for (const std::string& line : found.table) console.log(line);
  if (files.size() > 1)
    for (const std::string& note : found.notes) console.log(note);
  learner.set_weights(found.values);
}

/// Those of the model itself, where none are given.
std::vector<WeightsRecipe> weights_for(const TrainedFlags& trained, const ModelDefinition& model) {
  std::vector<WeightsRecipe> files = trained.weights.recipes();
  if (files.empty()) files = model.weights;
  if (files.empty())
    throw Error(ErrorCode::usage,
                fmt::format("{} holds no weights; give a run directory instead, or add --weights FILE",
                            trained.source));
  return files;
}

}  // namespace

TrainedModel open_trained(const TrainedFlags& trained, const CommonFlags& flags, Console& console,
                          const AskedOf& asked) {
  const std::vector<std::string>& given = trained.weights.files;
  if (given.size() > 1 && !is_model_file(trained.source))
    throw Error(ErrorCode::usage,
                "several files of weights need a model file, which says what they are put into");
  if (is_model_file(trained.source) && (given.size() != 1 || !fs::is_directory(given.front()))) {
    SharedModel model = model_from_file(trained.source, flags);
    const std::vector<WeightsRecipe> files = weights_for(trained, *model);
    train::Learner learner(model, session_options(flags));
    take_weights(learner, files, trained.weights.map, asked, console);
    require_finite(learner, names_of(files));
    return {std::move(model), std::move(learner), names_of(files)};
  }
  const train::FoundCheckpoint found =
      train::find_checkpoint(given.empty() ? trained.source : given.front(), trained.best);
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
