#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/examples_source.hpp"
#include "cli/finite.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "cli/output/figures_text.hpp"
#include "errors/printable.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/datasets/suitable.hpp"
#include "train/measure/probes.hpp"

namespace graphrun::cli {

namespace {

class EvalCommand final : public Command {
 public:
  std::string name() const override { return "eval"; }
  std::string about() const override {
    return "Measures a trained model: loss, terms and metrics per sample.";
  }
  void declare(Arguments& arguments) override {
    trained_.declare(arguments);
    source_.declare(arguments);
  }
  int run(Context& context) override {
    TrainedModel trained = open_trained(trained_, context.flags, context.console);
    const NamedExamples data = source_.load(*trained.model, context.console);
    train::require_labels_fit(*trained.model, data.examples, data.name);
    train::Figures figures = measured(trained, data.examples);
    require_finite(figures);
    add_probes(trained, data.examples, figures, context.console);
    const std::vector<train::NamedConfusion> classes = train::confusions(trained.learner, data.examples);
    files::JsonObject json = as_json(figures);
    if (!classes.empty()) json.set("confusion", as_json(classes));
    return answer(context, json, as_text(figures, data) + as_text(classes));
  }

 private:
  /// A model may have probes alone: it is there to look into another's code.
  static train::Figures measured(TrainedModel& trained, const train::Examples& asked) {
    const ModelDefinition& model = *trained.model;
    if (model.loss.empty() && model.metrics.empty() && !model.probes.empty()) return {asked.count, {}};
    return trained.learner.evaluate(asked);
  }

  /// Probes learn from the model's training images, and need labels on both sides.
  static void add_probes(TrainedModel& trained, const train::Examples& asked, train::Figures& figures,
                         Console& console) {
    const ModelDefinition& model = *trained.model;
    if (model.probes.empty()) return;
    const auto data = std::make_shared<const train::Dataset>(train::load_model_data(model));
    const train::Examples known =
        train::bind_images(model, std::shared_ptr<const train::ImageSet>(data, &data->train));
    for (const ProbeRecipe& probe : model.probes) {
      const std::string& labels = probe.labels;
      const bool of_scores = ProbeRecipe::is_of_scores(probe.kind);
      if (labels.empty() || of_scores || (known.columns.contains(labels) && asked.columns.contains(labels)))
        continue;
      console.warning(
          fmt::format("the probes are left out: '{}' needs labels; --labels FILE gives them", probe.name));
      return;
    }
    for (const train::Figure& figure : train::run_probes(trained.learner, known, asked))
      figures.values.push_back(figure);
  }

  static std::string as_text(const train::Figures& figures, const NamedExamples& data) {
    return fmt::format("{} {} of {}\n{}\n{}", files::grouped(figures.count), data.images->noun(), data.name,
                       text_of(figures), parts_text(figures));
  }

  /// A row for what it is, a column for what it is taken for.
  static std::string as_text(const std::vector<train::NamedConfusion>& classes) {
    std::string text;
    for (const auto& [name, confusion, names] : classes) {
      std::size_t width = 6;
      for (const std::string& each : names) width = std::max(width, printable(each).size() + 2);
      text +=
          fmt::format("{}, row by row what it is, in columns what it is taken for\n{:>{}}", name, "", width);
      for (const std::string& each : names) text += fmt::format("{:>{}}", printable(each), width);
      for (std::size_t truth = 0; truth < confusion.classes; ++truth) {
        text += fmt::format("\n{:<{}}", printable(names[truth]), width);
        for (std::size_t guess = 0; guess < confusion.classes; ++guess)
          text += fmt::format("{:>{}}", confusion.count(truth, guess), width);
      }
      text += "\n";
    }
    return text;
  }

  static files::JsonObject as_json(const std::vector<train::NamedConfusion>& classes) {
    files::JsonObject object;
    for (const auto& [name, confusion, names] : classes) {
      files::JsonArray rows;
      for (std::size_t truth = 0; truth < confusion.classes; ++truth)
        rows.add(files::json_array(
            std::span(confusion.counts).subspan(truth * confusion.classes, confusion.classes)));
      object.set(name, files::JsonObject().set("classes", files::json_array(names)).set("counts", rows));
    }
    return object;
  }

  static files::JsonObject as_json(const train::Figures& figures) {
    files::JsonObject object;
    object.set("count", figures.count);
    return set_figures(object, figures);
  }

  TrainedFlags trained_;
  ExamplesFlags source_;
};

}  // namespace

std::unique_ptr<Command> eval_command() {
  return std::make_unique<EvalCommand>();
}

}  // namespace graphrun::cli
