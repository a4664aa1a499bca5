#include "cli/commands.hpp"

namespace graphrun::cli {

std::vector<std::unique_ptr<Command>> all_commands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(train_command());
  commands.push_back(eval_command());
  commands.push_back(encode_command());
  commands.push_back(decode_command());
  commands.push_back(reconstruct_command());
  commands.push_back(generate_command());
  commands.push_back(score_command());
  commands.push_back(predict_command());
  commands.push_back(distance_command());
  commands.push_back(pictures_command());
  commands.push_back(report_command());
  commands.push_back(check_command());
  commands.push_back(plan_command());
  commands.push_back(bench_command());
  commands.push_back(graph_command());
  commands.push_back(config_command());
  commands.push_back(ops_command());
  commands.push_back(schema_command());
  commands.push_back(data_command());
  commands.push_back(inspect_command());
  commands.push_back(export_command());
  commands.push_back(import_command());
  commands.push_back(init_command());
  commands.push_back(completion_command());
  commands.push_back(manual_command());
  return commands;
}

}  // namespace graphrun::cli
