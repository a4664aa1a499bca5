#include "bench/ruler/optimisations.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "errors/nearest.hpp"
#include "graphrun/error.hpp"

namespace graphrun::bench {

namespace {

constexpr Optimisation all[] = {
    {"identities", "graph: x + 0, x * 1 and their like are gone", true,
     [](Tuning& tuning) { tuning.passes.off.insert("exact_identities"); }},
    {"implicit_broadcasts", "graph: ops broadcast their operands; no broadcast is stored", false,
     [](Tuning& tuning) { tuning.passes.off.insert("implicit_broadcasts"); }},
    {"constant_folding", "graph: what is known is computed once", true,
     [](Tuning& tuning) { tuning.passes.off.insert("fold_constants"); }},
    {"common_subexpressions", "graph: equal nodes are computed once", true,
     [](Tuning& tuning) { tuning.passes.off.insert("common_subexpressions"); }},
    {"tiles", "products run in our register tiles: without, all that oneDNN has runs in it", false,
     [](Tuning& tuning) { tuning.session.lowering.provider = runtime::ProviderChoice::onednn; }},
    {"post_ops", "bias, activation and bias gradient run on what a product has at hand", false,
     [](Tuning& tuning) { tuning.session.lowering.post_ops = false; }},
    {"fusion", "elementwise chains run as one pass, block by block", true,
     [](Tuning& tuning) { tuning.session.lowering.fusion = false; }},
    {"slicing", "rows of a batch are cut into slices, for cores and caches", true,
     [](Tuning& tuning) { tuning.session.lowering.slicing = false; }},
    {"fused_update", "an optimizer runs on rows of a gradient that are still in the cache", true,
     [](Tuning& tuning) { tuning.session.lowering.fused_update = false; }},
    {"memory_sharing", "buffers are used again, in place too", true,
     [](Tuning& tuning) { tuning.session.lowering.memory_sharing = false; }},
    {"large_pages", "weights and workspace lie in huge pages", true,
     [](Tuning& tuning) { tuning.session.pages = runtime::Pages::small; }},
};

}  // namespace

std::span<const Optimisation> optimisations() {
  return all;
}

const Optimisation& find_optimisation(std::string_view name) {
  const auto found = std::ranges::find(all, name, &Optimisation::name);
  if (found != std::end(all)) return *found;
  std::vector<std::string> names;
  for (const Optimisation& each : all) names.emplace_back(each.name);
  throw Error(ErrorCode::usage,
              fmt::format("there is no optimisation '{}'. {}", name, suggestion(name, names)));
}

Tuning without(Tuning tuning, const std::vector<std::string>& names) {
  for (const std::string& name : names) find_optimisation(name).switch_off(tuning);
  return tuning;
}

}  // namespace graphrun::bench
