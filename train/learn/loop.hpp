/// \file
/// The training loop: epochs of seeded order, batches, schedules, figures. It writes no file and prints
/// nothing; whoever calls it watches through an observer.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>

#include "train/datasets/examples.hpp"
#include "train/learn/figures.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/supply/source_supply.hpp"

namespace graphrun::train {

struct LoopOptions {
  std::int64_t batch = 128;
  std::optional<std::int64_t> epochs;  ///< exactly one of epochs and steps
  std::optional<std::int64_t> steps;
  bool keep_partial = true;  ///< the last batch of an epoch, when it is smaller
  /// Ends the loop when so many steps are done in its stage, whatever epochs and steps say.
  std::optional<std::uint64_t> max_steps;
  std::optional<std::uint64_t> order_seed;  ///< of the order of examples; by default the run's
  std::stop_token stop;                     ///< finishes the step at hand
};
LoopOptions loop_options(const PhaseRecipe& phase);

/// How an epoch of `count` examples is cut into batches.
struct BatchPlan {
  std::int64_t batch = 1;
  std::int64_t batches = 0;       ///< in an epoch
  std::int64_t partial_rows = 0;  ///< of the last batch when it is smaller; else 0
  std::uint64_t total_steps = 0;  ///< of the whole stage
  /// Of a source, whose batches nobody counts before they come: the stage has so many epochs, and `batches`
  /// is 0.
  std::optional<std::int64_t> epochs = {};
  /// Is a stage over that stands there?
  bool is_done(const TrainingState& state) const;
};
/// Error{usage} when no batch would be left.
BatchPlan batch_plan(const LoopOptions& options, std::int64_t count);
/// The same of a source with so many rows in an epoch; 0: nobody knows.
BatchPlan source_plan(const LoopOptions& options, std::int64_t rows);

struct StepReport {
  const TrainingState& state;  ///< after the step
  const BatchPlan& plan;
  double loss = 0;        ///< mean over the epoch so far
  std::int64_t rows = 0;  ///< learnt since the loop began
  double seconds = 0;     ///< since the loop began
};

struct EpochSummary {
  const TrainingState& state;  ///< after the epoch: state.epoch counts it
  Figures train;               ///< while learning, over the epoch
  double seconds = 0;          ///< of the epoch's steps, over interruptions
  std::int64_t rows = 0;
};

class LoopObserver {
 public:
  virtual ~LoopObserver() = default;
  virtual void on_step(const StepReport&) {}
  /// May evaluate and save: the learner stands between two steps.
  virtual void on_epoch(const EpochSummary&) {}
};

enum class LoopEnd { finished, stopped };

/// Learns by the steps in use from where learner.state() stands until the end of its stage or a stop. The
/// weights are initialised if they are not. Everything is compiled before the first step. Throws
/// Error{not_finite}; nothing of that step is kept.
LoopEnd learn(Learner& learner, const Examples& examples, const LoopOptions& options, LoopObserver& observer);

/// The same from a source, epoch by epoch. `rows`: how many an epoch has; 0: nobody knows, and schedules in
/// epochs know it after the first. An epoch is never taken up in its midst. `layer_input`: a greedy layer
/// learns from what the layers below make of the rows, see LayerSupply.
LoopEnd learn(Learner& learner, RowSource& source, std::int64_t rows, const LoopOptions& options,
              LoopObserver& observer, std::optional<NodeId> layer_input = {});

}  // namespace graphrun::train
