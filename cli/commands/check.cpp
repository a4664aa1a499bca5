#include <fmt/format.h>

#include <algorithm>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "graphrun/error.hpp"
#include "ops/op.hpp"
#include "runtime/shards/sections.hpp"
#include "train/datasets/check_data.hpp"
#include "train/learn/programs.hpp"
#include "train/measure/gradient_check.hpp"
#include "train/measure/product_formats.hpp"
#include "weights/gather.hpp"

namespace graphrun::cli {

namespace {

files::JsonArray json_of(const std::vector<Diagnostic>& diagnostics) {
  files::JsonArray all;
  for (const Diagnostic& diagnostic : diagnostics)
    all.add(files::JsonObject()
                .set("file", diagnostic.where.file)
                .set("line", diagnostic.where.line)
                .set("column", diagnostic.where.column)
                .set("message", diagnostic.message));
  return all;
}

std::vector<Diagnostic> diagnostics_of(const std::vector<Error>& errors) {
  std::vector<Diagnostic> diagnostics;
  for (const Error& error : errors)
    diagnostics.push_back({error.where(), error.node(), {}, error.message(), {}, {}, {}});
  return diagnostics;
}

/// A model with one step needs no name for it.
files::JsonArray json_of(const std::vector<train::StepGradients>& steps) {
  files::JsonArray all;
  for (const train::StepGradients& step : steps)
    for (const GradientCheck& gradient : step.gradients) {
      files::JsonObject object;
      object.set("variable", gradient.name)
          .set("max_relative_error", gradient.max_relative_error)
          .set("ok", gradient.ok);
      if (!step.name.empty()) object.set("phase", step.name);
      all.add(object);
    }
  return all;
}

std::string text_of(const train::StepGradients& step) {
  std::string text = step.name.empty() ? "" : step.name + ":\n";
  for (const GradientCheck& gradient : step.gradients) {
    text += fmt::format("  {:<24} {:>8.1e}  {}\n", gradient.name, gradient.max_relative_error,
                        gradient.ok ? "ok" : "WRONG");
    if (!gradient.ok)
      text += fmt::format("    worst at {}: autograd {:.10g}, differences {:.10g}\n", gradient.worst,
                          gradient.analytic, gradient.numeric);
  }
  return text;
}

files::JsonArray json_of(const std::vector<train::ProductFormat>& formats) {
  files::JsonArray all;
  for (const train::ProductFormat& format : formats)
    all.add(files::JsonObject().set("node", format.node).set("reads", format.bf16 ? "bf16" : "f32"));
  return all;
}

std::string text_of(const std::vector<train::ProductFormat>& formats) {
  std::size_t width = 0;
  for (const train::ProductFormat& format : formats) width = std::max(width, format.node.size());
  std::string text = "products read, with their gradients:\n";
  for (const train::ProductFormat& format : formats)
    text += fmt::format("  {:<{}}  {}\n", format.node, width, format.bf16 ? "bf16" : "f32");
  return text + "all else is f32\n";
}

class CheckCommand final : public Command {
 public:
  std::string name() const override { return "check"; }
  std::string about() const override { return "Finds all mistakes of a model file. Runs nothing."; }
  void declare(Arguments& arguments) override {
    arguments.positional("FILE", file_, "the model file");
    arguments.flag("--grad", gradients_, "compare every gradient with finite differences, in f64");
  }

  int run(Context& context) override {
    if (context.flags.json) return run_json(context);
    const SharedModel model = load(context);
    const std::vector<Error> faults = faults_of(*model);
    if (faults.size() == 1) throw Error(faults.front());
    if (!faults.empty()) throw ModelError(diagnostics_of(faults));
    context.console.result(fmt::format("{}: ok\n", file_));
    for (const Diagnostic& notice : model->notices)
      context.console.result(fmt::format("{}:{}:{}: note: {}\n", notice.where.file, notice.where.line,
                                         notice.where.column, notice.message));
    if (const auto formats = formats_of(*model, context.flags); !formats.empty())
      context.console.result(text_of(formats));
    if (!gradients_) return exit_code(ExitCode::ok);
    const std::vector<train::StepGradients> gradients =
        train::check_gradients_by_step(*model, ops::registry());
    std::string text = "largest relative error of each gradient against differences:\n";
    for (const train::StepGradients& step : gradients) text += text_of(step);
    context.console.result(text);
    return verdict(gradients);
  }

 private:
  /// Of its data, and of the files of weights that it begins with.
  static std::vector<Error> faults_of(const ModelDefinition& model) {
    std::vector<Error> faults = train::data_faults(model);
    try {
      weights::gathered(model, model.weights);
    } catch (const Error& error) {
      faults.push_back(error);
    }
    return faults;
  }

  /// Nothing where all is f32.
  static std::vector<train::ProductFormat> formats_of(const ModelDefinition& model,
                                                      const CommonFlags& flags) {
    const Precision precision = precision_of(flags).value_or(model.precision());
    if (precision == Precision::f32) return {};
    return train::product_formats(model, precision);
  }

  /// Compiling finds what the language cannot: an op without gradient on the way to the loss, or one that
  /// needs a batch as a whole.
  SharedModel load(Context& context) const {
    SharedModel model = model_from_file(file_, context.flags);
    if (!model->train) return model;
    const PassOptions passes{.off = {},
                             .report = {},
                             .dump = {},
                             .budget = std::make_shared<Budget>(model->budget),
                             .precision = Precision::f32};
    for (const train::BatchSteps& of_batch : train::steps_of_phases(*model, ops::registry()))
      for (const train::LearningStep& step : of_batch.steps) {
        const train::Program program = train::training_program(step, ops::registry(), passes);
        if (model->train->shards.value_or(1) > 1)
          runtime::cut_at_sums(*program.graph, ops::registry(),
                               model->train->gather_rows ? runtime::Mixing::gather : runtime::Mixing::refuse);
      }
    return model;
  }

  int run_json(Context& context) const {
    files::JsonObject object;
    int code = exit_code(ExitCode::ok);
    try {
      const SharedModel model = load(context);
      if (const std::vector<Error> faults = faults_of(*model); !faults.empty()) {
        object.set("ok", false).set("errors", json_of(diagnostics_of(faults)));
        context.console.result(object.text() + "\n");
        const bool one_of_data = faults.size() == 1 && faults.front().code() != ErrorCode::model;
        return exit_code(one_of_data ? ExitCode::data : ExitCode::model);
      }
      object.set("ok", true).set("errors", files::JsonArray()).set("notices", json_of(model->notices));
      if (const auto formats = formats_of(*model, context.flags); !formats.empty())
        object.set("products", json_of(formats));
      if (gradients_) {
        const std::vector<train::StepGradients> gradients =
            train::check_gradients_by_step(*model, ops::registry());
        object.set("gradients", json_of(gradients));
        code = verdict(gradients);
      }
    } catch (const ModelError& error) {
      object.set("ok", false).set("errors", json_of(error.diagnostics()));
      code = exit_code(ExitCode::model);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::model) throw;
      object.set("ok", false)
          .set("errors", json_of({Diagnostic{error.where(), error.node(), {}, error.message(), {}, {}, {}}}));
      code = exit_code(ExitCode::model);
    }
    context.console.result(object.text() + "\n");
    return code;
  }

  static int verdict(const std::vector<train::StepGradients>& steps) {
    const auto holds = [](const train::StepGradients& step) {
      return std::all_of(step.gradients.begin(), step.gradients.end(),
                         [](const GradientCheck& check) { return check.ok; });
    };
    return exit_code(std::all_of(steps.begin(), steps.end(), holds) ? ExitCode::ok : ExitCode::check_failed);
  }

  std::string file_;
  bool gradients_ = false;
};

}  // namespace

std::unique_ptr<Command> check_command() {
  return std::make_unique<CheckCommand>();
}

}  // namespace graphrun::cli
