#include <fmt/format.h>

#include <filesystem>
#include <sstream>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/shell_word.hpp"
#include "files/file.hpp"
#include "files/number_text.hpp"
#include "onnx/import/import_model.hpp"

namespace graphrun::cli {

namespace {

JsonArray json_of(const std::vector<std::string>& words) {
  JsonArray array;
  for (const std::string& word : words) array.add(word);
  return array;
}

struct Said {
  std::string input;
  std::string text;
};
Said parts_of(const char* flag, const std::string& entry, const char* example) {
  const std::size_t equals = entry.rfind('=');
  if (equals == std::string::npos)
    throw Error(ErrorCode::usage, fmt::format("{} {}: write {}", flag, entry, example));
  return {entry.substr(0, equals), entry.substr(equals + 1)};
}

std::vector<double> numbers_from(const std::string& text) {
  std::vector<double> numbers;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    const std::optional<double> number = files::number_in<double>(word);
    if (!number) throw Error(ErrorCode::usage, fmt::format("--value: '{}' is no number", word));
    numbers.push_back(*number);
  }
  return numbers;
}

class ImportCommand final : public Command {
 public:
  std::string name() const override { return "import"; }
  std::string about() const override { return "Makes a model file and its weights of an ONNX file."; }
  void declare(Arguments& arguments) override {
    arguments.positional("FILE", file_, "an ONNX file");
    arguments.option("--out", folder_, "DIR", "where model.yaml and weights.safetensors go");
    arguments.option("--shape", shapes_, "INPUT=SIZES",
                     "the shape of an input, such as x=batch,3,24,24; may be repeated");
    arguments.option("--value", values_, "INPUT=NUMBERS",
                     "numbers that an input always has, such as axes=0,1; may be repeated");
    arguments.option("--data", data_, "NAME", "the data set that the model learns from");
    arguments.flag("--external-data", external_, "also read weights in files beside the ONNX file");
  }
  int run(Context& context) override {
    if (file_.empty() || folder_.empty())
      throw Error(ErrorCode::usage,
                  "say what to read and where to write: graphrun import FILE.onnx --out DIR");
    if (std::filesystem::exists(std::filesystem::path(folder_) / "model.yaml"))
      throw Error(ErrorCode::usage, fmt::format("{} has a model.yaml; name another folder", folder_));
    constexpr std::uint64_t most = std::uint64_t{2} << 30;
    const onnx::Imported imported = onnx::import_model(files::read_text_file(file_, most), options());
    onnx::save_imported(folder_, imported);
    context.console.result(context.flags.json ? as_json(imported) : as_text(imported));
    return exit_code(ExitCode::ok);
  }

 private:
  onnx::ImportOptions options() const {
    onnx::ImportOptions options;
    options.file = file_;
    options.name = std::filesystem::path(file_).stem().string();
    options.data = data_;
    for (const std::string& entry : shapes_) {
      const auto [input, text] = parts_of("--shape", entry, "INPUT=batch,3,24,24");
      options.shapes[input] = onnx::shape_from(text);
    }
    for (const std::string& entry : values_) {
      const auto [input, text] = parts_of("--value", entry, "INPUT=0,1");
      options.settled[input] = numbers_from(text);
    }
    if (external_) options.external_data = std::filesystem::path(file_).parent_path();
    return options;
  }

  std::string as_text(const onnx::Imported& imported) const {
    const std::string model = (std::filesystem::path(folder_) / "model.yaml").string();
    const std::string weights = (std::filesystem::path(folder_) / "weights.safetensors").string();
    return fmt::format("{}: {} to {}, {} parameters\n{} --weights {} is what commands take\n", model,
                       fmt::join(imported.inputs, ", "), fmt::join(imported.outputs, ", "),
                       imported.weights.size(), shell_word(model), shell_word(weights));
  }

  std::string as_json(const onnx::Imported& imported) const {
    return JsonObject()
               .set("model", (std::filesystem::path(folder_) / "model.yaml").string())
               .set("weights", (std::filesystem::path(folder_) / "weights.safetensors").string())
               .set("inputs", json_of(imported.inputs))
               .set("outputs", json_of(imported.outputs))
               .set("nodes", imported.nodes)
               .set("parameters", imported.weights.size())
               .text() +
           "\n";
  }

  std::string file_;
  std::string folder_;
  std::string data_;
  std::vector<std::string> shapes_;
  std::vector<std::string> values_;
  bool external_ = false;
};

}  // namespace

std::unique_ptr<Command> import_command() {
  return std::make_unique<ImportCommand>();
}

}  // namespace graphrun::cli
