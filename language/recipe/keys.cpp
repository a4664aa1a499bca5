#include "language/recipe/keys.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace graphrun {
namespace {

/// Of examples, steps and epochs: their products can still be counted.
constexpr Range counted = {.low = 1, .high = 1'000'000'000};

// ---- Sections whose keys fill fields ------------------------------------------------------------------

const Rows<PhaseRecipe> learning = {
    {{.name = "optimizer",
      .kind = KeyKind::section,
      .doc = "how the parameters follow their gradients; [all of them](ops.md#optimizers)",
      .fallback = "adam",
      .section = "optimizer",
      .short_form = true,
      .also = {"optim", "optimiser", "solver"}}},
    {{.name = "batch",
      .kind = KeyKind::integer,
      .doc = "examples a step",
      .range = counted,
      .also = {"batch_size", "batchsize", "minibatch", "bs"}},
     &PhaseRecipe::batch},
    {{.name = "epochs",
      .kind = KeyKind::integer,
      .doc = "how often all examples are seen",
      .range = counted,
      .also = {"epoch", "num_epochs", "n_epochs", "nb_epoch", "max_epochs"}},
     &PhaseRecipe::epochs},
    {{.name = "steps",
      .kind = KeyKind::integer,
      .doc = "how many batches are seen, instead of `epochs`",
      .range = counted,
      .also = {"iterations", "num_steps", "max_steps", "max_iter"}},
     &PhaseRecipe::steps},
    {{.name = "partial",
      .kind = KeyKind::word,
      .doc = "the last, smaller batch of an epoch",
      .words = {"keep", "drop"},
      .also = {"drop_last", "drop_remainder"}},
     &PhaseRecipe::keep_partial},
    {{.name = "train",
      .kind = KeyKind::names,
      .doc = "the nodes or paths whose parameters are learnt, with all below them; nothing else moves, "
             "running averages included",
      .fallback = "all",
      .also = {"trainable", "parameters"}}},
    {{.name = "loss", .kind = KeyKind::names, .doc = "the terms that are minimised", .fallback = "all"}},
    {{.name = "alternate",
      .kind = KeyKind::sections,
      .doc = "steps that are done with each batch, in order, instead of `train` and `loss`",
      .section = "step"}},
    {{.name = "greedy",
      .kind = KeyKind::section,
      .doc = "trains layer by layer, instead of `train` and `loss`",
      .section = "greedy"}},
    {{.name = "subset",
      .kind = KeyKind::section,
      .doc = "which training examples",
      .fallback = "all",
      .section = "subset"}},
    {{.name = "stop",
      .kind = KeyKind::section,
      .doc = "ends early, and keeps the best weights",
      .section = "stop",
      .also = {"early_stopping", "earlystopping", "callbacks"}}},
};

const Rows<TrainRecipe> only_train = {
    {{.name = "seed",
      .kind = KeyKind::integer,
      .doc = "of the weights, the order and the noise",
      .range = at_least(0),
      .also = {"random_seed", "random_state", "manual_seed"}},
     &TrainRecipe::seed},
    {{.name = "pictures",
      .kind = KeyKind::section,
      .doc = "how often a picture is drawn into `images/` while the model learns: reconstructions, or "
             "samples of "
             "a model that makes images from chance alone",
      .section = "pictures"}},
    {{.name = "phases",
      .kind = KeyKind::sections,
      .doc = "parts, done one after the other",
      .section = "phase"}},
};

const Rows<PhaseRecipe> only_phase = {
    {{.name = "name", .kind = KeyKind::name, .doc = "what reports and `--set` call it", .required = true}},
    {{.name = "start",
      .kind = KeyKind::name,
      .doc = "`init`, the first weights, or the name of an earlier phase: the weights at its end. From "
             "`init`, each "
             "draw has first weights of its own",
      .fallback = "where the phase before ended"}},
    {{.name = "draws",
      .kind = KeyKind::integer,
      .doc = "how often the phase is done, each time from its start, with another sample of its `subset`",
      .range = counted,
      .also = {"repeats", "runs"}},
     &PhaseRecipe::draws},
    {{.name = "same_as",
      .kind = KeyKind::name,
      .doc =
          "takes all keys of an earlier phase but `name`; what is written beside it replaces them. Its draws "
          "take the same samples: the report gives the difference of each figure, pair by pair, with a 95 % "
          "confidence interval of its mean (Student's t)"}},
};

const Rows<StepRecipe> step = {
    {{.name = "train",
      .kind = KeyKind::names,
      .doc = "the nodes whose parameters are learnt",
      .fallback = "all"}},
    {{.name = "loss", .kind = KeyKind::names, .doc = "the terms that are minimised", .fallback = "all"}},
    {{.name = "optimizer",
      .kind = KeyKind::section,
      .doc = "of this step alone",
      .fallback = "that of the phase",
      .section = "optimizer",
      .short_form = true}},
    {{.name = "every",
      .kind = KeyKind::integer,
      .doc = "only with every so many-th batch",
      .range = at_least(1)},
     &StepRecipe::every},
};

const Rows<SubsetRecipe> subset = {
    {{.name = "first",
      .kind = KeyKind::integer,
      .doc = "the first so many examples",
      .range = at_least(1),
      .fallback = "all"},
     &SubsetRecipe::first},
    {{.name = "sample",
      .kind = KeyKind::integer,
      .doc = "so many of these, chosen at random; each draw takes others",
      .range = at_least(1),
      .fallback = "all"},
     &SubsetRecipe::sample},
    {{.name = "balanced", .kind = KeyKind::flag, .doc = "as many of each label in the sample"},
     &SubsetRecipe::balanced},
};

const Rows<StopRule> stop = {
    {{.name = "metric",
      .kind = KeyKind::name,
      .doc = "`loss`, a term or a metric, measured on the test data after each epoch",
      .required = true,
      .also = {"monitor"}}},
    {{.name = "patience",
      .kind = KeyKind::integer,
      .doc = "so many times in a row without a better figure end the phase",
      .range = at_least(1),
      .required = true},
     &StopRule::patience},
    {{.name = "best",
      .kind = KeyKind::word,
      .doc = "which figure is better; must be said for one of `metrics:`",
      .words = {"highest", "lowest"},
      .also = {"mode"}},
     &StopRule::highest},
};

const Rows<TrainRecipe> pictures = {
    {{.name = "every",
      .kind = KeyKind::integer,
      .doc = "epochs from one picture to the next; `0`: only where a phase ends",
      .range = at_least(0),
      .fallback = "after epochs 1, 2, 5, 10, 20, 50, …"},
     &TrainRecipe::pictures_every},
};

const Rows<OptimizerRecipe> of_optimizers = {
    {{.name = "op",
      .kind = KeyKind::name,
      .doc = "which optimizer",
      .required = true,
      .also = {"name", "type"}}},
    {{.name = "lr",
      .kind = KeyKind::schedule,
      .doc = "learning rate",
      .range = at_least(0),
      .also = {"learning_rate", "learningrate", "rate", "step_size", "eta"}},
     &OptimizerRecipe::learning_rate},
    {{.name = "clip_value",
      .kind = KeyKind::number,
      .doc = "each element of a gradient is at most this large",
      .range = above(0),
      .fallback = "none",
      .also = {"clipvalue", "clip"}},
     &OptimizerRecipe::clip_value},
    {{.name = "clip_norm",
      .kind = KeyKind::number,
      .doc = "all gradients together have at most this norm",
      .range = above(0),
      .fallback = "none",
      .also = {"clipnorm", "max_grad_norm", "global_clipnorm", "max_norm"}},
     &OptimizerRecipe::clip_norm},
};

const Rows<ProbeRecipe> of_probes = {
    {{.name = "probe", .kind = KeyKind::word, .doc = "what is looked for", .required = true}},
    {{.name = "in",
      .kind = KeyKind::inputs,
      .doc = "a code, and an input with labels where the probe needs them",
      .required = true}},
    {{.name = "k", .kind = KeyKind::integer, .doc = "neighbours, or clusters", .range = at_least(1)},
     &ProbeRecipe::k},
    {{.name = "first",
      .kind = KeyKind::integer,
      .doc = "so many training examples are used at most",
      .range = at_least(1)},
     &ProbeRecipe::first},
    {{.name = "above",
      .kind = KeyKind::number,
      .doc = "the variance from which a unit counts",
      .range = above(0)},
     &ProbeRecipe::above},
};

const Rows<DataRecipe> data = {
    {{.name = "train",
      .kind = KeyKind::section,
      .doc = "the files to learn from",
      .required = true,
      .section = "files",
      .also = {"training"}}},
    {{.name = "test",
      .kind = KeyKind::section,
      .doc = "the files to measure on",
      .section = "files",
      .also = {"validation", "val", "valid"}}},
    {{.name = "shape",
      .kind = KeyKind::list,
      .doc =
          "`[28, 28]` or `[32, 32, 3]`: what an example is as a picture. Rows whose length is the square of "
          "8 or "
          "more are taken for pictures without it; other rows are numbers that nobody wants to see drawn"}},
    {{.name = "channels",
      .kind = KeyKind::integer,
      .doc = "`1` turns PNG files of colour grey, `3` the other way round",
      .range = {.low = 1, .high = 3}},
     &DataRecipe::channels},
    {{.name = "divide_by",
      .kind = KeyKind::number,
      .doc = "values are divided by it: `255` for pixels that a table or array holds as numbers",
      .range = above(0),
      .also = {"scale", "rescale"}},
     &DataRecipe::divide_by},
    {{.name = "classes",
      .kind = KeyKind::list,
      .doc = "the names of the labels 0, 1, …, when their sorted order will not do"}},
};

// ---- Sections that are read by hand -------------------------------------------------------------------

const Section model = {
    "model",
    "a model",
    "at the top of the file",
    {{.name = "graphrun",
      .kind = KeyKind::word,
      .doc = "the version of the language",
      .required = true,
      .words = {"1"}},
     {.name = "name", .kind = KeyKind::text, .doc = "what reports call the model"},
     {.name = "about", .kind = KeyKind::text, .doc = "a line about it", .also = {"description", "doc"}},
     {.name = "vars",
      .kind = KeyKind::entries,
      .doc = "constants, read as `$name`",
      .also = {"variables", "constants"}},
     {.name = "data",
      .kind = KeyKind::section,
      .doc = "a data set by its name, or files",
      .section = "data",
      .short_form = true,
      .also = {"dataset"}},
     {.name = "inputs",
      .kind = KeyKind::entries,
      .doc = "what examples are given to",
      .section = "input",
      .also = {"input"}},
     {.name = "nodes",
      .kind = KeyKind::entries,
      .doc = "the graph",
      .section = "node",
      .also = {"layers", "model", "graph", "modules"}},
     {.name = "blocks", .kind = KeyKind::entries, .doc = "pieces of graph with a name", .section = "block"},
     {.name = "include",
      .kind = KeyKind::paths,
      .doc = "files whose blocks are brought in",
      .also = {"import"}},
     {.name = "outputs",
      .kind = KeyKind::entries,
      .doc = "what nodes are for",
      .section = "node",
      .also = {"output"}},
     {.name = "loss",
      .kind = KeyKind::entries,
      .doc = "what is minimised",
      .section = "term",
      .also = {"losses", "objective"}},
     {.name = "metrics",
      .kind = KeyKind::entries,
      .doc = "what is measured",
      .section = "metric",
      .also = {"metric"}},
     {.name = "train",
      .kind = KeyKind::section,
      .doc = "how it learns",
      .section = "train",
      .also = {"training"}}}};

const Section included = {
    "included",
    "an included file, which brings blocks alone,",
    "in the model",
    {*model.find("graphrun"), *model.find("about"), *model.find("include"), *model.find("blocks")}};

const Section input = {
    "input",
    "an input",
    "in an input",
    {{.name = "shape",
      .kind = KeyKind::shape,
      .doc = "`[batch, 784]`, or any other with as many elements an example; needed unless it is labels",
      .also = {"size", "input_shape", "dims"}},
     {.name = "from",
      .kind = KeyKind::word,
      .doc = "which part of an example; labels are i32 `[batch]`",
      .fallback = "images",
      .words = {"images", "labels"},
      .also = {"source"}}}};

const Section call = {
    "call",
    "a node",
    "in a node",
    {{.name = "op",
      .kind = KeyKind::name,
      .doc = "an op or block",
      .required = true,
      .also = {"type", "layer", "class"}},
     {.name = "in",
      .kind = KeyKind::inputs,
      .doc = "what it is computed from: a node, a formula, or a list of them",
      .also = {"input", "inputs", "from"}},
     {.name = "params",
      .kind = KeyKind::text,
      .doc = "the path of its parameters; nodes with equal paths share them",
      .fallback = "its own path"},
     {.name = "repeat",
      .kind = KeyKind::value,
      .doc = "a list or a count: copies, each computed from the one before; `$item` and `$index` differ",
      .fallback = "one copy"}}};

const Section term = {"term",
                      "a term",
                      "in a term of the loss",
                      {{.name = "of", .kind = KeyKind::formula, .doc = "a formula, instead of `op`"},
                       {.name = "weight",
                        .kind = KeyKind::schedule,
                        .doc = "what it is multiplied by in the loss",
                        .range = finite(),
                        .fallback = "1"},
                       {.name = "reduce",
                        .kind = KeyKind::word,
                        .doc = "how the axes beside the batch are joined",
                        .fallback = "that of the block",
                        .words = {"mean", "sum"},
                        .also = {"reduction"}}}};

const Section block = {
    "block",
    "a block",
    "in a block",
    {{.name = "about", .kind = KeyKind::text, .doc = "a line about it"},
     {.name = "args",
      .kind = KeyKind::entries,
      .doc = "its arguments with their defaults, or `required`; read as `$name`",
      .also = {"arguments", "params"}},
     {.name = "ranges",
      .kind = KeyKind::entries,
      .doc = "the numbers that arguments may be, such as `amount: \"[0, 1)\"`; of a schedule, its ends"},
     {.name = "in", .kind = KeyKind::names, .doc = "its inputs", .also = {"inputs", "input"}},
     {.name = "nodes", .kind = KeyKind::entries, .doc = "its graph", .section = "node"},
     {.name = "out",
      .kind = KeyKind::names,
      .doc = "the node that comes out, or a list of several",
      .required = true,
      .short_form = true,
      .also = {"outputs", "output"}},
     {.name = "reduce",
      .kind = KeyKind::word,
      .doc = "for a loss: how a term that calls it joins the axes beside the batch",
      .words = {"mean", "sum"},
      .also = {"reduction"}}}};

const Section files = {"files",
                       "`data.train`",
                       "under `train:` or `test:` of `data:`",
                       {{.name = "images",
                         .kind = KeyKind::path,
                         .doc = "a file, or a folder of PNG files",
                         .required = true,
                         .also = {"image", "file", "path", "x"}},
                        {.name = "labels",
                         .kind = KeyKind::section,
                         .doc = "a file, or a column of a table",
                         .section = "labels",
                         .short_form = true,
                         .also = {"targets", "y"}}}};

const Section labels = {
    "labels",
    "`data.train.labels`",
    "under `labels:`",
    {{.name = "file", .kind = KeyKind::path, .doc = "a CSV file", .fallback = "that of `images`"},
     {.name = "column", .kind = KeyKind::text, .doc = "its header, or its number from 0", .required = true}}};

const Section greedy = {
    "greedy",
    "`greedy`",
    "under `greedy:`",
    {{.name = "encoder",
      .kind = KeyKind::names,
      .doc = "the layers that code, in the order in which values flow",
      .required = true},
     {.name = "decoder", .kind = KeyKind::names, .doc = "the layers that decode, as many", .required = true},
     {.name = "corrupt",
      .kind = KeyKind::call,
      .doc = "what is done to the input of each encoder layer, as `{op: masking, amount: 0.25}`",
      .fallback = "nothing"}}};

// ---- All of them ---------------------------------------------------------------------------------------

std::string text_of(bool value, const Key& key) {
  return key.words.empty() ? value ? "true" : "false" : key.words[value ? 0 : 1];
}
std::string text_of(const Schedule& value, const Key& /*key*/) {
  return to_string(value);
}
template <class T>
std::string text_of(const T& value, const Key& /*key*/) {
  return fmt::format("{}", value);
}
template <class T>
std::string text_of(const std::optional<T>& /*value*/, const Key& /*key*/) {
  return {};
}

/// What a key is when it is not written is what its field starts as.
template <class Record>
Key complete(const Row<Record>& row) {
  Key key = row.key;
  const Record start{};
  const auto fill = [&key, &start](auto field) {
    if constexpr (!std::is_same_v<decltype(field), std::monostate>) key.fallback = text_of(start.*field, key);
  };
  if (key.fallback.empty() && !key.required) std::visit(fill, row.field);
  return key;
}

template <class... Record>
std::vector<Key> keys_of(const Rows<Record>&... rows) {
  std::vector<Key> keys;
  const auto append = [&keys](const auto& some) {
    for (const auto& row : some) keys.push_back(complete(row));
  };
  (append(rows), ...);
  return keys;
}

Section make_optimizer_section(const OptimizerKind& kind) {
  Section section{fmt::format("optimizer.{}", kind.name), fmt::format("the optimizer {}", kind.name),
                  "under `optimizer:`", keys_of(of_optimizers)};
  for (const OptimizerSetting& setting : kind.settings) section.keys.push_back(key_of(setting));
  for (Key& key : section.keys)
    if (key.name == "lr") key.fallback = fmt::format("{}", kind.learning_rate);
  return section;
}

Section make_probe_section(const ProbeKind& kind) {
  Section section{fmt::format("probe.{}", kind.name), fmt::format("a probe {}", kind.name), "in a probe", {}};
  for (Key key : keys_of(of_probes)) {
    const bool own = std::find(kind.settings.begin(), kind.settings.end(), key.name) != kind.settings.end();
    if (!own && key.name != "probe" && key.name != "in") continue;
    if (key.name == "k") key.fallback = kind.k > 0 ? std::to_string(kind.k) : "as many as there are labels";
    section.keys.push_back(std::move(key));
  }
  return section;
}

std::vector<Section> make_sections() {
  std::vector<Section> all = {{"train", "`train`", "under `train:`", keys_of(learning, only_train)},
                              {"phase", "a phase", "in an entry of `phases:`", keys_of(only_phase, learning)},
                              {"step", "a step of `alternate`", "in a step of `alternate:`", keys_of(step)},
                              {"subset", "`subset`", "under `subset:`", keys_of(subset)},
                              {"stop", "`stop`", "under `stop:`", keys_of(stop)},
                              {"pictures", "`pictures`", "under `pictures:`", keys_of(pictures)},
                              greedy,
                              {"optimizer", "an optimizer", "under `optimizer:`", keys_of(of_optimizers)}};
  for (const OptimizerKind& kind : optimizer_kinds()) all.push_back(make_optimizer_section(kind));
  all.push_back({"data", "`data`", "under `data:`", keys_of(data)});
  for (const Section& section : {files, labels, input, model, included, term, block, call})
    all.push_back(section);
  all.push_back({"probe", "a probe", "in a probe", {complete(of_probes[0]), complete(of_probes[1])}});
  for (const ProbeKind& kind : probe_kinds()) all.push_back(make_probe_section(kind));
  return all;
}

}  // namespace

std::span<const Section> sections() {
  static const std::vector<Section> all = make_sections();
  return all;
}

const Section& section_of(std::string_view name) {
  for (const Section& section : sections())
    if (section.name == name) return section;
  throw Error(ErrorCode::internal, fmt::format("the language has no section '{}'", name));
}

const Section& section_of(const OptimizerKind& kind) {
  return section_of(fmt::format("optimizer.{}", kind.name));
}

const Section& section_of(const ProbeKind& kind) {
  return section_of(fmt::format("probe.{}", kind.name));
}

std::span<const ProbeKind> probe_kinds() {
  static const std::vector<ProbeKind> kinds = {
      {"knn",
       ProbeRecipe::Kind::knn,
       {"k", "first"},
       true,
       5,
       "the share of test examples whose label wins the vote of the `k` nearest of the first training "
       "examples"},
      {"linear",
       ProbeRecipe::Kind::linear,
       {"first"},
       true,
       0,
       "the accuracy of softmax regression on the code, learnt from the first training examples"},
      {"kmeans",
       ProbeRecipe::Kind::kmeans,
       {"k"},
       true,
       0,
       "the normalised mutual information of `k` clusters of test codes and their labels"},
      {"active_units",
       ProbeRecipe::Kind::active_units,
       {"above"},
       false,
       0,
       "how many units of the code have a variance above this over the test examples"}};
  return kinds;
}

Key key_of(const OptimizerSetting& setting) {
  return {.name = setting.name,
          .kind = setting.flag ? KeyKind::flag : KeyKind::number,
          .doc = setting.doc,
          .range = setting.range,
          .fallback =
              setting.flag ? setting.fallback != 0 ? "true" : "false" : fmt::format("{}", setting.fallback)};
}

bool check_keys(const YamlNode& mapping, const Section& section, Diagnostics& diagnostics) {
  return check_keys(mapping, section, sections(), diagnostics);
}

const Rows<PhaseRecipe>& learning_rows() {
  return learning;
}
const Rows<TrainRecipe>& train_rows() {
  return only_train;
}
const Rows<PhaseRecipe>& phase_rows() {
  return only_phase;
}
const Rows<StepRecipe>& step_rows() {
  return step;
}
const Rows<SubsetRecipe>& subset_rows() {
  return subset;
}
const Rows<StopRule>& stop_rows() {
  return stop;
}
const Rows<TrainRecipe>& pictures_rows() {
  return pictures;
}
const Rows<OptimizerRecipe>& optimizer_rows() {
  return of_optimizers;
}
const Rows<ProbeRecipe>& probe_rows() {
  return of_probes;
}
const Rows<DataRecipe>& data_rows() {
  return data;
}

}  // namespace graphrun
