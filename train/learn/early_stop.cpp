#include "train/learn/early_stop.hpp"

#include <cmath>

namespace graphrun::train {

StopVerdict judge(const StopRule& stop, double figure, TrainingState& state) {
  const bool better = std::isnan(state.stop_best) ? !std::isnan(figure)
                      : stop.highest              ? figure > state.stop_best
                                                  : figure < state.stop_best;
  if (better) {
    state.stop_best = figure;
    state.stop_epoch = state.stage_epoch();
    state.disappointments = 0;
    return StopVerdict::best;
  }
  ++state.disappointments;
  return state.disappointments >= static_cast<std::uint64_t>(stop.patience) ? StopVerdict::give_up
                                                                            : StopVerdict::wait;
}

}  // namespace graphrun::train
