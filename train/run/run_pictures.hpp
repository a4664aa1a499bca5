/// \file
/// What a run draws: while it learns, by a schedule, how far the model has come; at its end, all that suits
/// the model, and the page.
#pragma once

#include <cstdint>
#include <filesystem>

#include "show/draw/source.hpp"
#include "train/learn/phases.hpp"
#include "train/run/run_directory.hpp"
#include "train/run/run_log.hpp"

namespace graphrun::train {

class RunPictures {
 public:
  /// All references must outlive this.
  RunPictures(Learner& learner, show::Source source, const RunDirectory& directory, RunLog& log);

  /// When the schedule says so, and where a phase ends: the last of its draws.
  bool is_due(const StageView& stage, const EpochSummary& report, bool last);
  /// What the model has come to so far.
  void draw();
  /// What suits the model, once it has learnt, and the page.
  void finish();

  /// The last that draw() has made; empty when the model draws nothing.
  const std::filesystem::path& last() const { return last_; }

 private:
  Learner& learner_;
  show::Source source_;
  const RunDirectory& directory_;
  RunLog& log_;
  std::filesystem::path last_;
  std::uint64_t until_now_;  ///< pictures that were due so far
};

}  // namespace graphrun::train
