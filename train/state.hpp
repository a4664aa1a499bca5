/// \file
/// Where a run stands: all that a checkpoint holds beside the weights and the optimizer's slots.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace graphrun::train {

struct TrainingState {
  std::uint64_t step = 0;             ///< optimizer steps done
  std::uint64_t epoch = 0;            ///< epochs done
  std::uint64_t batch = 0;            ///< batches done of the epoch at hand
  std::uint64_t steps_per_epoch = 1;  ///< what schedules in epochs count by
  std::uint64_t seed = 1;             ///< of initialisation, order and noise
  std::vector<double> epoch_sums;     ///< of the figures of the epoch at hand, see FigureSum
  std::int64_t epoch_rows = 0;        ///< examples behind these sums
  double epoch_seconds = 0;           ///< spent in the epoch at hand
  double seconds = 0;                 ///< spent learning in all, over interruptions
  double score = std::numeric_limits<double>::quiet_NaN();       ///< the loss by which this state is judged
  double best_score = std::numeric_limits<double>::quiet_NaN();  ///< the lowest score so far
  std::uint64_t best_step = 0;                                   ///< where it was reached
};

}  // namespace graphrun::train
