/// \file
/// The folder of one run, and where its parts lie:
///
///     resolved.yaml  metrics.csv  metrics.jsonl  checkpoints/step-00001234.safetensors  images/
///     report.html   tensorboard/, only when it is asked for
///
/// Made new for every run and never overwritten. One process at a time writes into it, which a lock on the
/// folder sees to: the system gives it up when the process ends, however it does. Errors of the system are
/// Error{io}.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/file.hpp"

namespace graphrun::train {

class RunDirectory {
 public:
  /// Makes the folder `out`, or `runs/NAME-1`, `runs/NAME-2`, … below the current one when `out` is empty,
  /// and locks it. What no folder may have in its name is a `-` there. Error{usage} when `out` is there
  /// already and not empty.
  static RunDirectory create(const std::filesystem::path& out, std::string_view name);
  /// One that is there. Error{data} when it has no checkpoints folder.
  static RunDirectory open(const std::filesystem::path& folder);

  /// Takes it for writing and removes what killed processes have left in it. Error{io} while another has it.
  void lock();

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path resolved() const { return folder_ / "resolved.yaml"; }
  std::filesystem::path metrics_csv() const { return folder_ / "metrics.csv"; }
  std::filesystem::path checkpoints() const { return folder_ / "checkpoints"; }
  std::filesystem::path images() const { return folder_ / "images"; }
  std::filesystem::path report() const { return folder_ / "report.html"; }
  std::filesystem::path tensorboard() const { return folder_ / "tensorboard"; }
  std::filesystem::path checkpoint_at(std::uint64_t step) const;

 private:
  explicit RunDirectory(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
  files::Descriptor lock_;
};

/// The run below `runs/` with this name and the highest number.
std::optional<std::filesystem::path> newest_run(std::string_view name);

/// The checkpoint files of a run directory, newest first: by the step in their names.
std::vector<std::filesystem::path> checkpoint_files(const std::filesystem::path& run);

/// The step in a checkpoint's name, "step-00001234.safetensors"; nothing for another file.
std::optional<std::uint64_t> step_of(const std::filesystem::path& checkpoint);

}  // namespace graphrun::train
