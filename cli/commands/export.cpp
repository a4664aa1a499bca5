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

struct SourceText {
  std::string name;
  std::string text;
};

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

/// The model as it was read, under the name that its places have.
SourceText source_of(const std::string& source, const TrainedModel& trained) {
  if (is_model_file(source)) return {source, files::read_text_file(source, 16U << 20U)};
  return {trained.weights + ":model", train::Checkpoint(trained.weights).model()};
}

std::string line_of(const std::string& text, int number) {
  std::istringstream lines(text);
  std::string line;
  for (int i = 0; i < number; ++i)
    if (!std::getline(lines, line)) return {};
  return line;
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
    arguments.option("--npz", npz_, "FILE",
                     "the weights as NumPy's arrays, with the model's own names and axes");
    arguments.flag("--dry-run", dry_run_, "with --weights: only say which tensor becomes which variable");
    arguments.option("--part", part_, "PART",
                     "encoder, decoder, whole (default), or names of outputs and nodes, with commas");
    arguments.option("--given", given_, "NODE",
                     "make this node an input of the file, which cuts the graph there");
    arguments.flag("--pixels", pixels_, "the file takes pixels of 0 to 255 as u8");
    arguments.flag(
        "--raw", raw_,
        "of a table: the file takes its columns as they are, categories as places of their values, NaN "
        "where a cell is missing");
    arguments.option("--opset", opset_, "N", "version of ONNX's ops, 13 to 21 (default: 17)");
  }
  int run(Context& context) override {
    if (onnx_.empty() && torch_.empty() && npz_.empty() && !dry_run_)
      throw Error(ErrorCode::usage, "say what to write: --onnx FILE, --torch FILE or --npz FILE");
    const TrainedModel trained = open_trained(trained_, context.flags, context.console);
    if (dry_run_) return exit_code(ExitCode::ok);
    if (!torch_.empty())
      tell(context, torch_, weights::save_weights(torch_, trained.learner, weights::Convention::torch));
    if (!npz_.empty()) tell(context, npz_, weights::save_arrays(npz_, trained.learner));
    if (!onnx_.empty()) write_onnx(trained, context);
    return exit_code(ExitCode::ok);
  }

 private:
  /// Mistakes are shown with the line that they are in.
  template <class Call>
  auto with_lines(const TrainedModel& trained, const Call& call) const {
    try {
      return call();
    } catch (const ModelError& error) {
      const SourceText source = source_of(trained_.source, trained);
      std::vector<Diagnostic> shown = error.diagnostics();
      for (Diagnostic& one : shown)
        if (one.line.empty() && one.where.file == source.name)
          one.line = line_of(source.text, one.where.line);
      throw ModelError(std::move(shown));
    }
  }

  void write_onnx(const TrainedModel& trained, Context& context) const {
    const onnx::Exported exported =
        with_lines(trained, [&] { return onnx::export_model(trained.learner, options()); });
    files::write_text_file(onnx_, exported.bytes);
    context.console.result(context.flags.json ? as_json(exported) : as_text(exported));
  }

  /// With --json one object is printed: that of the ONNX file, if there is one, or of the last.
  void tell(Context& context, const std::string& file, std::size_t tensors) const {
    const bool is_last = onnx_.empty() && (npz_.empty() || file == npz_);
    if (!context.flags.json)
      context.console.result(fmt::format("{}: {} tensors\n", file, tensors));
    else if (is_last)
      context.console.result(JsonObject().set("file", file).set("tensors", tensors).text() + "\n");
  }

  onnx::ExportOptions options() const {
    onnx::ExportOptions options;
    if (const std::vector<std::string> part = names_in(part_); !part.empty()) options.part = part;
    options.given = names_in(given_);
    options.pixels = pixels_;
    options.raw = raw_;
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
  std::string npz_;
  bool dry_run_ = false;
  std::vector<std::string> part_;
  std::vector<std::string> given_;
  bool pixels_ = false;
  bool raw_ = false;
  std::optional<std::int64_t> opset_;
};

}  // namespace

std::unique_ptr<Command> export_command() {
  return std::make_unique<ExportCommand>();
}

}  // namespace graphrun::cli
