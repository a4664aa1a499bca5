// Keys of an entry of `phases:`, and of what stands in it.
#include "language/recipe/keys.hpp"

namespace graphrun {

const Rows<PhaseRecipe> phase_rows = {
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

const Rows<StepRecipe> step_rows = {
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
      .doc = "`5`: with every fifth batch only",
      .range = at_least(1)},
     &StepRecipe::every},
};

const Rows<SubsetRecipe> subset_rows = {
    {{.name = "first",
      .kind = KeyKind::integer,
      .doc = "this many examples from the first on",
      .range = at_least(1),
      .fallback = "all"},
     &SubsetRecipe::first},
    {{.name = "sample",
      .kind = KeyKind::integer,
      .doc = "this many of them, chosen at random, others for each draw",
      .range = at_least(1),
      .fallback = "all"},
     &SubsetRecipe::sample},
    {{.name = "balanced", .kind = KeyKind::flag, .doc = "as many of each label in the sample"},
     &SubsetRecipe::balanced},
};

const Rows<StopRule> stop_rows = {
    {{.name = "metric",
      .kind = KeyKind::name,
      .doc = "`loss`, a term or a metric, measured on the test data after each epoch",
      .required = true,
      .also = {"monitor"}}},
    {{.name = "patience",
      .kind = KeyKind::integer,
      .doc = "this many epochs in a row without a better figure end the phase",
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

const Section greedy_section = {
    "greedy",
    "`greedy`",
    "under `greedy:`",
    {{.name = "encoder",
      .kind = KeyKind::names,
      .doc = "the layers that encode, in the order in which values flow",
      .required = true},
     {.name = "decoder", .kind = KeyKind::names, .doc = "the layers that decode, as many", .required = true},
     {.name = "corrupt",
      .kind = KeyKind::call,
      .doc = "what is done to the input of each encoder layer, as `{op: masking, amount: 0.25}`",
      .fallback = "nothing"}}};

}  // namespace graphrun
