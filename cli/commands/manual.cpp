#include "cli/output/manual.hpp"

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"

namespace graphrun::cli {

namespace {

class ManualCommand final : public Command {
 public:
  std::string name() const override { return "manual"; }
  std::string about() const override { return "Prints the manual page, for man: graphrun manual | man -l -"; }
  void declare(Arguments& /*arguments*/) override {}
  int run(Context& context) override {
    context.console.result(manual_page(describe_commands(all_commands()), describe_common_flags()));
    return exit_code(ExitCode::ok);
  }
};

}  // namespace

std::unique_ptr<Command> manual_command() {
  return std::make_unique<ManualCommand>();
}

}  // namespace graphrun::cli
