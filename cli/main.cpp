#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/failure.hpp"
#include "cli/model_source.hpp"
#include "cli/shell_word.hpp"
#include "cli/signals.hpp"
#include "ranks/rank_team.hpp"

namespace graphrun::cli {
namespace {

namespace fs = std::filesystem;

Console::Level level_of(const CommonFlags& flags) {
  if (flags.quiet) return Console::Level::quiet;
  return flags.verbose ? Console::Level::verbose : Console::Level::normal;
}

/// A path from here, where that says the same: shorter, and it can be copied.
std::string shown_program(const std::string& called) {
  std::error_code code;
  const fs::path here = fs::current_path(code);
  const fs::path relative = fs::path(called).lexically_relative(here);
  const bool is_below = !code && called.starts_with('/') && !relative.empty() && *relative.begin() != "..";
  return shell_word(is_below ? relative.string() : called);
}

/// Of processes that a launcher has started the first one says what all of them have done. At the end, since
/// `bench` begins again on its way.
void warn_of_many(const Command& command, Console& console) {
  if (command.name() == "train" || ranks::launched_ranks() == 1 || ranks::launched_rank() > 0) return;
  console.warning(
      fmt::format("the launcher has started {} processes, and each of them has done all of `{}`: only "
                  "`train` shares its work",
                  ranks::launched_ranks(), command.name()));
}

int run(const std::string& program, std::span<const std::string> words) {
  HeldSignals held;
  const std::vector<std::unique_ptr<Command>> commands = all_commands();
  const Invocation invocation = parse_command_line(words, commands);
  Console console(level_of(invocation.flags), !invocation.flags.no_progress);
  int code = exit_code(ExitCode::ok);
  if (invocation.command == nullptr) {
    console.result(invocation.text);
  } else {
    if (!invocation.command->handles_signals()) held.release();
    Context context{invocation.flags, console, program};
    code = invocation.command->run(context);
    warn_of_many(*invocation.command, console);
  }
  // What failed for another reason says so: a terminal that was closed takes no result either.
  if (code == exit_code(ExitCode::ok)) console.finish();
  return code;
}

/// The file of the model that the words are about: the first that is one, or that of a run directory.
std::string model_file_of(const std::vector<std::string>& words) {
  for (const std::string& word : words)
    if (is_model_file(word)) return word;
  std::error_code ignored;
  for (const std::string& word : words)
    if (fs::exists(fs::path(word) / "resolved.yaml", ignored))
      return (fs::path(word) / "resolved.yaml").string();
  return {};
}

/// What fails in all processes of a launcher the first one says: it ends, and the launcher ends the others.
/// One that fails alone speaks for itself.
void await_turn() noexcept {
  const int process = ranks::launched_rank();
  if (process == 0 || ranks::launched_ranks() == 1) return;
  std::this_thread::sleep_for(ranks::others_wait);
  std::fprintf(stderr, "process %d of %d: ", process + 1, ranks::launched_ranks());
}

int guarded(const std::vector<std::string>& words) noexcept {
  std::string model_file;
  try {
    model_file = model_file_of(words);
    ignore_write_signals();
    return run(shown_program(words.front()), std::span(words).subspan(1));
  } catch (...) {
    await_turn();
    return report(std::current_exception(), model_file, words);
  }
}

}  // namespace
}  // namespace graphrun::cli

int main(int argc, char** argv) {
  graphrun::cli::reserve_standard_streams();
  std::vector<std::string> words(argv, argv + argc);
  if (words.empty()) words.emplace_back("graphrun");
  return graphrun::cli::guarded(words);
}
