#include "cli/output/manual.hpp"

#include <fmt/format.h>

#include "cli/help.hpp"
#include "graphrun/version.hpp"

namespace graphrun::cli {

namespace {

/// Roff reads a backslash as an escape, a hyphen as a soft one, and a dot or a quote that begins a line as a
/// request.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\')
      result += "\\e";
    else if (c == '-')
      result += "\\-";
    else
      result += c;
  }
  return result.starts_with('.') || result.starts_with('\'') ? "\\&" + result : result;
}

std::string entry(const ArgumentDescription& argument) {
  return fmt::format(".TP\n.B {}\n{}\n", escaped(written(argument)), escaped(argument.help));
}

std::string synopsis(const CommandDescription& command) {
  std::string text = "graphrun " + command.name;
  bool has_flags = false;
  for (const ArgumentDescription& argument : command.arguments) has_flags |= !argument.by_place;
  for (const ArgumentDescription& argument : command.arguments)
    if (argument.by_place) text += " " + argument.names.front();
  return text + (has_flags ? " [FLAGS]" : "");
}

constexpr const char* introduction = R"(.SH NAME
graphrun \- trains models that are written as a graph in one YAML file
.SH SYNOPSIS
.B graphrun
.I FILE.yaml
.br
.B graphrun
.I COMMAND
[\fIARGUMENTS\fR]
.SH DESCRIPTION
A model file names data, a graph of operations, losses and how to learn.
.B graphrun
checks it, makes its gradients, learns, and writes weights, figures and pictures to a run directory.
A bare model file is learnt, as with
.BR "graphrun train" .
Where a checkpoint is wanted, a run directory stands for its newest one.
)";

constexpr const char* ending = R"(.SH EXIT STATUS
.TP
.B 0
all is well
.TP
.B 1
the run failed
.TP
.B 2
the command line makes no sense
.TP
.B 3
the model is invalid
.TP
.B 4
data or a file
.TP
.B 5
a loss, a gradient or a weight is not finite
.TP
.B 6
a check failed
.TP
.B 129, 130, 143
interrupted by SIGHUP, SIGINT, SIGTERM; the step was finished and a checkpoint written
.SH ENVIRONMENT
.TP
.B NO_COLOR
set and not empty: no colours in messages
)";

}  // namespace

std::string manual_page(std::span<const CommandDescription> commands,
                        std::span<const ArgumentDescription> everywhere) {
  std::string text = fmt::format(".TH GRAPHRUN 1 \"\" \"graphrun {}\"\n", escaped(version)) + introduction;
  text += ".SH COMMANDS\n";
  for (const CommandDescription& command : commands) {
    text += fmt::format(".SS {}\n{}\n", escaped(synopsis(command)), escaped(command.about));
    for (const ArgumentDescription& argument : command.arguments) text += entry(argument);
  }
  text += ".SH FLAGS EVERYWHERE\n";
  for (const ArgumentDescription& flag : everywhere) text += entry(flag);
  return text + ending;
}

}  // namespace graphrun::cli
