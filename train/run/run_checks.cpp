#include "train/run/run_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "graph/print.hpp"
#include "graphrun/version.hpp"
#include "ops/op.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learning_step.hpp"
#include "train/learn/programs.hpp"

namespace graphrun::train {

namespace {

std::string hash_of(const void* bytes, std::size_t size) {
  return fmt::format("{:016x}", std::hash<std::string_view>{}({static_cast<const char*>(bytes), size}));
}

/// Of large data pieces from all over: who holds other data differs in nearly all of them.
std::string hash_of(std::span<const std::byte> bytes) {
  constexpr std::size_t pieces = 64;
  constexpr std::size_t piece = std::size_t{1} << 20;
  if (bytes.size() <= pieces * piece) return hash_of(bytes.data(), bytes.size());
  std::string text = std::to_string(bytes.size());
  for (std::size_t i = 0; i < pieces; ++i)
    text += hash_of(bytes.data() + (bytes.size() - piece) / (pieces - 1) * i, piece);
  return text;
}

std::string hash_of(const Examples& examples) {
  std::string text = std::to_string(examples.count);
  for (const auto& [name, column] : examples.columns) text += " " + name + " " + hash_of(column.bytes);
  return text;
}

std::string hash_of(const std::vector<Examples>& measured) {
  std::string text;
  for (const Examples& each : measured) text += hash_of(each) + " ";
  return text;
}

std::string hash_of(const Learner::Weights& weights) {
  std::string text;
  for (const auto& [name, values] : weights)
    text += " " + name + " " + hash_of(values.data(), values.size() * sizeof(float));
  return text;
}

/// Where a run begins: weights of a checkpoint, or those that were given.
std::string beginning_of(const Learner& learner) {
  std::string text =
      fmt::format("{} {}", learner.state().step, learner.state().has_begun() ? learner.digest() : "");
  for (const auto& [name, weights] : learner.kept()) text += " " + name + hash_of(weights);
  return text;
}

/// The part of a text before its first line break, which is taken off it.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// The inputs of a graph that data fill.
std::vector<std::string> data_inputs(const ModelDefinition& model, const Graph& graph) {
  std::vector<std::string> names;
  for (const ModelInput& input : model.inputs)
    if (graph.find(input.name)) names.push_back(input.name);
  return names;
}

}  // namespace

void require_same_run(Learner& learner, const Examples& examples, const std::vector<Examples>& measured,
                      std::optional<std::uint64_t> max_steps) {
  runtime::Team& team = learner.team();
  if (team.members() == 1) return;
  const std::string& model = learner.model().resolved;
  const std::vector<std::pair<const char*, std::string>> own = {
      {"another version of graphrun", std::string(version)},
      {"another kind of processor, or another provider", made_with(learner)},
      {"another model", hash_of(model.data(), model.size())},
      {"other training data", hash_of(examples)},
      {"other test or validation data", hash_of(measured)},
      {"another beginning: other weights, or another checkpoint", beginning_of(learner)},
      {"another --max-steps", max_steps ? std::to_string(*max_steps) : "none"}};
  std::string said;
  for (const auto& [what, value] : own) said += value + "\n";
  const std::vector<std::string> all = team.gather(said);
  for (std::size_t member = 1; member < all.size(); ++member) {
    std::string_view first = all.front();
    std::string_view other = all[member];
    for (const auto& [what, value] : own) {
      const std::string_view of_first = take_line(first);
      if (take_line(other) != of_first)
        throw Error(ErrorCode::usage,
                    fmt::format("process {} of {} has {} than process 1: processes that learn together must "
                                "be started alike",
                                member + 1, all.size(), what));
    }
  }
}

void require_inputs(const ModelDefinition& model, const Examples& examples, const Examples* test) {
  const auto lacks_some = [&](const Examples& split) {
    return std::ranges::any_of(model.inputs,
                               [&](const ModelInput& input) { return !split.columns.contains(input.name); });
  };
  // To compile takes its time, and hardly ever is there anything to find.
  if (lacks_some(examples)) {
    for (const BatchSteps& steps : steps_of_phases(model, ops::registry()))
      if (!train_of(model).phases[steps.phase].greedy)
        for (const LearningStep& step : steps.steps)
          require_values(model, examples, data_inputs(model, step.forward));
  }
  if (test != nullptr && lacks_some(*test))
    require_values(model, *test, data_inputs(model, *evaluation_program(model, ops::registry()).graph));
}

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

void require_stops_measured(const ModelDefinition& model, const Examples& measured,
                            const std::string& split) {
  for (const PhaseRecipe& phase : train_of(model).phases)
    for (const ProbeRecipe& probe : model.probes)
      if (phase.stop && phase.stop->metric == probe.name && !probe.labels.empty() &&
          !measured.columns.contains(probe.labels))
        throw Error(ErrorCode::data,
                    fmt::format("`stop:` waits for '{}', which needs '{}', and the {} data have none",
                                probe.name, probe.labels, split),
                    phase.stop->where);
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
