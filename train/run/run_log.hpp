/// \file
/// What a run writes down: the rows of metrics.csv and metrics.jsonl and, if they are asked for, events for
/// TensorBoard.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "train/learn/phases.hpp"
#include "train/run/event_log.hpp"
#include "train/run/metrics_log.hpp"
#include "train/run/run_directory.hpp"

namespace graphrun::train {

struct RunLogOptions {
  std::string measured;  ///< "test" or "validation": what its figures are called; empty: there are none
  std::string noun = "images";  ///< what the examples are called
  bool resumed = false;         ///< continues the files that are there
  bool tensorboard = false;     ///< events too
};

class RunLog {
 public:
  /// The columns are epoch, seconds, images_per_second (or rows_, windows_), with phases also phase, draw,
  /// layer; train.loss, … of the figures that are learnt; test.loss, … or validation.loss, …. Rows after
  /// `step` are removed.
  RunLog(const RunDirectory& directory, const ModelDefinition& model, const std::vector<std::string>& learnt,
         std::uint64_t step, const RunLogOptions& options);

  void append(const StageView& stage, const EpochSummary& report, const std::optional<Figures>& test);

  /// A file that was drawn at this step. Its tag is its name without the number of the step.
  void picture(std::uint64_t step, const std::filesystem::path& file);

 private:
  std::string rate_;  ///< "images_per_second"
  std::vector<std::string> columns_;
  std::string measured_;
  std::optional<MetricsLog> metrics_;
  std::optional<EventLog> events_;
};

/// "reconstruction" of "reconstruction-000469.png": one for all steps.
std::string tag_of(const std::filesystem::path& picture);

}  // namespace graphrun::train
