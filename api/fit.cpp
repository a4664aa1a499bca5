#include "api/fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "api/boundary.hpp"
#include "api/inputs.hpp"
#include "train/learn/early_stop.hpp"
#include "train/learn/loop.hpp"
#include "train/learn/phases.hpp"

namespace graphrun::api {

namespace {

using Log = std::function<void(const std::string&)>;

/// Does `graphrun train` go through stages, or judge by measurements? Then the model alone says how long.
bool is_staged(const TrainRecipe& train) {
  return train.has_phases() || train.greedy || train.subset || train.stop;
}

/// Measures, and tells the host.
class Watch {
 public:
  Watch(train::Learner& learner, const FitOptions& options) : learner_(learner), options_(options) {
    if (!options.validation) return;
    validation_ = examples_of(learner.model(), *options.validation);
    learner.prepare_evaluation(validation_->count);
  }

  void on_step(const train::StepReport& report) const {
    if (options_.on_step) call_host([&] { options_.on_step(report.state.step, report.loss); });
  }

  /// The figures that a measurement judges by.
  train::Figures measure(const train::Figures& train) const {
    return validation_ ? learner_.evaluate(*validation_, options_.stop) : train;
  }

  void on_epoch(const train::EpochSummary& report, const std::string& phase,
                const train::Figures& measured) const {
    if (!options_.on_epoch) return;
    const EpochReport handed{.epoch = static_cast<std::int64_t>(report.state.epoch),
                             .steps = report.state.step,
                             .seconds = report.seconds,
                             .train = named(report.train),
                             .phase = phase,
                             .validation = validation_ ? named(measured) : NamedValues{}};
    call_host([&] { options_.on_epoch(handed); });
  }

  bool has_validation() const { return validation_.has_value(); }

 private:
  train::Learner& learner_;
  const FitOptions& options_;
  std::optional<train::Examples> validation_;
};

class LoopWatch final : public train::LoopObserver {
 public:
  explicit LoopWatch(const Watch& watch) : watch_(watch) {}
  void on_step(const train::StepReport& report) override { watch_.on_step(report); }
  void on_epoch(const train::EpochSummary& report) override {
    watch_.on_epoch(report, {}, watch_.measure(report.train));
  }

 private:
  const Watch& watch_;
};

class PhaseWatch final : public train::PhaseObserver {
 public:
  PhaseWatch(train::Learner& learner, const Watch& watch, const Log& log)
      : learner_(learner), watch_(watch), log_(log) {}

  void on_stage(const train::StageView& stage) override {
    if (stage.name.empty()) return;
    log_(stage.plan.epochs ? fmt::format("{} begins: {} epochs", stage.name, *stage.plan.epochs)
                           : fmt::format("{} begins: {} steps", stage.name, stage.plan.total_steps));
  }

  void on_step(const train::StageView&, const train::StepReport& report) override { watch_.on_step(report); }

  void on_epoch(const train::StageView& stage, const train::EpochSummary& report, bool last) override {
    // While layers are trained one by one, the model as a whole does nothing yet.
    const bool whole = stage.stage.layers == 0 || (last && stage.stage.is_last_layer());
    const train::Figures measured = whole ? watch_.measure(report.train) : report.train;
    if (const auto& stop = stage.phase.stop; stop && whole) {
      if (const std::optional<double> figure = measured.find(stop->metric))
        train::note_measurement(*stop, *figure, learner_);
      if ((last || report.state.ended) && train::restore_best(learner_))
        log_(fmt::format("the weights of epoch {} are restored, where {} was {:.5g}", report.state.stop_epoch,
                         stop->metric, report.state.stop_best));
    }
    watch_.on_epoch(report, stage.name, whole ? measured : train::Figures{});
  }

 private:
  train::Learner& learner_;
  const Watch& watch_;
  const Log& log_;
};

/// Everything that a measurement of a host's may be judged by.
void require_figure(const StopRule& stop, const train::Learner& learner, bool has_validation,
                    const std::vector<std::string>& learnt) {
  const ModelDefinition& model = learner.model();
  const auto named = [&](const auto& declared) {
    return std::ranges::any_of(declared, [&](const auto& one) { return one.name == stop.metric; });
  };
  const bool known = has_validation ? stop.metric == "loss" || named(model.loss) || named(model.metrics)
                                    : std::ranges::find(learnt, stop.metric) != learnt.end();
  if (known) return;
  throw Error(ErrorCode::usage,
              fmt::format("`stop:` judges by '{}', which {}", stop.metric,
                          has_validation ? "only `graphrun train` measures"
                                         : "is not known while learning: give FitOptions::validation"),
              stop.where);
}

/// The model alone says how long.
void require_no_length(const FitOptions& options) {
  if (options.epochs || options.batch)
    throw Error(ErrorCode::usage,
                "the model learns in phases, or until it stops by itself: how long, and in which batches, it "
                "says itself; set `train:` of the model in place of FitOptions::epochs and batch");
}

train::LoopEnd learn_phases(train::Learner& learner, train::Phases& phases, const FitOptions& options,
                            bool has_given_weights, const Log& log) {
  const Watch watch(learner, options);
  for (const PhaseRecipe& phase : learner.model().train->phases)
    if (phase.stop) require_figure(*phase.stop, learner, watch.has_validation(), phases.figures());
  if (has_given_weights && !learner.state().has_begun()) learner.kept()[train::kept_init] = learner.weights();
  PhaseWatch observer(learner, watch, log);
  return phases.run(observer, {}, options.stop);
}

/// What a stop left of an epoch is not taken up: the examples may be others now.
void begin_epoch(train::TrainingState& state) {
  if (state.batch == 0) return;
  ++state.epoch;
  state.clear_epoch();
}

/// What the model and the options say, for a learner that goes on from where it stands.
train::LoopOptions more_of(train::Learner& learner, const FitOptions& options) {
  learner.training_program();
  train::LoopOptions loop = train::loop_options(*learner.model().train);
  if (options.batch) loop.batch = *options.batch;
  if (options.epochs) loop.epochs = *options.epochs;
  loop.stop = options.stop;
  train::TrainingState& state = learner.state();
  begin_epoch(state);
  // Whatever a checkpoint that was loaded stood in is over: a phase, or a stop.
  state.ended = false;
  state.epoch_told.reset();
  return loop;
}

train::LoopEnd learn_more(train::Learner& learner, const train::Examples& examples,
                          const FitOptions& options) {
  train::LoopOptions loop = more_of(learner, options);
  const std::int64_t more =
      loop.epochs ? checked_multiply(*loop.epochs, train::batch_plan(loop, examples.count).batches)
                  : loop.steps.value_or(0);
  loop.epochs.reset();
  loop.steps = static_cast<std::int64_t>(learner.state().stage_step()) + more;
  const Watch watch(learner, options);
  LoopWatch observer(watch);
  return train::learn(learner, examples, loop, observer);
}

train::LoopEnd learn_more(train::Learner& learner, Source& source, const FitOptions& options) {
  train::LoopOptions loop = more_of(learner, options);
  const train::TrainingState& state = learner.state();
  if (loop.epochs) {
    loop.steps.reset();
    loop.epochs = static_cast<std::int64_t>(state.stage_epoch()) + *loop.epochs;
  } else {
    loop.steps = static_cast<std::int64_t>(state.stage_step()) + loop.steps.value_or(0);
  }
  BoundSource bound(learner.model(), source);
  const std::int64_t rows = call_host([&] { return source.rows(); });
  const Watch watch(learner, options);
  LoopWatch observer(watch);
  return train::learn(learner, bound, rows, loop, observer);
}

void require_finished(train::LoopEnd end, const train::Learner& learner) {
  if (end == train::LoopEnd::stopped)
    throw Error(ErrorCode::cancelled,
                fmt::format("learning was stopped after step {}", learner.state().step));
}

}  // namespace

NamedValues named(const train::Figures& figures) {
  NamedValues values;
  for (const train::Figure& figure : figures.values) values.push_back({figure.name, figure.value});
  return values;
}

void fit(train::Learner& learner, const train::Examples& examples, const FitOptions& options,
         bool has_given_weights, const Log& log) {
  const auto& train = learner.model().train;
  if (!train || !is_staged(*train)) return require_finished(learn_more(learner, examples, options), learner);
  require_no_length(options);
  train::Phases phases(learner, examples);
  require_finished(learn_phases(learner, phases, options, has_given_weights, log), learner);
}

void fit(train::Learner& learner, Source& source, const FitOptions& options, bool has_given_weights,
         const Log& log) {
  const auto& train = learner.model().train;
  if (!train || !is_staged(*train)) return require_finished(learn_more(learner, source, options), learner);
  require_no_length(options);
  BoundSource bound(learner.model(), source);
  train::Phases phases(learner, bound, call_host([&] { return source.rows(); }));
  require_finished(learn_phases(learner, phases, options, has_given_weights, log), learner);
}

}  // namespace graphrun::api
