#include "train/run/run_checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/print.hpp"
#include "train/learn/definition.hpp"

namespace graphrun::train {

void require_stops_by(const std::vector<std::string>& learnt, const TrainRecipe& train) {
  for (const PhaseRecipe& phase : train.phases)
    if (phase.stop && std::find(learnt.begin(), learnt.end(), phase.stop->metric) == learnt.end())
      throw Error(ErrorCode::usage,
                  fmt::format("`stop:` waits for '{}', which is measured on test data, and there are none",
                              phase.stop->metric),
                  phase.stop->where);
}

void require_probed_labels(const ModelDefinition& model, const Examples& examples, const Examples& test) {
  for (const ProbeRecipe& probe : model.probes)
    if (!probe.labels.empty() && !ProbeRecipe::is_of_scores(probe.kind) &&
        (!examples.columns.contains(probe.labels) || !test.columns.contains(probe.labels)))
      throw Error(ErrorCode::data,
                  fmt::format("the probe '{}' needs labels, and the data have none", probe.name),
                  probe.where);
}

void require_same_computation(const ModelDefinition& model, Precision precision,
                              const Checkpoint& checkpoint) {
  const SharedDefinition before = parse_definition(checkpoint.model(), checkpoint.path().string() + ":model");
  if (to_text(before->graph) != to_text(model.graph))
    throw Error(
        ErrorCode::usage,
        fmt::format("the graph of the model is not the one that {} was learning, so it cannot continue; "
                    "settings below `train` may be changed, others not",
                    checkpoint.path().string()));
  if (before->precision() != precision)
    throw Error(
        ErrorCode::usage,
        fmt::format("{} was learning with the precision {} and goes on with it, not with {}",
                    checkpoint.path().string(), to_string(before->precision()), to_string(precision)));
}

void require_position_fits(const TrainingState& state, const BatchPlan& plan) {
  if (state.batch > static_cast<std::uint64_t>(plan.batches))
    throw Error(
        ErrorCode::usage,
        fmt::format("the run was interrupted after batch {} of an epoch, which has {} now; continue it "
                    "with the same batch size and data",
                    state.batch, plan.batches));
}

}  // namespace graphrun::train
