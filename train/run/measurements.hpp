/// \file
/// What a run measures, and what follows from it: the best state so far, whether a phase has learnt enough,
/// and what it has come to.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "train/learn/phases.hpp"

namespace graphrun::train {

class Measurements {
 public:
  /// `test` may be null: then phases are judged by what they learn. All references must outlive this.
  Measurements(Learner& learner, const Examples& examples, const Examples* test);

  /// What was learnt since the last measurement: nothing is known of the test data.
  void begin(Figures train);
  void forget_test() { test_figures_.reset(); }
  /// The mean loss of the epoch at hand.
  void note_loss(double loss) { loss_ = loss; }

  /// With probes only where a phase ends: they look at whole sets. Error{cancelled} after a stop: then
  /// nothing is known of the test data.
  void measure(bool probes, const std::stop_token& stop = {});
  /// Keeps the weights of the best measurement, and ends the stage when patience does. A figure that no step
  /// gave a value is not judged. `last`: the stage ends anyway.
  void judge_stop(const StopRule& stop, bool last);
  /// At the end of a phase with `stop:`, goes back to the weights of its best measurement. The events are
  /// what a person should be told.
  std::vector<std::string> restore_best(const StageView& stage);
  /// Is this the best state so far? By the figure that the phase stops by, if it does; else by the loss, on
  /// the split that is measured, or while learning without one.
  bool judge(const std::optional<StopRule>& stop);
  /// What the phase has come to: of test data, or while learning without them.
  void note_result(const StageView& stage);

  const Figures& train() const { return train_figures_; }
  const std::optional<Figures>& test() const { return test_figures_; }

 private:
  const Figures& judged() const { return test_figures_ ? *test_figures_ : train_figures_; }

  Learner& learner_;
  const Examples& examples_;
  const Examples* test_;
  double loss_ = 0;
  Figures train_figures_;
  std::optional<Figures> test_figures_;
  bool is_best_ = false;  ///< were the weights of the last measurement the best for `stop:`?
};

}  // namespace graphrun::train
