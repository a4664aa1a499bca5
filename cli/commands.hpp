/// \file
/// The subcommands, one file each.
#pragma once

#include <memory>

#include "cli/command.hpp"

namespace graphrun::cli {

std::unique_ptr<Command> train_command();
std::unique_ptr<Command> eval_command();
std::unique_ptr<Command> encode_command();
std::unique_ptr<Command> decode_command();
std::unique_ptr<Command> reconstruct_command();
std::unique_ptr<Command> generate_command();
std::unique_ptr<Command> score_command();
std::unique_ptr<Command> predict_command();
std::unique_ptr<Command> distance_command();
std::unique_ptr<Command> pictures_command();
std::unique_ptr<Command> report_command();
std::unique_ptr<Command> check_command();
std::unique_ptr<Command> plan_command();
std::unique_ptr<Command> bench_command();
std::unique_ptr<Command> graph_command();
std::unique_ptr<Command> config_command();
std::unique_ptr<Command> ops_command();
std::unique_ptr<Command> schema_command();
std::unique_ptr<Command> data_command();
std::unique_ptr<Command> inspect_command();
std::unique_ptr<Command> export_command();
std::unique_ptr<Command> import_command();
std::unique_ptr<Command> init_command();
std::unique_ptr<Command> completion_command();
std::unique_ptr<Command> manual_command();

}  // namespace graphrun::cli
