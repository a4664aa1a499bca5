#include "train/learn/loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "train/learn/supply/example_supply.hpp"
#include "train/learn/supply/layer_supply.hpp"

namespace graphrun::train {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// One call of learn(): the buffers and clocks that live as long as it does.
class Loop {
 public:
  Loop(Learner& learner, Supply& supply, const BatchPlan& plan, const LoopOptions& options,
       LoopObserver& observer)
      : learner_(learner),
        state_(learner.state()),
        supply_(supply),
        options_(options),
        observer_(observer),
        plan_(plan),
        sums_(learner.training_figures()),
        figures_(learner.training_figures().size()) {}

  LoopEnd run() {
    prepare();
    if (state_.batch > 0) sums_.restore(state_.epoch_sums, state_.epoch_rows, state_.figure_rows);
    try {
      while (!finished()) {
        if (options_.stop.stop_requested()) return LoopEnd::stopped;
        if (!run_epoch()) return LoopEnd::stopped;
      }
    } catch (const Error& error) {
      // Others with whom it learns are gone: the learner stands where it stood after the last whole step.
      if (error.code() != ErrorCode::cancelled) throw;
      return LoopEnd::stopped;
    }
    return LoopEnd::finished;
  }

 private:
  void prepare() {
    learner_.prepare_steps(plan_.batch);
    if (plan_.partial_rows > 0) learner_.prepare_steps(plan_.partial_rows);
    learner_.initialise();
    // After a step nothing may fail: what a step leaves in the state has its room now.
    state_.epoch_sums.reserve(figures_.size());
    state_.figure_rows.reserve(figures_.size());
    if (plan_.batches > 0) state_.steps_per_epoch = static_cast<std::uint64_t>(plan_.batches);
  }

  bool finished() const { return plan_.is_done(state_); }

  /// Runs the epoch from where it stands; false when a stop was asked for before its end.
  bool run_epoch() {
    supply_.begin(options_.order_seed.value_or(state_.seed), state_.stage_epoch(), state_.batch);
    while (supply_.rows() > 0) {
      if (finished()) return true;
      learner_.team().agree_on_stop();
      if (options_.stop.stop_requested()) return false;
      run_batch();
    }
    end_epoch();
    return true;
  }

  void run_batch() {
    const Clock::time_point start = Clock::now();
    const std::int64_t rows = supply_.rows();
    // The stop token is not handed down: a stop finishes the step at hand.
    learner_.step(supply_.feeds(), rows, state_.batch * static_cast<std::uint64_t>(plan_.batch), figures_, {},
                  &supply_);
    sums_.add_learnt(figures_, rows);
    ++state_.batch;
    state_.epoch_sums.assign(sums_.sums().begin(), sums_.sums().end());
    state_.figure_rows.assign(sums_.figure_rows().begin(), sums_.figure_rows().end());
    state_.epoch_rows = sums_.rows();
    const double spent = seconds_since(start);
    state_.epoch_seconds += spent;
    state_.seconds += spent;
    rows_ += rows;
    supply_.advance();
    observer_.on_step({.state = state_,
                       .plan = plan_,
                       .loss = sums_.loss(),
                       .rows = rows_,
                       .seconds = seconds_since(start_)});
  }

  void end_epoch() {
    const EpochSummary report{
        .state = state_, .train = sums_.means(), .seconds = state_.epoch_seconds, .rows = sums_.rows()};
    sums_.clear();
    if (plan_.batches == 0) state_.steps_per_epoch = state_.batch;
    ++state_.epoch;
    state_.clear_epoch();
    observer_.on_epoch(report);
  }

  Learner& learner_;
  TrainingState& state_;
  Supply& supply_;
  const LoopOptions& options_;
  LoopObserver& observer_;
  BatchPlan plan_;
  FigureSum sums_;
  std::vector<float> figures_;
  std::int64_t rows_ = 0;
  Clock::time_point start_ = Clock::now();
};

std::uint64_t total_steps(const LoopOptions& options, std::int64_t batches) {
  const std::int64_t asked =
      options.steps ? *options.steps : checked_multiply(options.epochs.value_or(1), batches);
  const auto total = static_cast<std::uint64_t>(std::max<std::int64_t>(asked, 0));
  return options.max_steps ? std::min(total, *options.max_steps) : total;
}

std::unique_ptr<Supply> supply_of(Learner& learner, RowSource& source, const LoopOptions& options,
                                  const std::optional<NodeId>& layer_input) {
  if (layer_input)
    return std::make_unique<LayerSupply>(learner, *layer_input, source, options.batch, options.keep_partial);
  return std::make_unique<SourceSupply>(source, learner.training_inputs(), options.batch,
                                        options.keep_partial);
}

}  // namespace

bool BatchPlan::is_done(const TrainingState& state) const {
  return state.ended || state.stage_step() >= total_steps ||
         (epochs && std::cmp_greater_equal(state.stage_epoch(), *epochs));
}

LoopOptions loop_options(const PhaseRecipe& phase) {
  return {.batch = phase.batch,
          .epochs = phase.epochs,
          .steps = phase.steps,
          .keep_partial = phase.keep_partial,
          .max_steps = {},
          .order_seed = {},
          .stop = {}};
}

BatchPlan batch_plan(const LoopOptions& options, std::int64_t count) {
  if (count < 1) throw Error(ErrorCode::usage, "there are no examples to learn from");
  if (options.batch < 1)
    throw Error(ErrorCode::usage, fmt::format("batch {} is not a number of examples", options.batch));
  const std::int64_t rest = count % options.batch;
  const bool partial = options.keep_partial && rest > 0;
  const std::int64_t batches = count / options.batch + (partial ? 1 : 0);
  if (batches == 0)
    throw Error(ErrorCode::usage,
                fmt::format("{} examples do not fill one batch of {}, and `partial: drop` leaves no other; "
                            "make the batch smaller or keep the partial one",
                            count, options.batch));
  return {.batch = std::min(options.batch, count),
          .batches = batches,
          .partial_rows = partial && count > options.batch ? rest : 0,
          .total_steps = total_steps(options, batches)};
}

BatchPlan source_plan(const LoopOptions& options, std::int64_t rows) {
  if (options.batch < 1)
    throw Error(ErrorCode::usage, fmt::format("batch {} is not a number of examples", options.batch));
  BatchPlan plan{.batch = options.batch,
                 .total_steps = options.max_steps.value_or(std::numeric_limits<std::uint64_t>::max())};
  if (options.steps)
    plan.total_steps = total_steps(options, 0);
  else
    plan.epochs = options.epochs;
  if (rows > 0) plan.partial_rows = batch_plan(options, rows).partial_rows;
  return plan;
}

LoopEnd learn(Learner& learner, const Examples& examples, const LoopOptions& options,
              LoopObserver& observer) {
  const BatchPlan plan = batch_plan(options, examples.count);
  ExampleSupply supply(learner, examples, plan.batch, plan.batches);
  return Loop(learner, supply, plan, options, observer).run();
}

LoopEnd learn(Learner& learner, RowSource& source, std::int64_t rows, const LoopOptions& options,
              LoopObserver& observer, std::optional<NodeId> layer_input) {
  const BatchPlan plan = source_plan(options, rows);
  if (rows > 0)
    learner.state().steps_per_epoch = static_cast<std::uint64_t>(batch_plan(options, rows).batches);
  const std::unique_ptr<Supply> supply = supply_of(learner, source, options, layer_input);
  return Loop(learner, *supply, plan, options, observer).run();
}

}  // namespace graphrun::train
