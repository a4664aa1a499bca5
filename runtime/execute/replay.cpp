#include "runtime/execute/replay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "runtime/execute/plan_run.hpp"
#include "runtime/lower/lower.hpp"

namespace graphrun::runtime {
namespace {

struct BadElement {
  NodeId node = 0;
  std::size_t index = 0;
  float value = 0;
};

std::optional<BadElement> first_bad(const PlanRun& run) {
  for (const PlanValue& value : run.plan().values) {
    const auto* const elements = reinterpret_cast<const float*>(run.address(value.place));
    const std::size_t count = value.bytes / sizeof(float);
    const auto* const bad =
        std::find_if(elements, elements + count, [](float x) { return !std::isfinite(x); });
    if (bad != elements + count)
      return BadElement{value.node, static_cast<std::size_t>(bad - elements), *bad};
  }
  return std::nullopt;
}

/// "[3, 17]": where element `index` stands in a tensor.
std::string position(std::size_t index, const Extents& extents, std::int64_t first_row) {
  Extents at(extents.size());
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(extents[axis]);
    at[axis] = static_cast<std::int64_t>(index % extent);
    index /= extent;
  }
  if (!at.empty()) at.front() += first_row;
  return graphrun::to_string(at);
}

Error describe(const Graph& graph, const BadElement& bad, std::int64_t batch, std::int64_t first_row) {
  const Node& node = graph.node(bad.node);
  const bool by_rows = !node.type.shape.empty() && node.type.shape.front().is_batch();
  const std::string path = node.origin && !node.origin->path.empty() ? node.origin->path : node.name;
  const SourceLocation where = node.origin ? node.origin->where : SourceLocation{};
  const std::string element =
      fmt::format("{} at {} of {}",
                  std::isnan(bad.value) ? "NaN"
                  : bad.value > 0       ? "infinity"
                                        : "-infinity",
                  position(bad.index, graphrun::bind(node.type.shape, batch), by_rows ? first_row : 0),
                  to_string(node.type));
  const Traits& traits = node.op->traits;
  if (traits.input) {
    return {ErrorCode::not_finite, fmt::format("the input holds {}", element), where, path};
  }
  if (traits.variable) {
    return {ErrorCode::not_finite,
            fmt::format("the parameter holds {}: an earlier step was too large; lower the learning rate or "
                        "clip the gradient",
                        element),
            where, path};
  }
  return {ErrorCode::not_finite,
          fmt::format("{} made the first value that is not finite: {}", node.op->name, element), where, path};
}

}  // namespace

std::optional<Error> find_not_finite(const std::shared_ptr<const Graph>& graph, const Run& run,
                                     const KernelRegistry& kernels, ProviderChoice provider,
                                     VariableStore& variables, std::int64_t first_row) {
  LoweringOptions options;
  options.provider = provider;
  options.keep_values = true;
  options.updates = false;
  options.slicing = false;
  PlanRun replay(lower(graph, run.batch, kernels, options), variables);
  const PlanStatistics& statistics = replay.plan().statistics;
  const AlignedBytes workspace = allocate_aligned(statistics.workspace_bytes);
  WorkerSpace worker{allocate_aligned(statistics.scratch_bytes_per_worker),
                     statistics.scratch_bytes_per_worker};
  replay.bind_memory(workspace.get(), std::span(&worker, 1));
  for (std::size_t i = 0; i < replay.plan().inputs.size(); ++i) {
    const auto feed = std::ranges::find(run.feeds, replay.plan().inputs[i].name, &Feed::name);
    if (feed != run.feeds.end()) replay.bind_feed(i, feed->bytes.data());
  }
  for (std::uint32_t task = 0; task < replay.plan().tasks.size(); ++task) {
    replay.start(run.random, {});  // a check that fails must not stop the search
    replay.run_task(task, 0);
  }
  const std::optional<BadElement> bad = first_bad(replay);
  if (!bad) return std::nullopt;
  return describe(*graph, *bad, run.batch, first_row);
}

Error explain_not_finite(const std::shared_ptr<const Graph>& graph, const Run& run,
                         const KernelRegistry& kernels, ProviderChoice provider, VariableStore& variables) {
  if (std::optional<Error> found = find_not_finite(graph, run, kernels, provider, variables))
    return *std::move(found);
  return {ErrorCode::not_finite, "the loss is not finite, but every node alone gives finite values"};
}

}  // namespace graphrun::runtime
