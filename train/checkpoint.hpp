/// \file
/// One safetensors file holds all that a run is: weights, optimizer state under `optimizer/variable/slot`,
/// weights that later phases start from under `kept/phase/variable`, where the run stands, and the model
/// itself as YAML. Any tool that reads safetensors opens it.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "train/learner.hpp"
#include "train/run_directory.hpp"
#include "train/safetensors.hpp"
#include "train/state.hpp"

namespace graphrun::train {

/// A file that was checked from end to end: every sum fits.
class Checkpoint {
 public:
  /// Error{data} when it is damaged or no checkpoint of graphrun's; Error{io}.
  explicit Checkpoint(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const std::string& model() const;  ///< resolved YAML
  const TrainingState& state() const { return state_; }
  const SafetensorsFile& file() const { return file_; }
  /// The instruction set and library versions it was made with.
  std::string made_with() const;

 private:
  SafetensorsFile file_;
  TrainingState state_;
};

/// Writes variables and state, durable and all or nothing. Error{io}.
void save_checkpoint(const std::filesystem::path& path, const Learner& learner);

/// Puts weights, optimizer state and position into the learner. Error{data} when a parameter is missing or
/// has another shape: then nothing has changed.
void restore(Learner& learner, const Checkpoint& checkpoint);

/// Takes the weights alone, from any safetensors file with the parameters' names and shapes.
void restore_weights(Learner& learner, const SafetensorsFile& file);

/// What this process would write for Checkpoint::made_with().
std::string made_with_here();

/// The newest checkpoint of a run that is whole. Damaged newer ones are passed over, with a note each.
/// Error{data} when there is none.
struct FoundCheckpoint {
  Checkpoint checkpoint;
  std::vector<std::string> notes;
};
FoundCheckpoint newest_checkpoint(const std::filesystem::path& run);

/// The whole one with the lowest score of those from the phase of the newest; the earliest of equals.
FoundCheckpoint best_checkpoint(const std::filesystem::path& run);

/// A file, or the run directory that stands for its newest or best.
FoundCheckpoint find_checkpoint(const std::filesystem::path& file_or_run, bool best);

/// Removes all but the `keep` newest and the best. Called after the newest is durable.
void prune_checkpoints(const std::filesystem::path& run, std::size_t keep, std::uint64_t best_step);

}  // namespace graphrun::train
