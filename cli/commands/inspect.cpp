#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/output/figures_text.hpp"
#include "errors/printable.hpp"
#include "train/run/checkpoint_choice.hpp"

namespace graphrun::cli {

namespace {

namespace fs = std::filesystem;

std::vector<files::StoredTensor> by_name(const files::SafetensorsFile& file) {
  std::vector<files::StoredTensor> tensors = file.tensors();
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return tensors;
}

std::string shape_text(const files::StoredTensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.shape, ", "));
}

class InspectCommand final : public Command {
 public:
  std::string name() const override { return "inspect"; }
  std::string about() const override { return "Shows what is in a weights file or checkpoint."; }
  void declare(Arguments& arguments) override {
    arguments.positional("FILE", file_, "a safetensors file, or a run directory for its newest checkpoint");
    arguments.flag("--best", best_, "the run's best checkpoint instead of its newest");
    arguments.flag("--model", model_, "print the model that the checkpoint carries");
  }
  int run(Context& context) override {
    const std::string path =
        fs::is_directory(file_) ? train::find_checkpoint(file_, best_).checkpoint.path().string() : file_;
    const files::SafetensorsFile file(path);
    if (file.has_sums()) file.verify();
    if (model_) {
      context.console.result(train::Checkpoint(path).model());
      return exit_code(ExitCode::ok);
    }
    return answer(context, as_json(file), as_text(file, context.flags.verbose));
  }

 private:
  static std::string as_text(const files::SafetensorsFile& file, bool verbose) {
    std::string text = fmt::format("{}: {} tensors{}\n", file.path().string(), file.tensors().size(),
                                   file.has_sums() ? ", whole: every sum fits" : "");
    for (const files::StoredTensor& tensor : by_name(file))
      text += fmt::format("  {:<4} {:<16} {}\n", files::info_of(tensor.type).name, shape_text(tensor),
                          printable(tensor.name));
    for (const auto& [key, value] : file.metadata())
      if (verbose || key != "model")
        text += fmt::format("{}: {}\n", printable(key), printable(value, LineBreaks::kept));
    return text;
  }

  static files::JsonObject as_json(const files::SafetensorsFile& file) {
    files::JsonArray tensors;
    for (const files::StoredTensor& tensor : by_name(file)) {
      files::JsonArray shape;
      for (const std::size_t size : tensor.shape) shape.add(size);
      tensors.add(files::JsonObject()
                      .set("name", tensor.name)
                      .set("type", std::string(files::info_of(tensor.type).name))
                      .set("shape", shape));
    }
    files::JsonObject metadata;
    for (const auto& [key, value] : file.metadata()) metadata.set(key, value);
    return files::JsonObject()
        .set("file", file.path().string())
        .set("verified", file.has_sums())
        .set("tensors", tensors)
        .set("metadata", metadata);
  }

  std::string file_;
  bool best_ = false;
  bool model_ = false;
};

}  // namespace

std::unique_ptr<Command> inspect_command() {
  return std::make_unique<InspectCommand>();
}

}  // namespace graphrun::cli
