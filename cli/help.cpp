#include "cli/help.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace graphrun::cli {

std::string main_help() {
  return R"(graphrun trains models that are written as a graph in one YAML file.

  graphrun FILE.yaml        learn the model in FILE; as graphrun train FILE
  graphrun COMMAND --help   what a command does, and its flags

train        learn: --resume [DIR], --out DIR, --max-steps N
eval         measure a trained model on its test images
encode       images to codes (NPY, CSV)    decode   codes to images (PNG, NPY)
reconstruct  a PNG sheet: originals, corrupted inputs, reconstructions
generate     new images: samples, --grid, --interpolate A B, --traverse UNIT
score        how odd the rows of a table are        predict  any output, as CSV
distance     Fréchet distance of new images from real ones, by features
pictures     all pictures that suit a model         report   a run as one page
check        find all mistakes of a model file; --grad: check its gradients
plan         parameters, FLOP, memory, tasks         bench    a step's time
graph        the graph: text, --dot, --backward      config   all resolved
ops          help on each op                         init     a first model
data         list, fetch, verify data sets           inspect  a weights file
schema, completion, manual   for editors, shells     export   to ONNX

Flags everywhere:  --set NAME=VALUE (units=10, train.epochs=5)   --seed N
  --threads N   --provider auto|onednn|tiles   --json   -q/--quiet
  -v/--verbose   --no-progress
Where a checkpoint is wanted, a run directory stands for its newest one.
Exit: 0 ok, 1 failed, 2 usage, 3 model, 4 data or file, 5 not finite,
      6 a check failed, 129/130/143 interrupted (checkpoint written)
)";
}

std::string written(const ArgumentDescription& argument) {
  std::string text = fmt::format("{}", fmt::join(argument.names, ", "));
  if (argument.value.empty()) return text;
  return text + fmt::format(fmt::runtime(argument.value_is_optional ? " [{}]" : " {}"), argument.value);
}

std::string command_help(const std::string& own, std::span<const ArgumentDescription> everywhere) {
  std::string text = own + "\nFlags everywhere:\n";
  for (const ArgumentDescription& flag : everywhere)
    text += fmt::format("  {:<17}  {}\n", written(flag), flag.help);
  return text;
}

}  // namespace graphrun::cli
