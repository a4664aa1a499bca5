#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "errors/nearest.hpp"
#include "graph/needed.hpp"
#include "graph/op.hpp"
#include "language/recipe/section_reader.hpp"
#include "language/recipe/sections.hpp"

namespace graphrun {
namespace {

std::vector<std::string> with_keys(std::vector<std::string> keys, std::initializer_list<const char*> more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

std::vector<std::string> names_of(const std::vector<PhaseRecipe>& phases) {
  std::vector<std::string> names;
  for (const PhaseRecipe& phase : phases) names.push_back(phase.name);
  return names;
}

/// What a list of names says, if it is written here.
std::optional<std::string> written_names(const YamlNode& section, const char* key) {
  const YamlNode* list = section.find(key);
  if (list == nullptr) return std::nullopt;
  std::string names;
  for (const YamlNode& item : list->items) names += (names.empty() ? "" : ", ") + item.text;
  return names;
}

/// What the keys of a phase may name.
struct PhaseNames {
  const std::map<std::string, std::vector<NodeId>>& owners;  ///< of variables, by path
  std::vector<std::string> terms;                            ///< of the loss
  std::vector<std::string> metrics;                          ///< probes included
  const std::vector<LossTerm>& loss;                         ///< the terms that could be made
};

/// Reports what is wrong and goes on with what is left.
class PhaseReader {
 public:
  PhaseReader(PhaseNames names, Expansion& expansion) : names_(std::move(names)), expansion_(expansion) {}

  /// The keys of `train:` itself, which all phases inherit.
  void read_defaults(const YamlNode& section, TrainRecipe& recipe);
  /// One entry of `phases:`; `earlier` are those before it. Nothing when it is no mapping or has no name.
  std::optional<PhaseRecipe> read(const YamlNode& section, const PhaseRecipe& defaults,
                                  const std::vector<PhaseRecipe>& earlier);
  /// What holds for a phase as a whole: that it says how long, that it learns something, that draws differ.
  void check(const YamlNode& section, const PhaseRecipe& phase);

 private:
  void read_keys(SectionReader& reader, PhaseRecipe& phase);
  void read_length(SectionReader& reader, PhaseRecipe& phase);
  void read_what(SectionReader& reader, PhaseRecipe& phase);
  std::vector<StepRecipe> read_alternate(const YamlNode& list, const PhaseRecipe& phase);
  std::optional<SubsetRecipe> read_subset(const YamlNode& section);
  std::optional<StopRule> read_stop(const YamlNode& section);
  /// The variables that `train:` names, and the terms that `loss:` does.
  std::vector<NodeId> read_variables(SectionReader& reader);
  std::vector<std::size_t> read_terms(SectionReader& reader);
  std::string read_name(const YamlNode& section, const std::vector<PhaseRecipe>& earlier);
  void check_learns(const YamlNode& at, const StepRecipe& step);

  PhaseNames names_;
  Expansion& expansion_;
};

void PhaseReader::read_defaults(const YamlNode& section, TrainRecipe& recipe) {
  SectionReader reader(section, expansion_);
  reader.check(section_of("train"));
  recipe.where = reader.where();
  read_keys(reader, recipe);
}

std::optional<PhaseRecipe> PhaseReader::read(const YamlNode& section, const PhaseRecipe& defaults,
                                             const std::vector<PhaseRecipe>& earlier) {
  SectionReader reader(section, expansion_);
  if (!reader.is_mapping("a phase is a mapping", "Write e.g. {name: fine, epochs: 5}.")) return std::nullopt;
  reader.check(section_of("phase"));
  PhaseRecipe phase = defaults;
  phase.start = earlier.empty() ? "init" : earlier.back().name;
  if (const auto other = reader.name("same_as", names_of(earlier), "earlier phase")) {
    phase = *std::find_if(earlier.begin(), earlier.end(),
                          [&other](const PhaseRecipe& candidate) { return candidate.name == *other; });
    phase.same_as = *other;
    for (const char* const key : {"subset", "draws"}) {
      if (const YamlNode* found = reader.find(key))
        reader.wrong(*found,
                     fmt::format("`same_as: {}` takes its {}, so that the draws are pairs", *other, key),
                     fmt::format("Leave `{}:` out.", key));
    }
  }
  phase.name = read_name(section, earlier);
  if (phase.name.empty()) return std::nullopt;
  phase.where = reader.where();
  read_keys(reader, phase);
  reader.read(phase_rows, phase);
  const std::vector<std::string> starts = with_keys(names_of(earlier), {"init"});
  if (const auto start = reader.name("start", starts, "earlier phase")) phase.start = *start;
  check(section, phase);
  return phase;
}

std::string PhaseReader::read_name(const YamlNode& section, const std::vector<PhaseRecipe>& earlier) {
  Diagnostics& diagnostics = expansion_.diagnostics;
  const YamlNode* name = section.find("name");
  if (name == nullptr) {
    diagnostics.error(section.place, "this phase has no name", "Write e.g. name: fine.");
    return {};
  }
  if (name->is_empty()) return {};
  const bool usable = name->is_scalar() && is_identifier(name->text) && name->text != "init";
  if (!usable) {
    diagnostics.error(name->place,
                      name->is_scalar() ? fmt::format("'{}' cannot name a phase", name->text)
                                        : fmt::format("`name:` is a text, not {}", describe_kind(*name)),
                      name->text == "init" ? "It stands for the first weights."
                                           : "A name has letters, digits and _, and starts with a letter.");
    return {};
  }
  const std::vector<std::string> taken = names_of(earlier);
  if (std::find(taken.begin(), taken.end(), name->text) != taken.end()) {
    diagnostics.error(name->place, fmt::format("there is a phase '{}' already", name->text),
                      "Give each a name of its own.");
    return {};
  }
  return name->text;
}

void PhaseReader::read_keys(SectionReader& reader, PhaseRecipe& phase) {
  if (const YamlNode* optimizer = reader.find("optimizer"))
    phase.optimizer = read_optimizer(*optimizer, expansion_);
  read_length(reader, phase);
  read_what(reader, phase);
  if (reader.has("optimizer") && !reader.has("alternate"))
    for (StepRecipe& inherited : phase.alternate) inherited.optimizer = phase.optimizer;
  if (const YamlNode* subset = reader.find("subset")) phase.subset = read_subset(*subset);
  if (const YamlNode* stop = reader.find("stop")) phase.stop = read_stop(*stop);
}

void PhaseReader::read_length(SectionReader& reader, PhaseRecipe& phase) {
  if (reader.has("epochs") && reader.has("steps"))
    reader.wrong(*reader.find("steps"), "`epochs` and `steps` cannot both be given", "Leave one out.");
  if (reader.has("epochs")) phase.steps.reset();  // what was inherited
  if (reader.has("steps")) phase.epochs.reset();
  reader.read(learning_rows, phase);
}

/// `train` and `loss`, or `alternate`, or `greedy`; what is written takes the place of what is inherited.
void PhaseReader::read_what(SectionReader& reader, PhaseRecipe& phase) {
  const char* const whole = reader.has("greedy") ? "greedy" : "alternate";
  for (const char* const key : {"train", "loss", "alternate"}) {
    if (!reader.has(whole) || !reader.has(key) || std::string(key) == whole) continue;
    reader.wrong(*reader.find(key),
                 fmt::format("`{}:` says itself what is learnt; `{}:` cannot stand beside it", whole, key),
                 fmt::format("Leave `{}:` out, or make two phases.", key));
  }
  if (reader.has("train") || reader.has("loss") || reader.has("greedy")) phase.alternate.clear();
  if (reader.has("train") || reader.has("loss") || reader.has("alternate")) phase.greedy.reset();
  if (reader.has("train")) phase.train = read_variables(reader);
  if (reader.has("loss")) phase.loss = read_terms(reader);
  if (const YamlNode* list = reader.find("alternate")) phase.alternate = read_alternate(*list, phase);
  if (const YamlNode* greedy = reader.find("greedy"))
    phase.greedy = read_greedy(*greedy, phase.name, expansion_);
}

std::vector<NodeId> PhaseReader::read_variables(SectionReader& reader) {
  std::vector<std::string> paths;
  for (const auto& [path, variables] : names_.owners) paths.push_back(path);
  std::set<NodeId> chosen;
  for (const std::string& path : reader.names("train", paths, "node with parameters"))
    chosen.insert(names_.owners.at(path).begin(), names_.owners.at(path).end());
  return {chosen.begin(), chosen.end()};
}

std::vector<std::size_t> PhaseReader::read_terms(SectionReader& reader) {
  const std::vector<std::string> names = reader.names("loss", names_.terms, "term of the loss");
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < names_.loss.size(); ++i)
    if (std::find(names.begin(), names.end(), names_.loss[i].name) != names.end()) chosen.push_back(i);
  return chosen;
}

std::vector<StepRecipe> PhaseReader::read_alternate(const YamlNode& list, const PhaseRecipe& phase) {
  const std::string example = "Write e.g. [{train: [D], loss: [d]}, {train: [G], loss: [g], every: 5}].";
  if (!list.is_sequence() || list.items.empty()) {
    expansion_.diagnostics.error(
        list.place, fmt::format("`alternate:` is a list of steps, not {}", describe_kind(list)), example);
    return {};
  }
  std::vector<StepRecipe> steps;
  for (const YamlNode& item : list.items) {
    SectionReader reader(item, expansion_);
    if (!reader.is_mapping("a step is a mapping", example)) continue;
    reader.check(section_of("step"));
    StepRecipe step{.optimizer = phase.optimizer,
                    .train = read_variables(reader),
                    .loss = read_terms(reader),
                    .every = 1,
                    .where = reader.where()};
    reader.read(step_rows, step);
    if (const YamlNode* optimizer = reader.find("optimizer"))
      step.optimizer = read_optimizer(*optimizer, expansion_);
    check_learns(item, step);
    steps.push_back(std::move(step));
  }
  return steps;
}

std::optional<SubsetRecipe> PhaseReader::read_subset(const YamlNode& section) {
  SectionReader reader(section, expansion_);
  if (!reader.is_mapping("`subset:` is a mapping", "Write e.g. {first: 10000, sample: 100, balanced: true}."))
    return std::nullopt;
  reader.check(section_of("subset"));
  SubsetRecipe subset;
  subset.where = reader.where();
  reader.read(subset_rows, subset);
  if (subset.first && subset.sample && *subset.sample > *subset.first)
    reader.wrong(*reader.find("sample"),
                 fmt::format("there are no {} examples among the first {}", *subset.sample, *subset.first));
  if (subset.balanced && !reader.has("sample"))
    reader.wrong(*reader.find("balanced"),
                 "`balanced` says how a sample is chosen, but there is no `sample:`",
                 "Write e.g. {sample: 100, balanced: true}.");
  return subset;
}

std::optional<StopRule> PhaseReader::read_stop(const YamlNode& section) {
  SectionReader reader(section, expansion_);
  if (!reader.is_mapping("`stop:` is a mapping", "Write e.g. {metric: loss, patience: 3}."))
    return std::nullopt;
  const bool whole = reader.check(section_of("stop"));  // else one of them may be meant
  std::vector<std::string> figures = with_keys(names_.terms, {"loss"});
  figures.insert(figures.end(), names_.metrics.begin(), names_.metrics.end());
  StopRule stop;
  stop.where = reader.where();
  reader.read(stop_rows, stop);
  if (whole && !reader.has("patience"))
    reader.wrong(section, "`stop:` does not say how many measurements to wait", "Write e.g. patience: 3.");
  if (const auto metric = reader.name("metric", figures, "term or metric")) {
    stop.metric = *metric;
    const bool measured =
        std::find(names_.metrics.begin(), names_.metrics.end(), *metric) != names_.metrics.end();
    if (measured && section.find("best") == nullptr)
      reader.wrong(section, fmt::format("is a high '{}' better, or a low one?", *metric),
                   "Write best: highest or best: lowest.");
  } else if (whole && section.find("metric") == nullptr) {
    reader.wrong(section, "`stop:` names no metric", suggestion("", figures));
  }
  return stop;
}

void PhaseReader::check(const YamlNode& section, const PhaseRecipe& phase) {
  Diagnostics& diagnostics = expansion_.diagnostics;
  const Section& keys = section_of(phase.name.empty() ? "train" : "phase");
  const bool may_be_meant =
      std::any_of(section.entries.begin(), section.entries.end(), [&keys](const YamlEntry& entry) {
        return entry.key == "epochs" || entry.key == "steps" || keys.find(entry.key) == nullptr;
      });
  if (!phase.epochs && !phase.steps && !may_be_meant)
    diagnostics.error(section.place, "how long to train is not said", "Write epochs: 10, or steps: 1000.");
  const bool samples = phase.subset && phase.subset->sample;
  if (phase.draws > 1 && !samples) {
    const YamlNode* draws = section.find("draws");
    diagnostics.error(draws != nullptr ? draws->place : section.place,
                      fmt::format("{} draws from all examples would all be the same", phase.draws),
                      "Give subset: {sample: 100}, of which each draw takes others.");
  }
  if (phase.greedy || !phase.alternate.empty()) return;
  for (const StepRecipe& step : steps_of(phase)) check_learns(section, step);
}

/// Do the terms depend on any of the parameters? Nothing is said when another mistake may be the reason.
void PhaseReader::check_learns(const YamlNode& at, const StepRecipe& step) {
  if (names_.terms.empty() || names_.owners.empty() || !expansion_.diagnostics.empty()) return;
  const Builder& builder = expansion_.builder;
  std::vector<NodeId> terms;
  std::vector<std::string> term_names;
  for (std::size_t i = 0; i < names_.loss.size(); ++i) {
    if (!step.loss.empty() && std::find(step.loss.begin(), step.loss.end(), i) == step.loss.end()) continue;
    terms.push_back(names_.loss[i].node);
    term_names.push_back(names_.loss[i].name);
  }
  const std::vector<bool> needed = needed_by(builder, terms);
  for (NodeId id = 0; id < needed.size(); ++id) {
    const Node& node = builder.node(id);
    if (!needed[id] || !node.op->traits.variable || !node.attributes.flag("trainable")) continue;
    if (step.train.empty() || std::find(step.train.begin(), step.train.end(), id) != step.train.end()) return;
  }
  std::vector<std::string> variables;
  for (const NodeId id : step.train) variables.push_back(builder.node(id).name);
  const std::string of = step.train.empty() ? "the model" : fmt::format("{}", fmt::join(variables, ", "));
  expansion_.diagnostics.error(
      at.place,
      fmt::format("nothing is learnt here: the loss ({}) does not depend on the parameters of {}",
                  fmt::join(term_names, ", "), written_names(at, "train").value_or(of)),
      "Name nodes that the loss is computed from.");
}

std::vector<std::string> names_of(const std::vector<TermDeclaration>& terms) {
  std::vector<std::string> names;
  for (const TermDeclaration& term : terms) names.push_back(term.node.name);
  return names;
}

void read_phases(const YamlNode& list, PhaseReader& phases, TrainRecipe& recipe, Diagnostics& diagnostics) {
  if (!list.is_sequence()) {
    diagnostics.error(list.place, fmt::format("`phases:` is a list, not {}", describe_kind(list)),
                      "Write a line `- {name: …, epochs: …}` for each.");
    return;
  }
  for (const YamlNode& item : list.items) {
    constexpr std::size_t keys = 16;
    diagnostics.budget().spend(Resource::elements,
                               keys + recipe.train.size() + recipe.loss.size());  // inherited
    if (const std::optional<PhaseRecipe> phase = phases.read(item, recipe, recipe.phases))
      recipe.phases.push_back(*phase);
  }
  if (list.items.empty())
    diagnostics.error(list.place, "`phases:` is empty", "Write at least one, or leave the key out.");
}

/// `pictures: {every: 5}`.
void read_pictures(const YamlNode& section, Expansion& expansion, TrainRecipe& recipe) {
  SectionReader reader(section, expansion);
  if (!section.is_mapping())
    return reader.wrong(
        section,
        fmt::format("`pictures:` says how often pictures are drawn, it is {}", describe_kind(section)),
        "Write pictures: {every: 5}, in epochs.");
  reader.check(section_of("pictures"));
  reader.read(pictures_rows, recipe);
}

/// Metrics and probes.
std::vector<std::string> measured_names(const ModelDeclaration& declared) {
  std::vector<std::string> names = names_of(declared.metrics);
  for (const ProbeDeclaration& probe : declared.probes) names.push_back(probe.name);
  return names;
}

}  // namespace

std::optional<TrainRecipe> read_train(const YamlNode& section, const ModelDefinition& model,
                                      Expansion& expansion) {
  const ModelDeclaration& declared = expansion.declared;
  SectionReader reader(section, expansion);
  if (!reader.is_mapping("`train:` holds named entries",
                         "Write e.g. train: {optimizer: {op: adam}, batch: 128, epochs: 10}."))
    return std::nullopt;
  TrainRecipe train;
  PhaseReader phases({expansion.names.owners, names_of(declared.loss), measured_names(declared), model.loss},
                     expansion);
  phases.read_defaults(section, train);
  reader.read(train_rows, train);
  if (const YamlNode* pictures = reader.find("pictures")) read_pictures(*pictures, expansion, train);
  if (const YamlNode* list = reader.find("phases")) {
    read_phases(*list, phases, train, expansion.diagnostics);
  } else {
    phases.check(section, train);
    train.phases.push_back(train);
  }
  return train;
}

}  // namespace graphrun
