#include "train/run/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "files/file.hpp"
#include "graph/print.hpp"
#include "show/draw/gallery.hpp"
#include "show/report/report.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/suitable.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/early_stop.hpp"
#include "train/learn/transfer.hpp"
#include "train/measure/probes.hpp"
#include "train/run/event_log.hpp"
#include "train/run/metrics_log.hpp"
#include "train/run/picture_schedule.hpp"

namespace graphrun::train {

namespace fs = std::filesystem;

namespace {

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
        examples_(bind_split(*model_, data_, data_->train)) {
    if (data_->test.count > 0) test_ = bind_split(*model_, data_, data_->test);
    for (const std::string& note : notes_on(*data_)) observer_.on_note(note);
    require_labels_fit(*model_, examples_, data_->name);
    if (test_) require_labels_fit(*model_, *test_, data_->name + " (test)");
    for (const std::string& note : notes_on_ranges(*model_, examples_)) observer_.on_note(note);
  }

  RunResult start() {
    compile();
    if (!options_.weights.empty()) take_weights();
    directory_ = RunDirectory::create(options_.out, model_->name);
    files::write_text_file(directory_->resolved(), model_->resolved);
    return run();
  }

  RunResult resume(const FoundCheckpoint& from, RunDirectory directory) {
    require_same_graph(from.checkpoint);
    compile();
    restore(learner_, from.checkpoint);
    require_position_fits();
    for (const std::string& note : from.notes) observer_.on_note(note);
    if (const std::string made_with = from.checkpoint.made_with(); made_with != made_with_here())
      observer_.on_note(
          fmt::format("the checkpoint was made with {}, this is {}: the bits may differ from those of "
                      "a run that was never interrupted",
                      made_with, made_with_here()));
    directory_ = std::move(directory);
    files::write_text_file(directory_->resolved(), model_->resolved);
    resumed_ = true;
    saved_step_ = learner_.state().step;
    return run();
  }

 private:
  /// Everything that can be wrong with model and data shows here, before a folder is made.
  void compile() {
    phases_.emplace(learner_, examples_);
    if (test_) learner_.prepare_evaluation(test_->count);
    require_stop_metrics();
    if (!model_->probes.empty() && test_) probed_labels_are_there();
  }

  void take_weights() {
    const files::SafetensorsFile file(options_.weights);
    Transfer transfer = transferable(learner_, file);
    for (const std::string& note : notes_on(transfer, options_.weights.string())) observer_.on_note(note);
    learner_.kept()[kept_init] = std::move(transfer.weights);
  }

  /// Without test data, a phase can only stop by what it learns.
  void require_stop_metrics() {
    const std::vector<std::string> learnt = phases_->figures();
    for (const PhaseRecipe& phase : train_.phases)
      if (phase.stop && !test_ && std::find(learnt.begin(), learnt.end(), phase.stop->metric) == learnt.end())
        throw Error(ErrorCode::usage,
                    fmt::format("`stop:` waits for '{}', which is measured on test data, and there are none",
                                phase.stop->metric),
                    phase.stop->where);
  }

  void probed_labels_are_there() const {
    for (const ProbeRecipe& probe : model_->probes)
      if (!probe.labels.empty() &&
          (!examples_.columns.contains(probe.labels) || !test_->columns.contains(probe.labels)))
        throw Error(ErrorCode::data,
                    fmt::format("the probe '{}' needs labels, and the data have none", probe.name),
                    probe.where);
  }

  /// Training may be changed on the way (more epochs, another rate); what is learnt may not.
  void require_same_graph(const Checkpoint& checkpoint) const {
    const SharedDefinition before =
        parse_definition(checkpoint.model(), checkpoint.path().string() + ":model");
    if (to_text(before->graph) != to_text(model_->graph))
      throw Error(
          ErrorCode::usage,
          fmt::format("the graph of the model is not the one that {} was learning, so it cannot continue; "
                      "settings below `train` may be changed, others not",
                      checkpoint.path().string()));
  }

  void require_position_fits() const {
    const TrainingState& state = learner_.state();
    const BatchPlan& plan = phases_->plan_at(state);
    if (state.batch > static_cast<std::uint64_t>(plan.batches))
      throw Error(
          ErrorCode::usage,
          fmt::format(
              "the run was interrupted after batch {} of an epoch, which has {} now; continue it with "
              "the same batch size and data",
              state.batch, plan.batches));
  }

  RunResult run() {
    const TrainingState& state = learner_.state();
    pictures_until_now_ = pictures_until(state.epoch, train_.pictures_every);
    name_columns();
    metrics_.emplace(resumed_ ? MetricsLog::resume(directory_->folder(), columns_, state.step)
                              : MetricsLog(directory_->folder(), columns_));
    if (options_.tensorboard) events_.emplace(directory_->tensorboard(), state.step);
    observer_.on_start({*model_, *data_, *directory_, state, phases_->plan_at(state), phases_->total_steps(),
                        parameter_count(learner_)});
    const std::uint64_t first_step = state.step;
    const LoopEnd end = learn();
    if (resumed_ && end == LoopEnd::finished && state.step == first_step) observer_.on_note(why_nothing());
    if (state.step != saved_step_) end_of_part(end);
    if (!last_test_ && end == LoopEnd::finished) measure(true);
    if (end == LoopEnd::finished) draw_all();
    if (end == LoopEnd::finished) report();
    return {.end = end,
            .directory = directory_->folder(),
            .checkpoint = directory_->checkpoint_at(state.step),
            .picture = picture_,
            .report = end == LoopEnd::finished ? directory_->report() : fs::path(),
            .epochs = state.epoch,
            .steps = state.step,
            .seconds = state.seconds,
            .train = last_train_,
            .test = last_test_,
            .results = state.results,
            .digest = learner_.digest(),
            .has_pictures = data_->train.are_pictures,
            .has_test_data = test_.has_value()};
  }

  LoopEnd learn() {
    try {
      return phases_->run(*this, options_.max_steps, options_.stop);
    } catch (const Error&) {
      observer_.on_note(what_is_left());
      throw;
    }
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
    return fmt::format("the run failed after step {}; its weights after step {} are in {}", step,
                       *saved_step_, directory_->checkpoint_at(*saved_step_).string());
  }

  void on_stage(const StageView& stage) override {
    stage_.emplace(stage);
    last_test_.reset();
    observer_.on_stage(stage);
  }

  void on_step(const StageView& stage, const StepReport& report) override {
    loss_ = report.loss;
    observer_.on_step(stage, report);
  }

  void on_epoch(const StageView& stage, const EpochSummary& report, bool last) override {
    last_train_ = report.train;
    last_test_.reset();
    // While layers are trained one by one, the model as a whole does nothing yet.
    const bool whole = stage.stage.layers == 0 || (last && stage.stage.is_last_layer());
    const bool due = is_due(stage, report, test_ ? test_->count : 0, last);
    bool best = false;
    if (due && whole) {
      measure(last);
      if (stage.phase.stop) judge_stop(*stage.phase.stop, last);
    }
    append_metrics(stage, report);
    const std::optional<Figures> own = last_test_;
    if (due && whole) {
      if (stage.phase.stop && (last || report.state.ended)) restore_best(stage);
      best = judge();
      if (is_picture_due(stage, report, last)) draw();
    }
    if (!due) return;
    if (whole && (last || report.state.ended)) note_result(stage);
    save();
    observer_.on_epoch(
        {.stage = stage, .loop = report, .test = own, .checkpoint = saved_path(), .best = best});
    for (const std::string& event : std::exchange(events_to_tell_, {})) observer_.on_event(event);
  }

  /// Keeps the weights of the best measurement. A figure that no step gave a value is not judged.
  void judge_stop(const StopRule& stop, bool last) {
    TrainingState& state = learner_.state();
    const std::optional<double> figure = (last_test_ ? *last_test_ : last_train_).find(stop.metric);
    is_best_ = false;
    if (!figure) return;
    const StopVerdict verdict = train::judge(stop, *figure, state);
    is_best_ = verdict == StopVerdict::best;
    if (is_best_) learner_.kept()[kept_best] = learner_.weights();
    state.ended = verdict == StopVerdict::give_up;
    // The row of the epoch that ends a phase has the figures of whole sets too.
    if (state.ended && !last) measure(true);
  }

  /// At the end of a phase, goes back to the weights of its best measurement.
  void restore_best(const StageView& stage) {
    const StopRule& stop = *stage.phase.stop;
    const TrainingState& state = learner_.state();
    const auto kept = learner_.kept().extract(kept_best);
    if (state.ended)
      events_to_tell_.push_back(fmt::format(
          "{}stopped after epoch {}: {} has not improved for {} measurements",
          stage.name.empty() ? "" : stage.name + ", ", state.stage_epoch(), stop.metric, stop.patience));
    if (kept.empty() || is_best_) return;
    learner_.set_weights(kept.mapped());
    measure(true);
    const std::optional<double> now = (last_test_ ? *last_test_ : last_train_).find(stop.metric);
    events_to_tell_.push_back(fmt::format(
        "{}the weights of epoch {} are restored, where {} was {:.5g}{}",
        stage.name.empty() ? "" : stage.name + ", ", state.stop_epoch, stop.metric, state.stop_best,
        test_ && now && *now != state.stop_best ? fmt::format("; as it is weighted now, it is {:.5g}", *now)
                                                : ""));
  }

  /// What the phase has come to: of test data, or while learning without them.
  void note_result(const StageView& stage) {
    if (!train_.has_phases()) return;
    std::vector<PhaseResult>& results = learner_.state().results;
    std::erase_if(results, [&](const PhaseResult& result) {
      return result.phase == stage.phase.name && result.draw == stage.stage.draw;
    });
    results.push_back({stage.phase.name, stage.stage.draw, (last_test_ ? *last_test_ : last_train_).values});
  }

  /// The run ends, or was stopped, between two epochs' ends: what was learnt is kept. A stopped run wants to
  /// end soon, and is neither measured nor drawn.
  void end_of_part(LoopEnd end) {
    if (end == LoopEnd::finished && learner_.state().batch > 0) {
      const EpochSummary part = part_of_epoch(learner_);
      last_train_ = part.train;
      measure(false);
      append_metrics(*stage_, part);
      judge();
      draw();
    }
    save();
  }

  /// epoch, seconds, images_per_second, train.loss, …, test.loss, …; with phases also phase, draw, layer.
  void name_columns() {
    columns_ = {"epoch", "seconds", "images_per_second"};
    if (train_.has_phases()) columns_.insert(columns_.end(), {"phase", "draw", "layer"});
    for (const std::string& name : phases_->figures()) columns_.push_back("train." + name);
    if (!test_) return;
    for (const std::string& name : figure_names(*model_, {}, true).names) columns_.push_back("test." + name);
    for (const ProbeRecipe& probe : model_->probes) columns_.push_back("test." + probe.name);
  }

  void append_metrics(const StageView& stage, const EpochSummary& report) {
    std::vector<MetricsCell> cells(columns_.size());
    const auto set = [&](const std::string& column, MetricsCell value) {
      const auto found = std::find(columns_.begin(), columns_.end(), column);
      if (found != columns_.end())
        cells[static_cast<std::size_t>(found - columns_.begin())] = std::move(value);
    };
    set("epoch", static_cast<double>(report.state.epoch));
    set("seconds", report.seconds);
    set("images_per_second", static_cast<double>(report.rows) / report.seconds);
    set("phase", stage.phase.name);
    set("draw", static_cast<double>(stage.stage.draw + 1));
    if (stage.stage.layers > 0) set("layer", static_cast<double>(stage.stage.layer + 1));
    for (const Figure& figure : report.train.values) set("train." + figure.name, figure.value);
    if (last_test_)
      for (const Figure& figure : last_test_->values) set("test." + figure.name, figure.value);
    metrics_->append(report.state.step, cells);
    if (events_) events_->train(report.state.step, report.train);
    if (events_ && last_test_) events_->test(report.state.step, *last_test_);
  }

  /// When the schedule says so, and where a phase ends: the last of its draws.
  bool is_picture_due(const StageView& stage, const EpochSummary& report, bool last) {
    const std::uint64_t until = pictures_until(report.state.epoch, train_.pictures_every);
    const bool is_due = until > std::exchange(pictures_until_now_, until);
    const bool ends =
        (last || report.state.ended) && stage.stage.draw + 1 == static_cast<std::uint64_t>(stage.phase.draws);
    return is_due || ends;
  }

  /// What the model has come to so far.
  void draw() {
    const fs::path file = show::draw_progress(learner_, gallery_source(), directory_->images());
    if (file.empty()) return;
    picture_ = file;
    if (events_) events_->picture(learner_.state().step, tag_of(file), file);
  }

  /// What suits the model, once it has learnt.
  void draw_all() {
    const show::Gallery gallery = show::draw_gallery(learner_, gallery_source(), directory_->images());
    if (!events_) return;
    const std::string drawn = tag_of(picture_);  // by draw(), at this very step
    for (const fs::path& file : gallery.files)
      if (tag_of(file) != drawn) events_->picture(learner_.state().step, tag_of(file), file);
  }

  /// "reconstruction" of "reconstruction-000469.png": one for all steps.
  static std::string tag_of(const fs::path& picture) {
    const std::string name = picture.stem().string();
    const std::size_t step = name.find_last_not_of("0123456789");
    return step != std::string::npos && name[step] == '-' ? name.substr(0, step) : name;
  }

  show::Source gallery_source() const {
    return {*data_, examples_, test_ ? *test_ : examples_, directory_->metrics_csv()};
  }

  /// The text of a page takes some megabytes more than once, and of the workspace little is used for it.
  void report() {
    learner_.session().give_back_workspace();
    show::write_report(learner_, {*data_, examples_, test_ ? *test_ : examples_, directory_->metrics_csv()},
                       directory_->report());
  }

  /// With probes only where a phase ends: they look at whole sets.
  void measure(bool probes) {
    if (!test_) return;
    last_test_ = learner_.evaluate(*test_);
    if (!probes) return;
    const std::vector<Figure> probed = run_probes(learner_, examples_, *test_);
    last_test_->values.insert(last_test_->values.end(), probed.begin(), probed.end());
  }

  /// Is this the best state so far? By the loss on the test split, or while learning without one.
  bool judge() {
    TrainingState& state = learner_.state();
    state.score = last_test_ ? last_test_->at("loss") : loss_;
    const bool best = std::isnan(state.best_score) || state.score < state.best_score;
    if (!best) return false;
    state.best_score = state.score;
    state.best_step = state.step;
    return true;
  }

  void save() {
    // A link in the place of a checkpoint that was passed over leads nowhere.
    if (fs::is_symlink(saved_path())) fs::remove(saved_path());
    save_checkpoint(saved_path(), learner_);
    saved_step_ = learner_.state().step;
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
  std::vector<std::string> columns_;
  std::optional<MetricsLog> metrics_;
  std::optional<EventLog> events_;
  bool resumed_ = false;
  double loss_ = 0;
  Figures last_train_;
  std::optional<Figures> last_test_;
  fs::path picture_;
  std::uint64_t pictures_until_now_ = 0;
  std::optional<std::uint64_t> saved_step_;  ///< of the newest checkpoint
  bool is_best_ = false;  ///< were the weights of the last measurement the best for `stop:`?
  std::vector<std::string> events_to_tell_;  ///< once the epoch was told
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
