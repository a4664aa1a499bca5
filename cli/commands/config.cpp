#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/json.hpp"
#include "cli/model_source.hpp"

namespace graphrun::cli {

namespace {

class ConfigCommand final : public Command {
 public:
  std::string name() const override { return "config"; }
  std::string about() const override {
    return "Prints the model with everything resolved: includes inlined, --set applied.";
  }
  void declare(Arguments& arguments) override { arguments.positional("FILE", file_, "the model file"); }
  int run(Context& context) override {
    const SharedModel model = model_from_file(file_, context.flags);
    return answer(context, files::JsonObject().set("resolved", model->resolved), model->resolved);
  }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> config_command() {
  return std::make_unique<ConfigCommand>();
}

}  // namespace graphrun::cli
