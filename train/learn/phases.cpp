#include "train/learn/phases.hpp"

#include <algorithm>

#include "ops/op.hpp"

namespace graphrun::train {

namespace {

/// Hands what a loop reports on, with the stage that it is about.
class StageObserver final : public LoopObserver {
 public:
  StageObserver(PhaseObserver& observer, const StageView& view, const TrainingState& state)
      : observer_(observer), view_(view), state_(state) {}

  void on_step(const StepReport& report) override { observer_.on_step(view_, report); }
  void on_epoch(const EpochSummary& report) override {
    observer_.on_epoch(view_, report, view_.plan.is_done(state_));
  }

 private:
  PhaseObserver& observer_;
  const StageView& view_;
  const TrainingState& state_;
};

}  // namespace

EpochSummary part_of_epoch(Learner& learner) {
  const TrainingState& state = learner.state();
  FigureSum sums(learner.training_figures());
  sums.restore(state.epoch_sums, state.epoch_rows, state.figure_rows);
  return {.state = state, .train = sums.means(), .seconds = state.epoch_seconds, .rows = state.epoch_rows};
}

Phases::Phases(Learner& learner, const Examples& examples)
    : Phases(learner, std::make_unique<ExampleLessons>(learner, examples)) {}

Phases::Phases(Learner& learner, RowSource& source, std::int64_t rows)
    : Phases(learner, std::make_unique<SourceLessons>(learner, source, rows)) {}

Phases::Phases(Learner& learner, std::unique_ptr<Lessons> lessons)
    : learner_(learner),
      state_(learner.state()),
      train_(train_of(learner.model())),
      lessons_(std::move(lessons)),
      stages_(stages_of(train_)) {
  for (const BatchSteps& steps : steps_of_phases(learner.model(), ops::registry()))
    prepared_[{steps.phase, steps.layer}] = prepare(steps, train_.phases[steps.phase]);
  for (const Stage& stage : stages_)
    if (const BatchPlan& plan = prepared(stage).plan; !plan.epochs) total_steps_ += plan.total_steps;
}

Phases::Prepared Phases::prepare(const BatchSteps& steps, const PhaseRecipe& phase) {
  Prepared made{.steps = learner_.add_steps(steps), .plan = lessons_->plan(phase)};
  learner_.use_steps(made.steps);
  learner_.prepare_steps(made.plan.batch);
  if (made.plan.partial_rows > 0) learner_.prepare_steps(made.plan.partial_rows);
  return made;
}

const Phases::Prepared& Phases::prepared(const Stage& stage) const {
  return prepared_.at({stage.phase, stage.layer});
}

const BatchPlan& Phases::plan_at(const TrainingState& state) const {
  return prepared(stages_[state.has_begun() ? stage_at(train_, stages_, state) : 0]).plan;
}

std::vector<std::string> Phases::figures() const {
  std::vector<std::string> names;
  for (const auto& [key, each] : prepared_) {
    learner_.use_steps(each.steps);
    for (const std::string& name : learner_.training_figures())
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

StageView Phases::view(const Stage& stage) const {
  return {.phase = phase_of(stage),
          .stage = stage,
          .name = name_of(train_, stage),
          .plan = prepared(stage).plan,
          .total_steps = total_steps_};
}

LoopEnd Phases::run(PhaseObserver& observer, std::optional<std::uint64_t> max_steps, std::stop_token stop) {
  std::size_t index = 0;
  if (state_.has_begun()) {
    index = stage_at(train_, stages_, state_);
  } else {
    begin(index);
  }
  while (true) {
    const Stage& stage = stages_[index];
    if (!is_done(stage) && run_stage(stage, observer, max_steps, stop) == LoopEnd::stopped)
      return LoopEnd::stopped;
    if (!is_done(stage) || index + 1 == stages_.size()) return LoopEnd::finished;
    end(index);
    begin(++index);
  }
}

bool Phases::is_done(const Stage& stage) const {
  return prepared(stage).plan.is_done(state_);
}

LoopEnd Phases::run_stage(const Stage& stage, PhaseObserver& observer, std::optional<std::uint64_t> max_steps,
                          const std::stop_token& stop) {
  const StageView seen = view(stage);
  if (max_steps && state_.step >= *max_steps) return LoopEnd::finished;
  learner_.initialise();
  if (!lessons_->begin(stage, stop)) return LoopEnd::stopped;
  learner_.use_steps(prepared(stage).steps);
  LoopOptions options = loop_options(seen.phase);
  if (max_steps) options.max_steps = *max_steps - state_.first_step;
  options.order_seed = seed_of_draw(state_.seed, stage.draw);
  options.stop = stop;
  StageObserver adapter(observer, seen, state_);
  observer.on_stage(seen);
  const LoopEnd end = lessons_->learn(options, adapter);
  // A stage that counts steps may end within an epoch.
  if (is_done(stage) && state_.batch > 0 && !state_.ended)
    observer.on_epoch(seen, part_of_epoch(learner_), true);
  return end;
}

/// The weights that the stage starts from, and everything else that is new in it.
void Phases::begin(std::size_t index) {
  const Stage& stage = stages_[index];
  const PhaseRecipe& phase = phase_of(stage);
  const bool first_layer = stage.layer == 0;
  const bool follows =
      index > 0 && stage.draw == 0 && train_.phases[stages_[index - 1].phase].name == phase.start;
  if (first_layer && phase.start == "init") {
    learner_.initialise_again(seed_of_draw(state_.seed, stage.draw));
    if (const auto given = learner_.kept().find(kept_init); given != learner_.kept().end())
      learner_.set_weights(given->second);
  } else if (first_layer && !follows) {
    learner_.set_weights(learner_.kept().at(phase.start));
  }
  std::erase_if(learner_.kept(), [&](const auto& kept) { return !is_needed_after(index, kept.first); });
  learner_.reset_optimizers();
  state_.begun = true;
  state_.phase = phase.name;
  state_.draw = stage.draw;
  state_.layer = stage.layer;
  state_.first_step = state_.step;
  state_.first_epoch = state_.epoch;
  state_.ended = false;
  state_.disappointments = 0;
  state_.stop_best = std::numeric_limits<double>::quiet_NaN();
  state_.best_score = std::numeric_limits<double>::quiet_NaN();
  state_.best_step = 0;
  state_.clear_epoch();
}

void Phases::end(std::size_t index) {
  const Stage& stage = stages_[index];
  const PhaseRecipe& phase = phase_of(stage);
  const bool ends_phase = stage.is_last_layer() && stage.draw + 1 == static_cast<std::uint64_t>(phase.draws);
  if (ends_phase && is_needed_after(index, phase.name)) learner_.kept()[phase.name] = learner_.weights();
}

/// Does a stage after this one start from the weights of that name?
bool Phases::is_needed_after(std::size_t index, const std::string& kept) const {
  return std::any_of(stages_.begin() + static_cast<std::ptrdiff_t>(index) + 1, stages_.end(),
                     [&](const Stage& stage) { return stage.layer == 0 && phase_of(stage).start == kept; });
}

}  // namespace graphrun::train
