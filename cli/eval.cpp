#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/examples_source.hpp"
#include "cli/figures_text.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"

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
    const train::Figures figures = trained.learner.evaluate(data.examples);
    context.console.result(context.flags.json ? as_json(figures) : as_text(figures, data.name));
    return exit_code(ExitCode::ok);
  }

 private:
  static std::string as_text(const train::Figures& figures, const std::string& name) {
    return fmt::format("{} images of {}\n{}\n", grouped(figures.count), name, text_of(figures));
  }
  static std::string as_json(const train::Figures& figures) {
    JsonObject object;
    object.set("count", figures.count);
    return set_figures(object, figures).text() + "\n";
  }

  TrainedFlags trained_;
  ExamplesFlags source_;
};

}  // namespace

std::unique_ptr<Command> eval_command() {
  return std::make_unique<EvalCommand>();
}

}  // namespace graphrun::cli
