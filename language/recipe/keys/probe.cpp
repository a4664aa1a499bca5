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
       "how many units of the code have a variance above this over the test examples"}};
  return kinds;
}

}  // namespace graphrun
