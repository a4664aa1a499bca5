#include "train/learn/supply/lessons.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "train/learn/greedy.hpp"
#include "train/learn/learning_step.hpp"

namespace graphrun::train {

namespace {

/// The column of a model's labels; empty when it has none.
std::string labels_of(const ModelDefinition& model) {
  for (const ModelInput& input : model.inputs)
    if (input.source == InputSource::labels) return input.name;
  return {};
}

/// How many examples a subset of so many has.
std::int64_t count_of(const std::optional<SubsetRecipe>& subset, std::int64_t count) {
  if (!subset) return count;
  return std::min(subset->sample.value_or(subset->first.value_or(count)), count);
}

const PhaseRecipe& phase_of(const Learner& learner, const Stage& stage) {
  return train_of(learner.model()).phases[stage.phase];
}

/// Nothing when a stop came in between.
std::optional<Examples> examples_of(Learner& learner, const Stage& stage, const Examples& all,
                                    const std::stop_token& stop) {
  const PhaseRecipe& phase = phase_of(learner, stage);
  const Examples examples =
      phase.subset ? subset_of(all, *phase.subset, seed_of_draw(learner.state().seed, stage.draw),
                               labels_of(learner.model()))
                   : all;
  if (!phase.greedy) return examples;
  try {
    return layer_examples(learner, phase, stage.layer, examples, stop);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::cancelled) throw;
    return std::nullopt;
  }
}

bool has_column(const RowSource& source, const std::string& name) {
  return std::ranges::find(source.columns(), name, &SourceColumn::input) != source.columns().end();
}

}  // namespace

ExampleLessons::ExampleLessons(Learner& learner, const Examples& examples)
    : learner_(learner), examples_(examples) {
  // What is wrong with a subset is told before anything is learnt.
  for (const PhaseRecipe& phase : train_of(learner.model()).phases)
    if (phase.subset) subset_of(examples_, *phase.subset, learner.state().seed, labels_of(learner.model()));
}

BatchPlan ExampleLessons::plan(const PhaseRecipe& phase) const {
  return batch_plan(loop_options(phase), count_of(phase.subset, examples_.count));
}

bool ExampleLessons::begin(const Stage& stage, const std::stop_token& stop) {
  of_stage_ = examples_of(learner_, stage, examples_, stop);
  return of_stage_.has_value();
}

LoopEnd ExampleLessons::learn(const LoopOptions& options, LoopObserver& observer) {
  return train::learn(learner_, *of_stage_, options, observer);
}

SourceLessons::SourceLessons(Learner& learner, RowSource& source, std::int64_t rows)
    : learner_(learner), source_(source), rows_(rows) {
  for (const PhaseRecipe& phase : train_of(learner.model()).phases)
    if (phase.subset && !phase.subset->first)
      throw Error(ErrorCode::usage,
                  fmt::format("a sample of a source is drawn from rows that are held in memory, and nothing "
                              "says how many: write `subset: {{first: {}, sample: {}}}`, say, or give the "
                              "examples as Inputs",
                              10 * phase.subset->sample.value_or(1), phase.subset->sample.value_or(1)),
                  phase.subset->where);
}

BatchPlan SourceLessons::plan(const PhaseRecipe& phase) const {
  if (phase.subset) return batch_plan(loop_options(phase), count_of(phase.subset, *phase.subset->first));
  return source_plan(loop_options(phase), rows_);
}

bool SourceLessons::begin(const Stage& stage, const std::stop_token& stop) {
  of_stage_.reset();
  layer_input_.reset();
  if (phase_of(learner_, stage).subset) return begin_held(stage, stop);
  held_ = {};
  begin_epochs(stage);
  return true;
}

bool SourceLessons::begin_held(const Stage& stage, const std::stop_token& stop) {
  const std::int64_t first = *phase_of(learner_, stage).subset->first;
  if (held_.count != first) held_ = first_rows(source_, first, learner_.state().seed);
  of_stage_ = examples_of(learner_, stage, held_, stop);
  return of_stage_.has_value();
}

void SourceLessons::begin_epochs(const Stage& stage) {
  TrainingState& state = learner_.state();
  if (state.batch > 0) {
    ++state.epoch;  // a source cannot go on in the midst of one
    state.clear_epoch();
  }
  if (rows_ == 0 && state.stage_step() == 0) state.steps_per_epoch = 0;  // batches may be larger than before
  const PhaseRecipe& phase = phase_of(learner_, stage);
  if (!phase.greedy) return;
  const NodeId input = phase.greedy->encoder[stage.layer].input;
  if (!has_column(source_, learner_.model().graph.node(input).name)) layer_input_ = input;
}

LoopEnd SourceLessons::learn(const LoopOptions& options, LoopObserver& observer) {
  if (of_stage_) return train::learn(learner_, *of_stage_, options, observer);
  return train::learn(learner_, source_, rows_, options, observer, layer_input_);
}

}  // namespace graphrun::train
