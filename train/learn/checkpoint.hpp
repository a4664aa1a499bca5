/// \file
/// One safetensors file holds all that a run is: weights, optimizer state under `optimizer/variable/slot`,
/// weights that later phases start from under `kept/phase/variable`, where the run stands, and the model
/// itself as YAML. Any tool that reads safetensors opens it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "files/safetensors.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/state.hpp"

namespace graphrun::train {

/// A file that was checked from end to end: every sum fits.
class Checkpoint {
 public:
  /// Error{data} when it is damaged, no checkpoint of graphrun's, or holds kept weights of variables that it
  /// does not hold itself; Error{io}.
  explicit Checkpoint(const std::filesystem::path& path);
  /// The same of bytes in memory, which must outlive this.
  explicit Checkpoint(files::StoredBytes bytes);

  const std::filesystem::path& path() const { return file_.path(); }
  const std::string& model() const;  ///< resolved YAML
  const TrainingState& state() const { return state_; }
  const files::SafetensorsFile& file() const { return file_; }
  /// The instruction set, library versions and provider it was made with.
  std::string made_with() const;

 private:
  files::SafetensorsFile file_;
  TrainingState state_;
};

/// Does the file say that it is a checkpoint of graphrun's? Nothing else of it is looked at.
bool is_checkpoint(const files::SafetensorsFile& file);

/// Writes variables and state, durable and all or nothing. Of slots of which the learner has a part alone,
/// `collected` is the whole (Learner::collected_slots()). Error{io}; Error{not_finite} when the learner is
/// spoilt: such a state is never saved.
void save_checkpoint(const std::filesystem::path& path, const Learner& learner,
                     const Learner::Weights& collected = {});
/// The bytes of the same file. Error{not_finite} as above.
std::vector<std::byte> checkpoint_bytes(const Learner& learner);

/// Puts weights, optimizer state and position into the learner. Error{data} when a parameter is missing or
/// has another shape. What throws has changed nothing. What belongs to no variable of the model, such as a
/// bias that an older version kept though nothing used it, is left out: the names of such tensors.
std::vector<std::string> restore(Learner& learner, const Checkpoint& checkpoint);

/// Takes the weights alone, from any safetensors file with the parameters' names and shapes, of f32 or
/// another type of real numbers. With `needed`, parameters that are not among them may be missing, and have
/// no value then.
void restore_weights(Learner& learner, const files::SafetensorsFile& file,
                     const std::set<std::string>* needed = nullptr);

/// What this learner would write for Checkpoint::made_with(). The provider stands there when it is not
/// `auto`.
std::string made_with(const Learner& learner);

}  // namespace graphrun::train
