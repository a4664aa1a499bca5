#include "cli/help.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace graphrun::cli {

std::string main_help() {
  return R"(graphrun trains models that are written as a graph in one YAML file.

  graphrun FILE.yaml        learn the model in FILE; as graphrun train FILE
  graphrun COMMAND --help   what a command does, and its flags

train        learn: --resume [DIR], --out DIR, --max-steps N
eval         measure a trained model       distance    of new images from real
encode       images to codes               decode      codes to images
reconstruct  before and after, as a sheet  generate    new images
score        how odd a table's rows are    predict     any output, as CSV or NPY
pictures     all that suit a model         report      a run as one page
check        every mistake; --grad         plan        parameters, FLOP, memory
bench        a step beside its floor       graph       text, --svg, --dot
config       everything resolved           ops         help on each op
data         list, fetch, verify, show     inspect     a weights file
export       to ONNX, PyTorch, NumPy       import      a model from ONNX
init         a model to begin with         schema      for editors
completion   for shells                    manual      the manual page

Flags everywhere:  --set NAME=VALUE (units=10, train.epochs=5)   --seed N
  --threads N  --provider NAME  --json  -q/--quiet  -v/--verbose  --no-progress
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
