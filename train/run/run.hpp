/// \file
/// A whole run: data, loop, evaluation after each epoch, metrics files, checkpoints, pictures. What `graphrun
/// train` does, without a word on the terminal: whoever watches is told through RunObserver.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "language/recipe/definition.hpp"
#include "runtime/execute/session.hpp"
#include "train/datasets/dataset.hpp"
#include "train/learn/figures.hpp"
#include "train/learn/phases.hpp"
#include "train/run/checkpoint_choice.hpp"
#include "train/run/run_directory.hpp"

namespace graphrun::train {

struct RunOptions {
  std::vector<WeightsRecipe> weights;    ///< begin with what fits of these files; empty: as the model says
  std::vector<std::string> weights_map;  ///< for whichever of them has what stands on the left
  std::filesystem::path out;             ///< the run directory; empty: runs/NAME-N
  runtime::SessionOptions session;
  std::optional<std::uint64_t> max_steps;
  bool tensorboard = false;  ///< write event files too: see event_log.hpp
  std::size_t keep = 2;      ///< newest checkpoints that are kept, beside the best
  std::stop_token stop;
  /// Others that learn the same run. The first member writes all that is written, watches and is watched; the
  /// rest compute. `stop` is then one that turns on all of them at the same call. Null: nobody.
  std::shared_ptr<runtime::Team> team;
};

/// Told before the first step.
struct RunStart {
  const ModelDefinition& model;
  const Dataset& data;
  const RunDirectory& directory;
  const TrainingState& state;     ///< where it begins: step 0 unless resumed
  BatchPlan plan;                 ///< of the first stage
  std::uint64_t total_steps = 0;  ///< of all stages, if none ends early
  std::int64_t parameters = 0;
};

/// Told after each epoch that is measured, when everything of it is on disk. Where an epoch has fewer
/// examples than there are test images, only every so many-th is.
struct RunEpoch {
  const StageView& stage;
  const EpochSummary& loop;
  std::optional<Figures> test;  ///< of the epoch's own weights, on Dataset::measured()
  std::filesystem::path checkpoint;
  bool best = false;
};

class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_start(const RunStart&) {}
  virtual void on_stage(const StageView&) {}
  virtual void on_step(const StageView&, const StepReport&) {}
  virtual void on_epoch(const RunEpoch&) {}
  virtual void on_event(const std::string&) {}  ///< what happened, for the log
  virtual void on_note(const std::string&) {}   ///< what a person should know
};

struct RunResult {
  LoopEnd end = LoopEnd::finished;
  std::filesystem::path directory;   ///< empty on members that do not write
  std::filesystem::path checkpoint;  ///< the same
  std::filesystem::path picture;     ///< the last reconstruction sheet; empty when the model has no image
  std::filesystem::path report;      ///< report.html; empty when the run was stopped
  std::uint64_t epochs = 0;
  std::uint64_t steps = 0;
  double seconds = 0;
  Figures train;                      ///< of the last epoch
  std::optional<Figures> validation;  ///< after the last step, where `split:` keeps rows for it
  std::optional<Figures> test;        ///< after the last step
  std::vector<PhaseResult> results;   ///< of each phase and draw, when the model has phases
  std::string digest;
  bool has_pictures = false;  ///< or rows of numbers
  bool has_table = false;     ///< rows of a table, whose columns have names
  bool has_test_data = false;
};

/// Learns from the beginning. Error{usage} when members of a team differ in model, data, version or
/// processor. Throws what loading data, compiling, learning and writing throw; when it throws
/// Error{not_finite}, the last checkpoint is from before.
RunResult start_run(std::shared_ptr<const ModelDefinition> model, const RunOptions& options,
                    RunObserver& observer);

/// Continues in the directory of a checkpoint, which is locked by the member that writes, to the same bits as
/// if it had never stopped. `model` is the checkpoint's, with settings applied: its graph must be the same,
/// its `train:` may differ. Error{usage} when the graph differs.
RunResult resume_run(std::shared_ptr<const ModelDefinition> model, const FoundCheckpoint& from,
                     RunDirectory directory, const RunOptions& options, RunObserver& observer);

}  // namespace graphrun::train
