#include "train/run/measurements.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "train/learn/early_stop.hpp"
#include "train/measure/probes.hpp"

namespace graphrun::train {

Measurements::Measurements(Learner& learner, const Examples& examples, const Examples* test)
    : learner_(learner), examples_(examples), test_(test) {}

void Measurements::begin(Figures train) {
  train_figures_ = std::move(train);
  test_figures_.reset();
}

void Measurements::measure(bool probes, const std::stop_token& stop) {
  if (test_ == nullptr) return;
  test_figures_.reset();
  Figures figures = learner_.evaluate(*test_, stop);
  if (probes) {
    const std::vector<Figure> probed = run_probes(learner_, examples_, *test_, stop);
    figures.values.insert(figures.values.end(), probed.begin(), probed.end());
  }
  test_figures_ = std::move(figures);
}

void Measurements::judge_stop(const StopRule& stop, bool last) {
  const std::optional<double> figure = judged().find(stop.metric);
  is_best_ = false;
  if (!figure) return;
  is_best_ = note_measurement(stop, *figure, learner_);
  // The row of the epoch that ends a phase has the figures of whole sets too.
  if (learner_.state().ended && !last) measure(true);
}

std::vector<std::string> Measurements::restore_best(const StageView& stage) {
  const StopRule& stop = *stage.phase.stop;
  const TrainingState& state = learner_.state();
  const std::string name = stage.name.empty() ? "" : stage.name + ", ";
  std::vector<std::string> events;
  if (state.ended)
    events.push_back(fmt::format("{}stopped after epoch {}: {} has not improved for {} measurements", name,
                                 state.stage_epoch(), stop.metric, stop.patience));
  if (!train::restore_best(learner_) || is_best_) return events;
  measure(true);
  const std::optional<double> now = judged().find(stop.metric);
  events.push_back(fmt::format("{}the weights of epoch {} are restored, where {} was {:.5g}{}", name,
                               state.stop_epoch, stop.metric, state.stop_best,
                               test_ != nullptr && now && *now != state.stop_best
                                   ? fmt::format("; as it is weighted now, it is {:.5g}", *now)
                                   : ""));
  return events;
}

bool Measurements::judge(const std::optional<StopRule>& stop) {
  TrainingState& state = learner_.state();
  const std::optional<double> waited_for = stop ? judged().find(stop->metric) : std::nullopt;
  if (stop && test_figures_ && !waited_for) return false;  // a probe that was not measured now
  state.score = waited_for ? *waited_for : test_figures_ ? test_figures_->at("loss") : loss_;
  const bool is_better =
      waited_for && stop->highest ? state.score > state.best_score : state.score < state.best_score;
  const bool best = is_better || (std::isnan(state.best_score) && !std::isnan(state.score));
  if (!best) return false;
  state.best_score = state.score;
  state.best_step = state.step;
  return true;
}

void Measurements::note_result(const StageView& stage) {
  if (!train_of(learner_.model()).has_phases()) return;
  std::vector<PhaseResult>& results = learner_.state().results;
  std::erase_if(results, [&](const PhaseResult& result) {
    return result.phase == stage.phase.name && result.draw == stage.stage.draw;
  });
  results.push_back({stage.phase.name, stage.stage.draw, judged().values});
}

}  // namespace graphrun::train
