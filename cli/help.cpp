#include "cli/help.hpp"

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
distance     Fréchet distance of new images from real ones, by features
pictures     all pictures that suit a model         report   a run as one page
check        find all mistakes of a model file; --grad: check its gradients
plan         parameters, FLOP, memory and tasks of a training step
bench        time of a training step beside the floor of this machine
graph        the graph: text, --dot, --backward      schema   for editors
config       the model with everything resolved      ops      help on each op
data         list, fetch, verify data sets           inspect  a weights file

Flags everywhere:  --set NAME=VALUE (units=10, train.epochs=5)   --seed N
  --threads N   --json   -q/--quiet   -v/--verbose   --no-progress
Where a checkpoint is wanted, a run directory stands for its newest one.
Exit: 0 ok, 1 failed, 2 usage, 3 model, 4 data or file, 5 not finite,
      6 a check failed, 129/130/143 interrupted (checkpoint written)
)";
}

std::string command_help(const std::string& own) {
  return own + R"(
Flags everywhere:
  --set NAME=VALUE   change a var (units=10) or a key (train.epochs=5); repeatable
  --seed N           use this seed instead of the model's
  --threads N        worker threads; 0, the default: all cores
  --json             print the result as one JSON object on stdout
  -q, --quiet        no log           -v, --verbose  more of it
  --no-progress      no progress bar
)";
}

}  // namespace graphrun::cli
