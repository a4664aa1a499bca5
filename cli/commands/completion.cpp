#include "cli/output/completion.hpp"

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"

namespace graphrun::cli {

namespace {

class CompletionCommand final : public Command {
 public:
  std::string name() const override { return "completion"; }
  std::string about() const override { return "Prints a script that completes words for bash, zsh or fish."; }
  void declare(Arguments& arguments) override {
    arguments.positional("SHELL", shell_,
                         "bash, zsh or fish; for instance source <(graphrun completion bash)");
  }
  int run(Context& context) override {
    context.console.result(
        completion_script(shell_, describe_commands(all_commands()), describe_common_flags()));
    return exit_code(ExitCode::ok);
  }

 private:
  std::string shell_;
};

}  // namespace

std::unique_ptr<Command> completion_command() {
  return std::make_unique<CompletionCommand>();
}

}  // namespace graphrun::cli
