#include "errors/budget.hpp"

#include <fmt/format.h>

#include <string_view>

namespace graphrun {
namespace {

struct Wording {
  std::string_view what;
  std::string_view fix;
};

/// In the order of Resource.
constexpr std::array<Wording, 6> wordings = {
    {{"bytes of text", "A model file is short; data belongs in data files."},
     {"nodes, gradients included", "Repeat less, or nest fewer gradients and blocks."},
     {"elements of lists and constants", "Give long lists a name under `vars:`, and make them shorter."},
     {"steps of computing values", "Compute what is needed often once, under `vars:`."},
     {"bytes of names", "Use shorter names, or repeat less."},
     {"mistakes; reading stops here", "Mend the first ones, and look again."}}};

}  // namespace

Budget::Budget(const BudgetLimits& limits)
    : limits_{limits.text, limits.nodes, limits.elements, limits.steps, limits.names, limits.mistakes},
      left_(limits_) {}

void Budget::refuse(Resource resource) const {
  const auto index = static_cast<std::size_t>(resource);
  throw OverBudget(fmt::format("the model is over its budget of {} {}", limits_[index], wordings[index].what),
                   std::string(wordings[index].fix));
}

void Budget::refuse_depth() {
  throw OverBudget(
      "the model is over its budget of depth: values, formulas and blocks lie too deep in each other",
      "Give a part of it a name of its own.");
}

}  // namespace graphrun
