#include <fmt/format.h>

#include <algorithm>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/examples_source.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "graphrun/error.hpp"
#include "train/pictures.hpp"
#include "train/ranking.hpp"

namespace graphrun::cli {

namespace {

class ReconstructCommand final : public Command {
 public:
  std::string name() const override { return "reconstruct"; }
  std::string about() const override {
    return "Draws a sheet: originals, corrupted inputs if the model has them, and reconstructions.";
  }
  void declare(Arguments& arguments) override {
    trained_.declare(arguments);
    source_.declare(arguments);
    arguments.option("--out", out_, "FILE", "the PNG (default: reconstruction.png in the run directory)");
    arguments.option("--rank", rank_, "NAME",
                     "worst or best: of all images, the 32 of the highest or least error");
    arguments.option("--anomaly", anomaly_, "LABEL",
                     "with --rank: how well the error tells images of this label from others, as ROC-AUC");
    arguments.option("--columns", columns_, "N", "images beside each other (default 16)");
  }
  int run(Context& context) override {
    if (columns_ && (*columns_ < 1 || *columns_ > 1000))
      throw Error(ErrorCode::usage, fmt::format("--columns {}: there may be 1 to 1000", *columns_));
    if (!rank_.empty() && rank_ != "worst" && rank_ != "best")
      throw Error(ErrorCode::usage, fmt::format("--rank {}: there are worst and best", rank_));
    if (anomaly_ && rank_.empty())
      throw Error(ErrorCode::usage, "--anomaly is about errors of all images: add --rank worst");
    TrainedModel trained = open_trained(trained_, context.flags, context.console);
    const NamedExamples data = source_.load(*trained.model, context.console);
    const train::Reconstruction result =
        train::reconstruct(trained.learner, data.examples, *data.images, count(data));
    const Ranking ranking = rank_.empty() ? Ranking{} : ranked(trained.learner, data);
    const std::string out = out_.empty() ? default_output(trained_, "reconstruction.png") : out_;
    train::write_sheet(out, lists_of(result, ranking), static_cast<std::size_t>(columns_.value_or(16)));
    context.console.result(context.flags.json ? json_of(result, ranking, data, out)
                                              : text_of(result, ranking, data, out));
    return exit_code(ExitCode::ok);
  }

 private:
  static constexpr std::int64_t default_count = 32;

  /// Numbers of the images that are shown, and the error of each image; none when there is no --rank.
  struct Ranking {
    std::vector<std::size_t> shown;
    std::vector<double> errors;
    std::optional<double> auc;
  };

  std::int64_t count(const NamedExamples& data) const {
    return source_.first.value_or(rank_.empty() ? default_count : data.examples.count);
  }

  Ranking ranked(train::Learner& learner, const NamedExamples& data) const {
    Ranking ranking;
    ranking.errors = train::image_errors(learner, data.examples, *data.images);
    ranking.shown = train::highest_first(ranking.errors);
    if (rank_ == "best") std::reverse(ranking.shown.begin(), ranking.shown.end());
    ranking.shown.resize(std::min(ranking.shown.size(), static_cast<std::size_t>(default_count)));
    if (!anomaly_) return ranking;
    if (!data.images->has_labels()) throw Error(ErrorCode::data, "--anomaly needs labels: add --labels FILE");
    std::vector<bool> sought;
    for (std::size_t i = 0; i < ranking.errors.size(); ++i)
      sought.push_back(data.images->labels[i] == *anomaly_);
    ranking.auc = train::roc_auc(ranking.errors, sought);
    return ranking;
  }

  std::vector<train::Pictures> lists_of(const train::Reconstruction& result, const Ranking& ranking) const {
    if (rank_.empty()) return result.lists;
    std::vector<train::Pictures> lists;
    for (const train::Pictures& list : result.lists) lists.push_back(train::picked(list, ranking.shown));
    return lists;
  }

  std::string json_of(const train::Reconstruction& result, const Ranking& ranking, const NamedExamples& data,
                      const std::string& out) const {
    JsonObject object;
    object.set("file", out)
        .set("count", static_cast<std::int64_t>(result.lists.front().count))
        .set("mse", result.mean_squared_error);
    if (rank_.empty()) return object.text() + "\n";
    JsonArray images;
    for (const std::size_t number : ranking.shown) {
      JsonObject image;
      image.set("image", static_cast<std::int64_t>(number)).set("mse", ranking.errors[number]);
      if (data.images->has_labels())
        image.set("label", static_cast<std::int64_t>(data.images->labels[number]));
      images.add(image);
    }
    object.set("ranked", images);
    if (ranking.auc) object.set("roc_auc", *ranking.auc);
    return object.text() + "\n";
  }

  std::string text_of(const train::Reconstruction& result, const Ranking& ranking, const NamedExamples& data,
                      const std::string& out) const {
    std::string text = fmt::format("{} images of {}, mean squared error {:.5g}: {}\n",
                                   result.lists.front().count, data.name, result.mean_squared_error, out);
    for (const std::size_t number : ranking.shown) {
      text += fmt::format("image {:>6}  error {:.5g}", number, ranking.errors[number]);
      if (data.images->has_labels()) text += fmt::format("  label {}", data.images->labels[number]);
      text += "\n";
    }
    if (ranking.auc) text += fmt::format("ROC-AUC of label {}: {:.4f}\n", *anomaly_, *ranking.auc);
    return text;
  }

  TrainedFlags trained_;
  std::string rank_;
  std::optional<std::int64_t> anomaly_;
  ExamplesFlags source_;
  std::string out_;
  std::optional<std::int64_t> columns_;
};

}  // namespace

std::unique_ptr<Command> reconstruct_command() {
  return std::make_unique<ReconstructCommand>();
}

}  // namespace graphrun::cli
