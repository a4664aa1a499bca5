#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/failure.hpp"
#include "cli/signals.hpp"

namespace graphrun::cli {
namespace {

Console::Level level_of(const CommonFlags& flags) {
  if (flags.quiet) return Console::Level::quiet;
  return flags.verbose ? Console::Level::verbose : Console::Level::normal;
}

int run(std::span<const std::string> words) {
  const std::vector<std::unique_ptr<Command>> commands = all_commands();
  const Invocation invocation = parse_command_line(words, commands);
  Console console(level_of(invocation.flags), !invocation.flags.no_progress);
  int code = exit_code(ExitCode::ok);
  if (invocation.command == nullptr) {
    console.result(invocation.text);
  } else {
    Context context{invocation.flags, console};
    code = invocation.command->run(context);
  }
  console.finish();
  return code;
}

int guarded(std::span<const std::string> words) noexcept {
  try {
    ignore_write_signals();
    return run(words);
  } catch (...) {
    const Failure failure = describe(std::current_exception());
    std::fputs(failure.text.c_str(), stderr);
    return exit_code(failure.code);
  }
}

}  // namespace
}  // namespace graphrun::cli

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return graphrun::cli::guarded(words);
}
