#include "cli/output/completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "graphrun/error.hpp"

namespace graphrun::cli {

namespace {

using Commands = std::span<const CommandDescription>;
using Flags = std::span<const ArgumentDescription>;

/// Text between single quotes, as all three shells take it.
std::string in_quotes(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::vector<std::string> flags_of(Flags arguments) {
  std::vector<std::string> names;
  for (const ArgumentDescription& argument : arguments)
    if (!argument.by_place) names.insert(names.end(), argument.names.begin(), argument.names.end());
  return names;
}

std::vector<std::string> names_of(Commands commands) {
  std::vector<std::string> names;
  for (const CommandDescription& command : commands) names.push_back(command.name);
  return names;
}

bool takes_file(const ArgumentDescription& argument) {
  return argument.value == "FILE" || argument.value == "DIR" || argument.value == "RUN";
}

/// The flags after which a word stands that no shell can know: a number, a name.
std::vector<std::string> flags_with_free_value(Commands commands, Flags everywhere) {
  std::vector<std::string> names;
  const auto add = [&](Flags arguments) {
    for (const ArgumentDescription& argument : arguments)
      if (!argument.by_place && !argument.value.empty() && !takes_file(argument))
        for (const std::string& name : argument.names)
          if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const CommandDescription& command : commands) add(command.arguments);
  add(everywhere);
  return names;
}

std::string bash_script(Commands commands, Flags everywhere) {
  std::string text = "# Completion of graphrun for bash: source <(graphrun completion bash)\n_graphrun() {\n";
  text += "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= flags= i\n";
  text += "  COMPREPLY=()\n";
  text += fmt::format("  case $before in {}) return;; esac\n",
                      fmt::join(flags_with_free_value(commands, everywhere), "|"));
  text += "  for ((i = 1; i < COMP_CWORD; i++)); do\n    case ${COMP_WORDS[i]} in\n";
  text += fmt::format("      {}) command=${{COMP_WORDS[i]}}; break;;\n", fmt::join(names_of(commands), "|"));
  text += "      *.yaml|*.yml) command=train; break;;\n    esac\n  done\n  case $command in\n";
  for (const CommandDescription& command : commands)
    text += fmt::format("    {}) flags={};;\n", command.name,
                        in_quotes(fmt::format("{}", fmt::join(flags_of(command.arguments), " "))));
  text += "  esac\n  if [[ $word == -* ]]; then\n";
  text += fmt::format("    mapfile -t COMPREPLY < <(compgen -W \"$flags {} --help\" -- \"$word\")\n",
                      fmt::join(flags_of(everywhere), " "));
  text += "  elif [[ -z $command ]]; then\n";
  text += fmt::format("    mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\"; compgen -f -- \"$word\")\n",
                      fmt::join(names_of(commands), " "));
  text += "  else\n    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n  fi\n}\n";
  return text + "complete -o filenames -F _graphrun graphrun\n";
}

/// Inside _arguments' specification a colon and brackets end what they stand in.
std::string zsh_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

std::string zsh_argument(const ArgumentDescription& argument, const std::string& name) {
  std::string text = fmt::format("*{}[{}]", name, zsh_escaped(argument.help));
  if (argument.value.empty()) return in_quotes(text);
  text += fmt::format("{}{}:", argument.value_is_optional ? "::" : ":", zsh_escaped(argument.value));
  return in_quotes(text + (takes_file(argument) ? "_files" : " "));
}

std::string zsh_arguments(Flags arguments) {
  std::string text;
  for (const ArgumentDescription& argument : arguments)
    if (!argument.by_place)
      for (const std::string& name : argument.names) text += " \\\n    " + zsh_argument(argument, name);
  return text;
}

std::string zsh_script(Commands commands, Flags everywhere) {
  std::string text =
      "#compdef graphrun\n# Completion of graphrun for zsh: source <(graphrun completion zsh)\n";
  text += "_graphrun() {\n  local -a commands everywhere\n  commands=(\n";
  for (const CommandDescription& command : commands)
    text += fmt::format("    {}\n", in_quotes(command.name + ":" + zsh_escaped(command.about)));
  text += "  )\n  everywhere=(" + zsh_arguments(everywhere) + "\n  )\n";
  text += "  if (( CURRENT == 2 )); then\n    _describe command commands\n    _files\n    return\n  fi\n";
  text += "  case $words[2] in\n";
  for (const CommandDescription& command : commands)
    text += fmt::format("  {}{}) _arguments $everywhere{} '*:file:_files' ;;\n", command.name,
                        command.name == "train" ? "|*.yaml|*.yml" : "", zsh_arguments(command.arguments));
  text += "  esac\n}\n";
  // Autoloaded, the file is the function; sourced, it must be announced.
  return text +
         "if [[ $funcstack[1] == _graphrun ]]; then _graphrun \"$@\"; else compdef _graphrun graphrun; fi\n";
}

std::string fish_flags(Flags arguments, std::string_view condition) {
  std::string text;
  for (const ArgumentDescription& argument : arguments) {
    if (argument.by_place) continue;
    text += fmt::format("complete -c graphrun{}", condition);
    for (const std::string& name : argument.names)
      text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    if (!argument.value.empty() && !argument.value_is_optional) text += takes_file(argument) ? " -rF" : " -x";
    text += fmt::format(" -d {}\n", in_quotes(argument.help));
  }
  return text;
}

std::string fish_script(Commands commands, Flags everywhere) {
  std::string text = "# Completion of graphrun for fish: graphrun completion fish | source\n";
  for (const CommandDescription& command : commands) {
    text += fmt::format("complete -c graphrun -n __fish_use_subcommand -a {} -d {}\n", command.name,
                        in_quotes(command.about));
    text += fish_flags(command.arguments, fmt::format(" -n '__fish_seen_subcommand_from {}'", command.name));
  }
  return text + fish_flags(everywhere, "");
}

}  // namespace

std::string completion_script(std::string_view shell, Commands commands, Flags everywhere) {
  if (shell == "bash") return bash_script(commands, everywhere);
  if (shell == "zsh") return zsh_script(commands, everywhere);
  if (shell == "fish") return fish_script(commands, everywhere);
  throw Error(ErrorCode::usage,
              fmt::format("there is no completion for the shell '{}': bash, zsh or fish", shell));
}

}  // namespace graphrun::cli
