/// \file
/// Where a run stands: all that a checkpoint holds beside the weights and the optimizer's slots.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "train/learn/figures.hpp"

namespace graphrun::train {

/// What a phase came to, in one draw.
struct PhaseResult {
  std::string phase;
  std::uint64_t draw = 0;
  std::vector<Figure> figures;  ///< of the test data, probes included
};

inline constexpr std::size_t held_out_scores_kept = 1001;

struct TrainingState {
  std::uint64_t step = 0;             ///< batches learnt in all
  std::uint64_t updates = 0;          ///< optimizer steps in all: what noise is drawn by
  std::uint64_t epoch = 0;            ///< epochs done in all
  std::uint64_t batch = 0;            ///< batches done of the epoch at hand
  std::uint64_t steps_per_epoch = 0;  ///< what schedules in epochs count by; 0: not known yet
  std::uint64_t seed = 1;             ///< of initialisation, order and noise
  std::optional<double> epoch_told;   ///< what schedules in epochs follow instead; of no checkpoint

  // The stage at hand: a phase, one draw of it, one layer of a greedy one.
  std::string phase;                  ///< its name; empty in a model without phases
  std::uint64_t draw = 0;             ///< from 0
  std::uint64_t layer = 0;            ///< from 0
  std::uint64_t first_step = 0;       ///< `step` when the stage began
  std::uint64_t first_epoch = 0;      ///< `epoch` when it began
  bool ended = false;                 ///< early, whatever its epochs and steps say
  std::uint64_t disappointments = 0;  ///< measurements since the best one of `stop:`
  double stop_best = std::numeric_limits<double>::quiet_NaN();  ///< that best figure
  std::uint64_t stop_epoch = 0;                                 ///< of the stage, after which it was measured

  std::vector<double> epoch_sums;         ///< of the figures of the epoch at hand, see FigureSum
  std::vector<std::int64_t> figure_rows;  ///< examples behind each sum; empty: epoch_rows
  std::int64_t epoch_rows = 0;            ///< examples of the epoch at hand
  double epoch_seconds = 0;               ///< spent in the epoch at hand
  double seconds = 0;                     ///< spent learning in all, over interruptions
  double score = std::numeric_limits<double>::quiet_NaN();  ///< the loss, or what `stop:` waits for
  /// The best score of this stage so far: the lowest, or the highest where `stop:` says so.
  double best_score = std::numeric_limits<double>::quiet_NaN();
  std::uint64_t best_step = 0;       ///< where it was reached
  std::vector<PhaseResult> results;  ///< of the phases and draws that are done
  /// What this state's model makes of rows of a table that it has not learnt from, rising: what new scores
  /// are measured by. At most held_out_scores_kept, evenly chosen; empty: the model scores no rows, or has
  /// not yet.
  std::vector<double> held_out_scores;
  /// The first stage has its weights, also before its first step: they are not given anew.
  bool begun = false;

  bool has_begun() const { return begun || step > 0; }
  std::uint64_t stage_step() const { return step - first_step; }
  std::uint64_t stage_epoch() const { return epoch - first_epoch; }

  /// No batch of the epoch at hand is learnt yet.
  void clear_epoch() noexcept {
    batch = 0;
    epoch_sums.clear();
    figure_rows.clear();
    epoch_rows = 0;
    epoch_seconds = 0;
  }
};

}  // namespace graphrun::train
