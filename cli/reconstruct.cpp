#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/examples_source.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "graphrun/error.hpp"
#include "train/pictures.hpp"

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
    arguments.option("--columns", columns_, "N", "images beside each other (default 16)");
  }
  int run(Context& context) override {
    if (columns_ && (*columns_ < 1 || *columns_ > 1000))
      throw Error(ErrorCode::usage, fmt::format("--columns {}: there may be 1 to 1000", *columns_));
    TrainedModel trained = open_trained(trained_, context.flags, context.console);
    const NamedExamples data = source_.load(*trained.model, context.console);
    const std::int64_t count = source_.first.value_or(default_count);
    const train::Reconstruction result =
        train::reconstruct(trained.learner, data.examples, *data.images, count);
    const std::string out = out_.empty() ? default_output(trained_, "reconstruction.png") : out_;
    train::write_sheet(out, result.lists, static_cast<std::size_t>(columns_.value_or(16)));
    const auto shown = static_cast<std::int64_t>(result.lists.front().count);
    context.console.result(
        context.flags.json
            ? JsonObject().set("file", out).set("count", shown).set("mse", result.mean_squared_error).text() +
                  "\n"
            : fmt::format("{} images of {}, mean squared error {:.5g}: {}\n", shown, data.name,
                          result.mean_squared_error, out));
    return exit_code(ExitCode::ok);
  }

 private:
  static constexpr std::int64_t default_count = 32;

  TrainedFlags trained_;
  ExamplesFlags source_;
  std::string out_;
  std::optional<std::int64_t> columns_;
};

}  // namespace

std::unique_ptr<Command> reconstruct_command() {
  return std::make_unique<ReconstructCommand>();
}

}  // namespace graphrun::cli
