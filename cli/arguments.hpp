/// \file
/// The command line, declared and parsed. The only file pair that knows CLI11.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace graphrun::cli {

/// Declares the arguments of one subcommand. The variables they are bound to must outlive the parse.
class Arguments {
 public:
  /// A word by its place, e.g. "FILE"; missing when required: Error{usage}.
  void positional(const std::string& name, std::string& into, const std::string& help, bool required = true);
  /// All remaining words.
  void words(const std::string& name, std::vector<std::string>& into, const std::string& help);

  void flag(const std::string& name, bool& into, const std::string& help);
  void option(const std::string& name, std::string& into, const std::string& value, const std::string& help);
  void option(const std::string& name, std::optional<std::int64_t>& into, const std::string& value,
              const std::string& help);
  /// May be given several times.
  void option(const std::string& name, std::vector<std::string>& into, const std::string& value,
              const std::string& help);
  /// An option with two values: `into` is empty unless it is given.
  void pair(const std::string& name, std::vector<std::int64_t>& into, const std::string& value,
            const std::string& help);
  /// An option whose value may be left out: `given` says that it stands there.
  void option_with_default(const std::string& name, bool& given, std::string& into, const std::string& value,
                           const std::string& help);

  class Implementation;
  explicit Arguments(Implementation& implementation) : implementation_(implementation) {}

 private:
  Implementation& implementation_;
};

/// What the words of a command line ask for.
struct Invocation {
  Command* command = nullptr;  ///< null when there is only `text` to print (help, version)
  std::string text;
  CommonFlags flags = {};
};

/// Parses everything after the program's name. Error{usage} for what makes no sense, with the nearest flag or
/// command for an unknown one.
Invocation parse_command_line(std::span<const std::string> words,
                              std::span<const std::unique_ptr<Command>> commands);

/// One thing that may be written after a command.
struct ArgumentDescription {
  std::vector<std::string> names;  ///< "-q", "--quiet"; of a word by its place its name: "FILE"
  std::string value;               ///< what follows a flag: "DIR", "A B"; empty when nothing does
  std::string help;                ///< one line
  bool by_place = false;
  bool value_is_optional = false;
};

struct CommandDescription {
  std::string name;
  std::string about;
  std::vector<ArgumentDescription> arguments;  ///< its own, in the order of its help
};

/// All that can be written, as the commands declare it: for shells and manuals.
std::vector<CommandDescription> describe_commands(std::span<const std::unique_ptr<Command>> commands);
/// The flags that every command takes.
std::vector<ArgumentDescription> describe_common_flags();

}  // namespace graphrun::cli
