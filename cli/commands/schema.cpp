#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/output/model_schema.hpp"
#include "train/learn/definition.hpp"

namespace graphrun::cli {

namespace {

class SchemaCommand final : public Command {
 public:
  std::string name() const override { return "schema"; }
  std::string about() const override { return "The model language as a JSON Schema, for editors."; }
  void declare(Arguments& /*arguments*/) override {}
  int run(Context& context) override {
    context.console.result(model_schema(train::language()) + "\n");
    return exit_code(ExitCode::ok);
  }
};

}  // namespace

std::unique_ptr<Command> schema_command() {
  return std::make_unique<SchemaCommand>();
}

}  // namespace graphrun::cli
