// Keys of probes, and what probes there are.
#include "language/recipe/keys.hpp"

namespace graphrun {

const Rows<ProbeRecipe> probe_rows = {
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
       "how many units of the code have a variance above this over the test examples"},
      {"roc_auc",
       ProbeRecipe::Kind::roc_auc,
       {},
       true,
       0,
       "how often a score is higher where the label is 1 than where it is not; of two names the rarer is 1"},
      {"average_precision",
       ProbeRecipe::Kind::average_precision,
       {},
       true,
       0,
       "the mean precision over all that have the label 1, the highest scores first"},
      {"f1",
       ProbeRecipe::Kind::f1,
       {},
       true,
       0,
       "of label 1, with the threshold of the score that makes it highest, which is measured too"},
      {"confusion",
       ProbeRecipe::Kind::confusion,
       {},
       true,
       0,
       "the share of examples whose highest score is that of their class; beside it F1, class by class; "
       "`graphrun eval` and the report show what is taken for what"},
      {"mae",
       ProbeRecipe::Kind::mae,
       {},
       true,
       0,
       "the mean absolute error of a guess, in the unit of the target; of a whole row against the cells, as "
       "the "
       "model sees them, and column by column in their units"},
      {"rmse",
       ProbeRecipe::Kind::rmse,
       {},
       true,
       0,
       "the root of the mean squared error of a guess, in the same units"},
      {"r2", ProbeRecipe::Kind::r2, {}, true, 0, "the share of the variance that a guess explains"}};
  return kinds;
}

}  // namespace graphrun
