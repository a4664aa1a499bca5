#include "cli/commands.hpp"

namespace graphrun::cli {

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(ops_command());
  return commands;
}

}  // namespace graphrun::cli
