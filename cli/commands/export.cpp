#include <fmt/format.h>

#include <sstream>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"
#include "files/file.hpp"
#include "onnx/export/export_model.hpp"
#include "weights/save.hpp"

namespace graphrun::cli {

namespace {

/// Names in words, and in words with commas.
std::vector<std::string> names_in(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const std::string& word : words) {
    std::istringstream parts(word);
    for (std::string name; std::getline(parts, name, ',');)
      if (!name.empty()) names.push_back(name);
  }
  return names;
}

JsonArray json_of(const std::vector<std::string>& words) {
  JsonArray array;
  for (const std::string& word : words) array.add(word);
  return array;
}

class ExportCommand final : public Command {
 public:
  std::string name() const override { return "export"; }
  std::string about() const override {
    return "Writes a trained model, or a part of it, as a file that other programs run.";
  }
  void declare(Arguments& arguments) override {
    trained_.declare(arguments);
    arguments.option("--onnx", onnx_, "FILE", "an ONNX file with the weights in it");
    arguments.option("--torch", torch_, "FILE", "the weights with PyTorch's names and axes, as safetensors");
    arguments.flag("--dry-run", dry_run_, "with --weights: only say which tensor becomes which variable");
    arguments.option("--part", part_, "PART",
                     "encoder, decoder, whole (default), or names of outputs and nodes, with commas");
    arguments.option("--given", given_, "NODE",
                     "make this node an input of the file, which cuts the graph there");
    arguments.flag("--pixels", pixels_, "the file takes pixels of 0 to 255 as u8");
    arguments.option("--opset", opset_, "N", "version of ONNX's ops, 13 to 21 (default: 17)");
  }
  int run(Context& context) override {
    if (onnx_.empty() && torch_.empty() && !dry_run_)
      throw Error(ErrorCode::usage, "say what to write: --onnx FILE or --torch FILE");
    const TrainedModel trained = open_trained(trained_, context.flags, context.console);
    if (!dry_run_ && !torch_.empty()) write_torch(trained, context);
    if (!dry_run_ && !onnx_.empty()) write_onnx(trained, context);
    return exit_code(ExitCode::ok);
  }

 private:
  void write_onnx(const TrainedModel& trained, Context& context) const {
    const onnx::Exported exported = onnx::export_model(trained.learner, options());
    files::write_text_file(onnx_, exported.bytes);
    context.console.result(context.flags.json ? as_json(exported) : as_text(exported));
  }

  void write_torch(const TrainedModel& trained, Context& context) const {
    const std::size_t count = weights::save_weights(torch_, trained.learner, weights::Convention::torch);
    if (context.flags.json && onnx_.empty())
      context.console.result(JsonObject().set("file", torch_).set("tensors", count).text() + "\n");
    else if (!context.flags.json)
      context.console.result(fmt::format("{}: {} tensors\n", torch_, count));
  }

  onnx::ExportOptions options() const {
    onnx::ExportOptions options;
    if (const std::vector<std::string> part = names_in(part_); !part.empty()) options.part = part;
    options.given = names_in(given_);
    options.pixels = pixels_;
    options.opset = opset_.value_or(options.opset);
    return options;
  }

  std::string as_text(const onnx::Exported& exported) const {
    return fmt::format("{}: {} to {}, {} nodes, {} bytes\n", onnx_, fmt::join(exported.inputs, ", "),
                       fmt::join(exported.outputs, ", "), exported.nodes, exported.bytes.size());
  }

  std::string as_json(const onnx::Exported& exported) const {
    return JsonObject()
               .set("file", onnx_)
               .set("inputs", json_of(exported.inputs))
               .set("outputs", json_of(exported.outputs))
               .set("nodes", exported.nodes)
               .set("bytes", exported.bytes.size())
               .text() +
           "\n";
  }

  TrainedFlags trained_;
  std::string onnx_;
  std::string torch_;
  bool dry_run_ = false;
  std::vector<std::string> part_;
  std::vector<std::string> given_;
  bool pixels_ = false;
  std::optional<std::int64_t> opset_;
};

}  // namespace

std::unique_ptr<Command> export_command() {
  return std::make_unique<ExportCommand>();
}

}  // namespace graphrun::cli
