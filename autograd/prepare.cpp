#include "autograd/prepare.hpp"

#include "autograd/gradients.hpp"
#include "graph/passes/apply_rules.hpp"

namespace graphrun {

Graph prepare(Graph graph, const OpRegistry& registry, Mode mode, const PassOptions& options) {
  const auto specialise = [mode](Graph model, const OpRegistry& ops) {
    return specialise_mode(std::move(model), ops, mode);
  };
  Budget whole;
  Budget& budget = options.budget ? *options.budget : whole;
  const auto gradients = [&budget](Graph model, const OpRegistry& ops) {
    return expand_gradients(std::move(model), ops, budget);
  };
  const Pass passes[] = {
      {"specialise_mode", specialise, Stage::specialised, false},
      {"canonicalise", apply_real_rules, Stage::specialised},
      {"expand_gradients", gradients, Stage::differentiable, false},
      {"canonicalise", apply_real_rules, Stage::differentiable},
  };
  return run_passes(std::move(graph), registry, passes, options);
}

}  // namespace graphrun
