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

bool note_measurement(const StopRule& stop, double figure, Learner& learner) {
  TrainingState& state = learner.state();
  const StopVerdict verdict = judge(stop, figure, state);
  if (verdict == StopVerdict::best) learner.kept()[kept_best] = learner.weights();
  state.ended = verdict == StopVerdict::give_up;
  return verdict == StopVerdict::best;
}

bool restore_best(Learner& learner) {
  const auto kept = learner.kept().extract(kept_best);
  if (kept.empty()) return false;
  learner.set_weights(kept.mapped());
  return true;
}

}  // namespace graphrun::train
