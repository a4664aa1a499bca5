#include "cli/output/next_steps.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "cli/shell_word.hpp"
#include "ops/op.hpp"
#include "show/draw/pictures.hpp"
#include "train/learn/programs.hpp"
#include "train/measure/latent_space.hpp"
#include "train/measure/row_scores.hpp"

namespace graphrun::cli {

namespace {

bool has_rows(const ModelDefinition& model, const std::string& output) {
  const Shape& shape = model.graph.node(*model.role(output)).type.shape;
  return !shape.empty() && shape.front().is_batch();
}

/// What an output needs beside `fed`; nothing where that is more than the run's own data have.
std::vector<std::string> needed(const ModelDefinition& model, const std::string& output,
                                const std::vector<std::string>& fed) {
  std::vector<std::string> names;
  for (const train::ProgramInput& input :
       train::role_program(model, ops::registry(), {{output, *model.role(output)}}, fed).inputs)
    if (std::find(fed.begin(), fed.end(), input.name) == fed.end()) names.push_back(input.name);
  return names;
}

bool is_bound(const ModelDefinition& model, const std::string& input) {
  return std::any_of(model.inputs.begin(), model.inputs.end(),
                     [&](const ModelInput& bound) { return bound.name == input; });
}

bool comes_from_data(const ModelDefinition& model, const std::string& output) {
  const std::vector<std::string> names = needed(model, output, {});
  return std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return is_bound(model, name); });
}

/// " --input y=0" for labels that images are made for; nothing where they need more than labels.
std::optional<std::string> inputs_to_give(const ModelDefinition& model) {
  const Node& latent = model.graph.node(train::asked_node(model, model.role("latent") ? "latent" : "code"));
  std::string words;
  for (const std::string& name : needed(model, "image", {latent.name})) {
    const auto input = std::find_if(model.inputs.begin(), model.inputs.end(),
                                    [&](const ModelInput& each) { return each.name == name; });
    if (input == model.inputs.end() || input->source != InputSource::labels) return std::nullopt;
    words += " --input " + shell_word(name + "=0");
  }
  return words;
}

/// Of a run that has learnt from a table: what its own tables are good for.
std::vector<std::string> steps_with_tables(const ModelDefinition& model, const std::string& run) {
  const DataRecipe& data = *model.data;
  std::vector<std::string> commands;
  const std::string learnt = " " + shell_word(data.train->images);
  const std::string fresh = data.test ? " " + shell_word(data.test->images) : "";
  // Rows that were learnt from have scores that are too low to say anything.
  if (data.test && train::scores_rows(model)) commands.push_back(" score" + run + fresh);
  if (model.role("target"))
    commands.push_back(" predict" + run + (data.test ? fresh : learnt));
  else if (!data.table->windows && model.role("row") && data.table->missing != MissingCells::refuse)
    commands.push_back(" predict" + run + learnt + " --fill");
  return commands;
}

}  // namespace

std::string next_steps(const ModelDefinition& model, const train::RunResult& result,
                       const std::string& program) {
  const std::string run = " " + shell_word(result.directory.string());
  const std::string split = result.has_test_data ? "" : " --split train";
  const std::string as_table =
      result.has_pictures ? "" : " --out " + shell_word((result.directory / "samples.csv").string());
  std::string lines;
  const auto offer = [&](const std::string& command) { lines += "  " + program + command + "\n"; };
  if (result.has_table)
    for (const std::string& command : steps_with_tables(model, run)) offer(command);
  const bool has_image = model.role("image") && has_rows(model, "image");
  if (has_image && show::sees_images(model) && comes_from_data(model, "image"))
    offer(" reconstruct" + run + split);
  if (model.role("code") && has_rows(model, "code") && comes_from_data(model, "code"))
    offer(" encode" + run + split);
  if (has_image && train::makes_images(model))
    if (const std::optional<std::string> inputs = inputs_to_give(model))
      offer(" generate" + run + *inputs + as_table);
  return lines.empty() ? lines : "\nnext:\n" + lines;
}

}  // namespace graphrun::cli
