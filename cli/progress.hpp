/// \file
/// What a person sees of a run while it learns: a bar on a terminal, a line an epoch everywhere.
#pragma once

#include <chrono>
#include <string>

#include "cli/console.hpp"
#include "train/run/run.hpp"

namespace graphrun::cli {

class TrainingProgress final : public train::RunObserver {
 public:
  explicit TrainingProgress(Console& console) : console_(console) {}

  void on_start(const train::RunStart& start) override;
  void on_stage(const train::StageView& stage) override;
  void on_step(const train::StageView& stage, const train::StepReport& report) override;
  void on_epoch(const train::RunEpoch& epoch) override;
  void on_event(const std::string& event) override;
  void on_note(const std::string& note) override;

 private:
  Console& console_;
  std::uint64_t epochs_ = 0;  ///< of the stage, rounded up
  std::uint64_t first_step_ = 0;
  std::string unit_ = "images";  ///< what examples are
  std::string measured_ = "test";
  std::chrono::steady_clock::time_point last_drawn_;
};

/// "fine, epoch 3/20 ━━━━━━╸     412/938  loss 0.0312  31,500 images/s  48 s left", at most `width` columns.
std::string progress_line(const train::StageView& stage, const train::StepReport& report,
                          std::uint64_t epochs, std::uint64_t first_step, std::size_t width,
                          std::string_view unit = "images");

}  // namespace graphrun::cli
