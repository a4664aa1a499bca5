// Peak memory of a training process: memory [MODEL] [--batch N] [--steps N]
//
// Runs `graphrun train` for some steps as a process of its own and holds its peak of resident memory against
// what the model needs: 1.15 times weights, optimizer state, planned workspace and the data set as u8, and 40
// MB for program and libraries.
#include <fmt/format.h>

#include <filesystem>

#include "bench/child.hpp"
#include "ops/op.hpp"
#include "runtime/lower/lower.hpp"
#include "train/datasets/bind_inputs.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/programs.hpp"

namespace {

using namespace graphrun;

double megabytes(std::size_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

/// Of all variables that a step names: weights, and what the optimizer keeps for each.
std::size_t variable_bytes(const Graph& graph) {
  std::size_t bytes = 0;
  for (const Node& node : graph.nodes())
    if (node.op->traits.variable)
      bytes += static_cast<std::size_t>(element_count(graphrun::bind(node.type.shape, std::int64_t{1}))) *
               sizeof(float);
  return bytes;
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run_program([&] {
    bench::Words words(count, arguments);
    const int batch = words.number("batch", 1024);
    const int steps = words.number("steps", 30);
    const std::string file = words.word(0, "models/deep_ae.yaml");
    const std::string folder = (std::filesystem::temp_directory_path() / "graphrun-memory").string();
    std::filesystem::remove_all(folder);
    const bench::ChildResult child = bench::run_child(
        {bench::graphrun_path(), "train", file, "--set", fmt::format("train.batch={}", batch), "--max-steps",
         std::to_string(steps), "--out", folder, "--no-progress", "-q"});
    std::filesystem::remove_all(folder);
    if (child.status != 0) throw std::runtime_error("graphrun train failed");

    const train::SharedDefinition model = train::load_definition(file);
    const train::Program program = train::training_program(*model, ops::registry());
    const auto plan = runtime::lower(program.graph, batch, ops::kernels());
    const train::Dataset data = train::load_model_data(*model);
    const double variables = megabytes(variable_bytes(*program.graph));
    const double workspace = megabytes(plan->statistics.workspace_bytes);
    const double images = megabytes(data.train.images.size() + data.test.images.size());
    const double bound = 1.15 * (variables + workspace + images) + 40;
    fmt::print("{} at batch {}: peak {:.1f} MB, bound {:.1f} MB\n", model->name, batch, child.peak_mb, bound);
    fmt::print(
        "  weights and optimizer {:.1f} MB, workspace {:.1f} MB, images {:.1f} MB; scratch {:.1f} MB a "
        "worker\n",
        variables, workspace, images, megabytes(plan->statistics.scratch_bytes_per_worker));
  });
}
