#include <fmt/format.h>

#include <filesystem>

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/output/model_schema.hpp"
#include "cli/shell_word.hpp"
#include "files/file.hpp"
#include "graphrun/error.hpp"
#include "train/learn/definition.hpp"

namespace graphrun::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* schema_name = "graphrun.schema.json";

/// `{0}` is the name of the model.
constexpr const char* starter = R"(# yaml-language-server: $schema=graphrun.schema.json
# What to do with it: graphrun check FILE finds mistakes, graphrun FILE trains, graphrun ops NAME explains an op.
graphrun: 1
name: {0}
about: An autoencoder to begin with.
vars: {{pixels: 784, hidden: [256, 64], units: 8}}   # constants, read as $name; --set units=3 changes one
data: fashion_mnist                                # or {{train: {{images: FILE}}, test: {{images: FILE}}}}
inputs:
  x: {{shape: [batch, $pixels]}}
nodes:
  enc:    {{op: dense, in: x, repeat: $hidden, units: $item, act: relu}}   # a layer for each of `hidden`
  code:   {{op: dense, in: enc, units: $units}}
  dec:    {{op: dense, in: code, repeat: $(reverse(hidden)), units: $item, act: relu}}
  logits: {{op: dense, in: dec, units: $pixels}}
  image:  sigmoid(logits)                          # a formula may stand wherever a node may
outputs: {{code: code, image: image}}              # what encode, reconstruct and generate ask for
loss:
  bce: {{op: bce_with_logits, in: [logits, x]}}
metrics:
  mse: {{op: mse, in: [image, x]}}
train: {{optimizer: {{op: adam, lr: 1.0e-3}}, batch: 128, epochs: 5, seed: 1}}
)";

/// A name of the language: what is none in the file's becomes an underscore.
std::string model_name(const fs::path& file) {
  std::string name = file.stem().string();
  for (char& c : name) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!is_letter && !(c >= '0' && c <= '9')) c = '_';
  }
  return name.empty() || (name.front() >= '0' && name.front() <= '9') ? "model_" + name : name;
}

class InitCommand final : public Command {
 public:
  std::string name() const override { return "init"; }
  std::string about() const override { return "Writes a model to begin with, and its schema for editors."; }
  void declare(Arguments& arguments) override {
    arguments.positional("FILE", file_, "the model file to write; .yaml is added where it is missing");
  }
  int run(Context& context) override {
    fs::path file = file_;
    if (file.extension() != ".yaml" && file.extension() != ".yml") file += ".yaml";
    if (fs::exists(fs::symlink_status(file)))
      throw Error(ErrorCode::usage,
                  fmt::format("{} is there already: init writes a new file", file.string()));
    if (file.has_parent_path()) files::create_folders(file.parent_path());
    // Always that of this program: an older one would call new keys wrong.
    files::write_text_file(file.parent_path() / schema_name, model_schema(train::language()) + "\n");
    files::write_text_file(file, fmt::format(starter, model_name(file)));
    context.console.result(text(context, file));
    return exit_code(ExitCode::ok);
  }

 private:
  std::string text(const Context& context, const fs::path& file) const {
    const std::string schema = (file.parent_path() / schema_name).string();
    if (context.flags.json)
      return files::JsonObject().set("file", file.string()).set("schema", schema).text() + "\n";
    const std::string word = shell_word(file.string());
    return fmt::format("{}\n{}\n\nnext:\n  {} check {}\n  {} {}\n", file.string(), schema, context.program,
                       word, context.program, word);
  }

  std::string file_;
};

}  // namespace

std::unique_ptr<Command> init_command() {
  return std::make_unique<InitCommand>();
}

}  // namespace graphrun::cli
