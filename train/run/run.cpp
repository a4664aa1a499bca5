#include "train/run/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "errors/lack_of_memory.hpp"
#include "files/file.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/suitable.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learning_step.hpp"
#include "train/measure/row_scores.hpp"
#include "train/run/measurements.hpp"
#include "train/run/run_checks.hpp"
#include "train/run/run_log.hpp"
#include "train/run/run_pictures.hpp"
#include "weights/gather.hpp"

namespace graphrun::train {

namespace fs = std::filesystem;

namespace {

/// More rows make no better quantiles.
constexpr std::int64_t rows_scored = 100'000;

std::int64_t parameter_count(const Learner& learner) {
  std::int64_t count = 0;
  for (const auto* variable : learner.variables().all())
    if (variable->trainable) count += element_count(variable->extents);
  return count;
}

/// Examples of a split that share ownership of the whole data set.
Examples bind_split(const ModelDefinition& model, const std::shared_ptr<const Dataset>& data,
                    const ImageSet& split) {
  return bind_images(model, std::shared_ptr<const ImageSet>(data, &split));
}

/// Is it time to measure? When the examples learnt in the stage pass another multiple of the test images, and
/// whenever the stage may end: so that measuring never costs more than learning.
bool is_due(const StageView& stage, const EpochSummary& report, std::int64_t test_images, bool last) {
  if (last || stage.phase.stop) return true;
  const auto epoch = static_cast<std::int64_t>(report.state.stage_epoch());
  const std::int64_t each = std::max<std::int64_t>(test_images, 1);
  return epoch * report.rows / each > (epoch - 1) * report.rows / each;
}

/// One run from data to result; the observer of the phases that it runs.
class Run final : public PhaseObserver {
 public:
  Run(std::shared_ptr<const ModelDefinition> model, const RunOptions& options, RunObserver& observer)
      : data_(std::make_shared<const Dataset>(load_model_data(*model))),
        model_(with_class_names(std::move(model), *data_)),
        train_(train_of(*model_)),
        options_(options),
        observer_(observer),
        learner_(model_, options.session),
        examples_(bind_split(*model_, data_, data_->train)),
        test_(bind_test()),
        measured_(learner_, examples_, test_ ? &*test_ : nullptr) {
    if (options_.team) learner_.join(options_.team);
    for (const std::string& note : notes_on(*data_)) observer_.on_note(note);
    require_labels_fit(*model_, examples_, data_->name);
    if (test_) require_labels_fit(*model_, *test_, fmt::format("{} ({})", data_->name, measured_name()));
    for (const std::string& note : notes_on_ranges(*model_, examples_)) observer_.on_note(note);
  }

  RunResult start() {
    compile();
    take_weights(options_.weights.empty() ? model_->weights : options_.weights);
    if (learner_.team().members() > 1)
      require_same_run(learner_, examples_, all_measured(), options_.max_steps);
    if (writes()) {
      directory_ = RunDirectory::create(options_.out, model_->name);
      files::write_text_file(directory_->resolved(), model_->resolved);
    }
    return run();
  }

  RunResult resume(const FoundCheckpoint& from, RunDirectory directory) {
    require_same_computation(*model_, learner_.session().precision(), from.checkpoint);
    compile();
    const std::vector<std::string> unused = restore(learner_, from.checkpoint);
    require_position_fits(learner_.state(), phases_->plan_at(learner_.state()));
    for (const std::string& note : from.notes) observer_.on_note(note);
    if (!unused.empty())
      observer_.on_note(
          fmt::format("the checkpoint holds {} that nothing in the model uses, '{}'{}; left out",
                      unused.size() == 1 ? "a tensor" : "tensors", unused.front(),
                      unused.size() == 1 ? "" : " and others"));
    if (const std::string before = from.checkpoint.made_with(); before != made_with(learner_))
      observer_.on_note(
          fmt::format("the checkpoint was made with {}, this is {}: the bits may differ from those of "
                      "a run that was never interrupted",
                      before, made_with(learner_)));
    if (learner_.team().members() > 1)
      require_same_run(learner_, examples_, all_measured(), options_.max_steps);
    if (writes()) {
      directory_ = std::move(directory);
      files::write_text_file(directory_->resolved(), model_->resolved);
    }
    resumed_ = true;
    saved_step_ = learner_.state().step;
    return run();
  }

 private:
  std::optional<Examples> bind_test() const {
    if (data_->measured().count == 0) return std::nullopt;
    return bind_split(*model_, data_, data_->measured());
  }

  /// Of the members of a team, the first.
  bool writes() { return learner_.team().member() == 0; }

  /// On validation data after each epoch, and on test data at the end; or on these alone.
  std::vector<Examples> all_measured() const {
    std::vector<Examples> all;
    for (const ImageSet* split : {&data_->validation, &data_->test})
      if (split->count > 0) all.push_back(bind_split(*model_, data_, *split));
    return all;
  }

  bool has_validation() const { return data_->validation.count > 0; }
  /// What is measured after each epoch.
  std::string measured_name() const { return has_validation() ? "validation" : "test"; }

  /// Once all is learnt: beside validation data, the test data have judged nothing before.
  std::optional<Figures> tested() {
    if (!has_validation() || data_->test.count == 0) return std::nullopt;
    const Examples test = bind_split(*model_, data_, data_->test);
    Measurements measured(learner_, examples_, &test);
    measured.measure(true, options_.stop);
    return measured.test();
  }

  /// Everything that can be wrong with model and data shows here, before a folder is made.
  void compile() {
    require_inputs(*model_, examples_, test_ ? &*test_ : nullptr);
    phases_.emplace(learner_, examples_);
    if (test_) learner_.prepare_evaluation(test_->count);
    if (!test_) return require_stops_by(phases_->figures(), train_);
    require_probed_labels(*model_, examples_, *test_);
    require_stops_measured(*model_, *test_, measured_name());
  }

  void take_weights(const std::vector<WeightsRecipe>& files) {
    if (files.empty()) return;
    weights::Gathered found = weights::gathered(*model_, files, {.map = options_.weights_map});
    for (const std::string& line : found.table) observer_.on_event(line);
    for (const std::string& note : found.notes) observer_.on_note(note);
    learner_.kept()[kept_init] = std::move(found.values);
  }

  RunResult run() {
    const TrainingState& state = learner_.state();
    if (writes()) open_logs();
    const std::uint64_t first_step = state.step;
    LoopEnd end = learn();
    if (writes() && resumed_ && end == LoopEnd::finished && state.step == first_step)
      observer_.on_note(why_nothing());
    if (state.step != saved_step_) {
      end = stopped_or(end, [&] { measure_part(); });
      saying_what_is_left([&] { save(); });
    }
    end = stopped_or(end, [&] {
      if (!measured_.test()) measured_.measure(true, options_.stop);
    });
    std::optional<Figures> of_test;
    end = stopped_or(end, [&] { of_test = tested(); });
    if (end == LoopEnd::finished && pictures_) draw_all();
    return {.end = end,
            .directory = directory_ ? directory_->folder() : fs::path(),
            .checkpoint = directory_ ? saved_path() : fs::path(),
            .picture = pictures_ ? pictures_->last() : fs::path(),
            .report = end == LoopEnd::finished && directory_ ? directory_->report() : fs::path(),
            .epochs = state.epoch,
            .steps = state.step,
            .seconds = state.seconds,
            .train = measured_.train(),
            .validation = has_validation() ? measured_.test() : std::nullopt,
            .test = has_validation() ? of_test : measured_.test(),
            .results = state.results,
            .digest = learner_.digest(),
            .has_pictures = data_->train.are_pictures,
            .has_table = data_->train.is_table,
            .has_test_data = data_->test.count > 0};
  }

  void open_logs() {
    const TrainingState& state = learner_.state();
    log_.emplace(*directory_, *model_, phases_->figures(), state.step,
                 RunLogOptions{.measured = test_ ? measured_name() : std::string(),
                               .noun = std::string(data_->train.noun()),
                               .resumed = resumed_,
                               .tensorboard = options_.tensorboard});
    const Examples& shown = test_ ? *test_ : examples_;
    pictures_.emplace(learner_, show::Source{*data_, examples_, shown, directory_->metrics_csv()},
                      *directory_, *log_);
    observer_.on_start({*model_, *data_, *directory_, state, phases_->plan_at(state), phases_->total_steps(),
                        parameter_count(learner_)});
  }

  LoopEnd learn() {
    LoopEnd end = LoopEnd::finished;
    saying_what_is_left([&] { end = phases_->run(*this, options_.max_steps, options_.stop); });
    return end;
  }

  template <class Work>
  void saying_what_is_left(const Work& work) const {
    try {
      work();
    } catch (...) {
      if (directory_) observer_.on_note(what_is_left());
      throw;
    }
  }

  /// Once all is learnt and kept.
  void draw_all() {
    saying_what_lacks([&] { pictures_->finish(); },
                      [&] {
                        return Error(
                            ErrorCode::memory,
                            fmt::format("there is not enough memory for pictures and report; the "
                                        "weights are kept, and `graphrun report {}` makes the report",
                                        directory_->folder().string()));
                      });
  }

  /// Of a run that was continued and had nothing to do.
  std::string why_nothing() const {
    const TrainingState& state = learner_.state();
    if (options_.max_steps && state.step >= *options_.max_steps && !state.ended)
      return fmt::format("nothing is learnt: {} steps are done, and --max-steps is {}", state.step,
                         *options_.max_steps);
    if (!state.ended)
      return fmt::format(
          "nothing is learnt: all {} steps of the run are done; more of them have to be asked "
          "for, as with --set train.epochs=N",
          state.step);
    return fmt::format(
        "nothing is learnt: after epoch {} the run was stopped by `stop:` and went back to the "
        "weights of its best measurement, from which more patience cannot go on; begin a new "
        "run from them with --weights {}",
        state.stage_epoch(), directory_->folder().string());
  }

  /// Of a run that fails: nobody should have to look for weights that are not there.
  std::string what_is_left() const {
    const std::uint64_t step = learner_.state().step;
    if (!saved_step_)
      return fmt::format("the run failed after step {}, before its first checkpoint: {} holds no weights",
                         step, directory_->folder().string());
    return fmt::format("the run failed after step {}; its weights after step {} are in {}{}", step,
                       *saved_step_, directory_->checkpoint_at(*saved_step_).string(), how_to_go_on());
  }

  /// With others: which of them has failed does not matter.
  std::string how_to_go_on() const {
    if (!options_.team || options_.team->members() == 1) return {};
    return fmt::format("; --resume {} continues from them, with 1 to {} processes",
                       directory_->folder().string(), train_.shards.value_or(1));
  }

  void on_stage(const StageView& stage) override {
    stage_.emplace(stage);
    measured_.forget_test();
    observer_.on_stage(stage);
    // Who dies takes its part of the optimizer's state along: something is left from the first weights on.
    if (learner_.team().members() > 1 && !saved_step_) save();
  }

  void on_step(const StageView& stage, const StepReport& report) override {
    measured_.note_loss(report.loss);
    observer_.on_step(stage, report);
  }

  void on_epoch(const StageView& stage, const EpochSummary& report, bool last) override {
    measured_.begin(report.train);
    // While layers are trained one by one, the model as a whole does nothing yet.
    const bool whole = stage.stage.layers == 0 || (last && stage.stage.is_last_layer());
    const bool due = is_due(stage, report, test_ ? test_->count : 0, last);
    bool best = false;
    if (due && whole) {
      measured_.measure(last || stops_by_probe(stage.phase));
      if (stage.phase.stop) measured_.judge_stop(*stage.phase.stop, last);
    }
    if (log_) log_->append(stage, report, measured_.test());
    const std::optional<Figures> own = measured_.test();
    std::vector<std::string> events;
    if (due && whole) {
      if (stage.phase.stop && (last || report.state.ended)) events = measured_.restore_best(stage);
      best = measured_.judge(stage.phase.stop);
      if (pictures_ && pictures_->is_due(stage, report, last)) pictures_->draw();
    }
    if (!due) return;
    if (whole && (last || report.state.ended)) measured_.note_result(stage);
    save();
    if (!writes()) return;
    observer_.on_epoch(
        {.stage = stage, .loop = report, .test = own, .checkpoint = saved_path(), .best = best});
    for (const std::string& event : events) observer_.on_event(event);
  }

  /// Does what follows on learning that has finished. A stop ends that too, and the run is a stopped one: it
  /// wants to end soon, and is neither measured nor drawn.
  template <class Work>
  LoopEnd stopped_or(LoopEnd end, const Work& work) const {
    if (end != LoopEnd::finished) return end;
    try {
      work();
      return end;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::cancelled) throw;
      return LoopEnd::stopped;
    }
  }

  /// The run ends between two epochs' ends.
  void measure_part() {
    if (learner_.state().batch == 0) return;
    const EpochSummary part = part_of_epoch(learner_);
    measured_.begin(part.train);
    measured_.measure(false, options_.stop);
    if (log_) log_->append(*stage_, part, measured_.test());
    measured_.judge(stage_->phase.stop);
    if (pictures_) pictures_->draw();
  }

  /// A probe that is waited for is measured each time.
  bool stops_by_probe(const PhaseRecipe& phase) const {
    return phase.stop && std::ranges::any_of(model_->probes, [&](const ProbeRecipe& probe) {
             return probe.name == phase.stop->metric;
           });
  }

  /// Of rows that were not learnt from; without such ones, of some that were.
  std::vector<double> held_out_scores() {
    const ImageSet& rows = has_validation() ? data_->validation : data_->train;
    const Examples examples =
        first_of(bind_split(*model_, data_, rows), has_validation() ? rows_scored : rows_scored / 10);
    const std::span<const float> weights =
        std::span(rows.weights)
            .first(std::min(rows.weights.size(), static_cast<std::size_t>(examples.count)));
    return kept_scores(RowScorer(learner_).scores(examples, rows).scores, weights);
  }

  void save() {
    const Learner::Weights slots = learner_.collected_slots();
    const auto lack = [&] {
      return Error(ErrorCode::memory,
                   fmt::format("there is not enough memory to write {}; fewer units need less",
                               saved_path().string()));
    };
    if (writes()) saying_what_lacks([&] { write_checkpoint(slots); }, lack);
    saved_step_ = learner_.state().step;
  }

  void write_checkpoint(const Learner::Weights& slots) {
    // A link in the place of a checkpoint that was passed over leads nowhere.
    if (fs::is_symlink(saved_path())) fs::remove(saved_path());
    if (scores_rows(*model_) && learner_.state().step > 0)
      learner_.state().held_out_scores = held_out_scores();
    save_checkpoint(saved_path(), learner_, slots);
    prune_checkpoints(directory_->folder(), options_.keep, learner_.state().best_step);
  }

  fs::path saved_path() const { return directory_->checkpoint_at(learner_.state().step); }

  std::shared_ptr<const Dataset> data_;
  std::shared_ptr<const ModelDefinition> model_;
  const TrainRecipe& train_;
  const RunOptions& options_;
  RunObserver& observer_;
  Learner learner_;
  Examples examples_;
  std::optional<Examples> test_;
  std::optional<Phases> phases_;
  std::optional<StageView> stage_;  ///< the one at hand
  std::optional<RunDirectory> directory_;
  Measurements measured_;
  std::optional<RunLog> log_;
  std::optional<RunPictures> pictures_;
  bool resumed_ = false;
  std::optional<std::uint64_t> saved_step_;  ///< of the newest checkpoint
};

}  // namespace

RunResult start_run(std::shared_ptr<const ModelDefinition> model, const RunOptions& options,
                    RunObserver& observer) {
  return Run(std::move(model), options, observer).start();
}

RunResult resume_run(std::shared_ptr<const ModelDefinition> model, const FoundCheckpoint& from,
                     RunDirectory directory, const RunOptions& options, RunObserver& observer) {
  return Run(std::move(model), options, observer).resume(from, std::move(directory));
}

}  // namespace graphrun::train
