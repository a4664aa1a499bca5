#include <fmt/format.h>

#include <filesystem>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/examples_source.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "graphrun/error.hpp"
#include "show/draw/gallery.hpp"

namespace graphrun::cli {

namespace {

namespace fs = std::filesystem;

class PicturesCommand final : public Command {
 public:
  std::string name() const override { return "pictures"; }
  std::string about() const override {
    return "Draws all that suits a model: codes in a plane, grid, samples, filters, curves.";
  }
  void declare(Arguments& arguments) override {
    trained_.declare(arguments);
    arguments.option("--out", out_, "DIR", "where to (default: images/ of the run directory)");
  }
  int run(Context& context) override {
    TrainedModel trained = open_trained(trained_, context.flags, context.console);
    const SplitExamples splits = load_splits(*trained.model, context.console);
    const fs::path folder = out_.empty() ? fs::path(default_output(trained_, "images")) : fs::path(out_);
    std::error_code code;
    fs::create_directories(folder, code);
    if (code)
      throw Error(ErrorCode::io, fmt::format("{}: cannot make it: {}", folder.string(), code.message()));
    const show::Gallery gallery = show::draw_gallery(
        trained.learner, {*splits.data, splits.train, splits.test, metrics_file(trained_)}, folder);
    for (const std::string& note : gallery.notes) context.console.warning(note);
    files::JsonArray files;
    std::string text;
    for (const fs::path& file : gallery.files) {
      files.add(file.string());
      text += file.string() + "\n";
    }
    return answer(context, files::JsonObject().set("files", files), text);
  }

 private:
  TrainedFlags trained_;
  std::string out_;
};

}  // namespace

std::unique_ptr<Command> pictures_command() {
  return std::make_unique<PicturesCommand>();
}

}  // namespace graphrun::cli
