/// \file
/// All phases of a model's training, from wherever a run stands to the end: what each starts from, its
/// examples, its optimizers. It writes no file and measures nothing: whoever runs it watches.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "train/learn/learner.hpp"
#include "train/learn/loop.hpp"
#include "train/learn/stages.hpp"
#include "train/learn/supply/lessons.hpp"

namespace graphrun::train {

/// A stage as an observer sees it.
struct StageView {
  const PhaseRecipe& phase;
  Stage stage;
  std::string name;  ///< "fine", "tuned, draw 3 of 20"; empty for a model without phases
  BatchPlan plan;
  std::uint64_t total_steps = 0;  ///< of all stages together, if none ends early
};

class PhaseObserver {
 public:
  virtual ~PhaseObserver() = default;
  /// Before the first step of a stage, or the first after an interruption.
  virtual void on_stage(const StageView&) {}
  virtual void on_step(const StageView&, const StepReport&) {}
  /// After an epoch, and after what a stage that counts steps has done of one; `last`: the stage ends here.
  /// The learner stands between two steps: it may be measured and saved; state().ended ends the stage.
  virtual void on_epoch(const StageView&, const EpochSummary&, bool /*last*/) {}
};

class Phases {
 public:
  /// Compiles the steps of all phases. Nothing is learnt yet. All references must outlive this.
  Phases(Learner& learner, const Examples& examples);
  /// The same from a source with so many rows in an epoch; 0: nobody knows. Errors as SourceLessons.
  Phases(Learner& learner, RowSource& source, std::int64_t rows);

  /// As many as can be counted where a source gives the examples.
  std::uint64_t total_steps() const { return total_steps_; }
  const BatchPlan& plan_at(const TrainingState& state) const;
  /// Every figure that some stage reports while learning, each once.
  std::vector<std::string> figures() const;

  /// From where learner.state() stands to the end, to a stop, or until `max_steps` are done in all. Weights
  /// that have no value are initialised.
  LoopEnd run(PhaseObserver& observer, std::optional<std::uint64_t> max_steps, std::stop_token stop);

 private:
  struct Prepared {
    std::size_t steps = 0;
    BatchPlan plan;
  };
  Phases(Learner& learner, std::unique_ptr<Lessons> lessons);
  Prepared prepare(const BatchSteps& steps, const PhaseRecipe& phase);
  const Prepared& prepared(const Stage& stage) const;
  const PhaseRecipe& phase_of(const Stage& stage) const { return train_.phases[stage.phase]; }
  StageView view(const Stage& stage) const;
  LoopEnd run_stage(const Stage& stage, PhaseObserver& observer, std::optional<std::uint64_t> max_steps,
                    const std::stop_token& stop);
  bool is_done(const Stage& stage) const;
  void begin(std::size_t index);
  void end(std::size_t index);
  bool is_needed_after(std::size_t index, const std::string& kept) const;

  Learner& learner_;
  TrainingState& state_;
  const TrainRecipe& train_;
  std::unique_ptr<Lessons> lessons_;
  std::vector<Stage> stages_;
  std::map<std::pair<std::size_t, std::size_t>, Prepared> prepared_;  ///< by phase and layer
  std::uint64_t total_steps_ = 0;
};

/// What the epoch at hand has given so far.
EpochSummary part_of_epoch(Learner& learner);

/// The name under which the weights lie that --weights gave, for phases that start from the beginning.
inline constexpr const char* kept_init = "init";

}  // namespace graphrun::train
