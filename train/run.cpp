#include "train/run.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "graph/print.hpp"
#include "train/binding.hpp"
#include "train/definition.hpp"
#include "train/file.hpp"
#include "train/metrics_log.hpp"
#include "train/pictures.hpp"

namespace graphrun::train {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t images_on_sheet = 32;

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

/// One run from data to result; the observer of the loop that it runs.
class Run final : public LoopObserver {
 public:
  Run(std::shared_ptr<const ModelDefinition> model, const RunOptions& options, RunObserver& observer)
      : model_(std::move(model)),
        options_(options),
        observer_(observer),
        data_(std::make_shared<const Dataset>(load_model_data(*model_))),
        learner_(model_, options.session),
        examples_(bind_split(*model_, data_, data_->train)) {
    if (!model_->train) learner_.training_program();  // says what is missing
    if (data_->test.count > 0) test_ = bind_split(*model_, data_, data_->test);
    loop_options_ = loop_options(*model_->train);
    loop_options_.max_steps = options.max_steps;
    loop_options_.stop = options.stop;
    plan_ = batch_plan(loop_options_, examples_.count);
    for (const std::string& note : notes_on(*data_)) observer_.on_note(note);
  }

  RunResult start() {
    compile();
    if (!options_.weights.empty()) restore_weights(learner_, SafetensorsFile(options_.weights));
    directory_ = RunDirectory::create(options_.out, model_->name);
    write_text_file(directory_->resolved(), model_->resolved);
    return run();
  }

  RunResult resume(const FoundCheckpoint& from, const fs::path& directory) {
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
    directory_ = RunDirectory::open(directory);
    resumed_ = true;
    saved_step_ = learner_.state().step;
    return run();
  }

 private:
  /// Everything that can be wrong with model and data shows here, before a folder is made.
  void compile() {
    learner_.prepare_training(plan_.batch);
    if (plan_.partial_rows > 0) learner_.prepare_training(plan_.partial_rows);
    if (test_) learner_.prepare_evaluation(test_->count);
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
    if (state.batch > static_cast<std::uint64_t>(plan_.batches))
      throw Error(
          ErrorCode::usage,
          fmt::format(
              "the run was interrupted after batch {} of an epoch, which has {} now; continue it with "
              "the same batch size and data",
              state.batch, plan_.batches));
  }

  RunResult run() {
    const TrainingState& state = learner_.state();
    metrics_.emplace(resumed_ ? MetricsLog::resume(directory_->folder(), metric_columns(), state.step)
                              : MetricsLog(directory_->folder(), metric_columns()));
    observer_.on_start({*model_, *data_, *directory_, state, plan_, parameter_count(learner_)});
    const LoopEnd end = learn(learner_, examples_, loop_options_, *this);
    if (state.step != saved_step_) end_of_part(end);
    if (!last_test_ && end == LoopEnd::finished) measure();
    return {.end = end,
            .directory = directory_->folder(),
            .checkpoint = directory_->checkpoint_at(state.step),
            .picture = picture_,
            .epochs = state.epoch,
            .steps = state.step,
            .seconds = state.seconds,
            .train = last_train_,
            .test = last_test_,
            .digest = learner_.digest()};
  }

  void on_step(const StepReport& report) override {
    loss_ = report.loss;
    observer_.on_step(report);
  }

  void on_epoch(const EpochReport& report) override {
    last_train_ = report.train;
    measure();
    append_metrics(report);
    const bool best = judge();
    draw();
    save();
    observer_.on_epoch({.loop = report, .test = last_test_, .checkpoint = saved_path(), .best = best});
  }

  /// The run ends, or was stopped, between two epochs' ends: what was learnt is kept. A stopped run wants to
  /// end soon, and is neither measured nor drawn.
  void end_of_part(LoopEnd end) {
    if (end == LoopEnd::finished && learner_.state().batch > 0) {
      const EpochReport part = part_of_epoch();
      last_train_ = part.train;
      measure();
      append_metrics(part);
      judge();
      draw();
    }
    save();
  }

  /// What the epoch at hand has given so far.
  EpochReport part_of_epoch() {
    const TrainingState& state = learner_.state();
    FigureSum sums(learner_.training_figures());
    sums.restore(state.epoch_sums, state.epoch_rows);
    return {.state = state, .train = sums.means(), .seconds = state.epoch_seconds, .rows = state.epoch_rows};
  }

  /// epoch, seconds, images_per_second, train.loss, …, test.loss, …
  std::vector<std::string> metric_columns() {
    std::vector<std::string> columns{"epoch", "seconds", "images_per_second"};
    for (const std::string& name : learner_.training_figures()) columns.push_back("train." + name);
    if (test_)
      for (const std::string& name : figure_names(*model_, {}, true).names) columns.push_back("test." + name);
    return columns;
  }

  void append_metrics(const EpochReport& report) {
    std::vector<MetricsCell> cells{static_cast<double>(report.state.epoch), report.seconds,
                                   static_cast<double>(report.rows) / report.seconds};
    for (const Figure& figure : report.train.values) cells.emplace_back(figure.value);
    if (last_test_)
      for (const Figure& figure : last_test_->values) cells.emplace_back(figure.value);
    metrics_->append(report.state.step, cells);
  }

  /// The first images and what the model makes of them.
  void draw() {
    const ImageSet& images = test_ ? data_->test : data_->train;
    if (!draws_images(*model_, images)) return;
    const Reconstruction sheet = reconstruct(learner_, test_ ? *test_ : examples_, images, images_on_sheet);
    picture_ = directory_->images() / fmt::format("reconstruction-{:06}.png", learner_.state().step);
    write_sheet(picture_, sheet.lists);
  }

  void measure() {
    if (test_) last_test_ = learner_.evaluate(*test_);
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
    save_checkpoint(saved_path(), learner_);
    saved_step_ = learner_.state().step;
    prune_checkpoints(directory_->folder(), options_.keep, learner_.state().best_step);
  }

  fs::path saved_path() const { return directory_->checkpoint_at(learner_.state().step); }

  std::shared_ptr<const ModelDefinition> model_;
  const RunOptions& options_;
  RunObserver& observer_;
  std::shared_ptr<const Dataset> data_;
  Learner learner_;
  Examples examples_;
  std::optional<Examples> test_;
  LoopOptions loop_options_;
  BatchPlan plan_;
  std::optional<RunDirectory> directory_;
  std::optional<MetricsLog> metrics_;
  bool resumed_ = false;
  double loss_ = 0;
  Figures last_train_;
  std::optional<Figures> last_test_;
  fs::path picture_;
  std::optional<std::uint64_t> saved_step_;  ///< of the newest checkpoint
};

}  // namespace

RunResult start_run(std::shared_ptr<const ModelDefinition> model, const RunOptions& options,
                    RunObserver& observer) {
  return Run(std::move(model), options, observer).start();
}

RunResult resume_run(std::shared_ptr<const ModelDefinition> model, const FoundCheckpoint& from,
                     const std::filesystem::path& directory, const RunOptions& options,
                     RunObserver& observer) {
  return Run(std::move(model), options, observer).resume(from, directory);
}

}  // namespace graphrun::train
