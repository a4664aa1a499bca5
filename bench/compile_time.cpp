// How long it takes from YAML to a plan that is ready to run, and how much memory: compile_time [MODEL...]
//
// First the models (by default the bundled deep autoencoder and the lecture's), stage by stage, kernels and
// oneDNN's primitives included, again and again in this process and once in each of some fresh ones. Then
// chains and wide graphs of 1,000, 10,000 and 100,000 nodes, each compiled for training in a process of its
// own, whose peak memory is given. Time per node should stay the same.
#include <fmt/format.h>

#include <algorithm>

#include "bench/child.hpp"
#include "ops/op.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/programs.hpp"

namespace {

using namespace graphrun;

struct Stages {
  double read_ms = 0;     ///< YAML to graph
  double program_ms = 0;  ///< gradients, updates, passes
  double plan_ms = 0;     ///< plan, kernels, memory, threads
  std::size_t nodes = 0;  ///< of the graph that is planned
  std::size_t tasks = 0;
  double total_ms() const { return read_ms + program_ms + plan_ms; }
};

template <class Read>
Stages compile(const Read& read, std::int64_t batch) {
  Stages stages;
  bench::Clock::time_point start = bench::Clock::now();
  const auto lap = [&start] {
    const double ms = bench::seconds_since(start) * 1e3;
    start = bench::Clock::now();
    return ms;
  };
  const train::SharedDefinition model = read();
  stages.read_ms = lap();
  const train::Program program = train::training_program(*model, ops::registry());
  stages.program_ms = lap();
  runtime::Session session(ops::registry(), ops::kernels());
  const runtime::Plan& plan = session.prepare(session.add(program.graph), batch);
  stages.plan_ms = lap();
  stages.nodes = program.graph->size();
  stages.tasks = plan.statistics.tasks;
  return stages;
}

/// One after the other.
std::string chain(int nodes) {
  constexpr int most_repeats = 10'000;  // of one node, by the language
  std::string text;
  std::string before = "d";
  for (int made = 0; made < nodes; made += most_repeats) {
    const std::string name = fmt::format("c{}", made / most_repeats);
    text += fmt::format("  {}: {{op: tanh, in: {}, repeat: {}}}\n", name, before,
                        std::min(most_repeats, nodes - made));
    before = name;
  }
  return text + fmt::format("  y: {{op: tanh, in: {}}}\n", before);
}

/// Side by side on one value, and summed.
std::string wide(int nodes) {
  std::string text;
  std::string sum = "a0";
  for (int i = 0; i < nodes / 2; ++i) text += fmt::format("  a{}: tanh({} * d)\n", i, i + 1);
  for (int i = 1; i < nodes / 2; ++i) {
    text += fmt::format("  s{}: {} + a{}\n", i, sum, i);
    sum = fmt::format("s{}", i);
  }
  return text + fmt::format("  y: {{op: tanh, in: {}}}\n", sum);
}

std::string model_of(const std::string& shape, int nodes) {
  return "graphrun: 1\nname: large\ninputs:\n  x: {shape: [batch, 8]}\nnodes:\n"
         "  d: {op: dense, in: x, units: 8}\n" +
         (shape == "chain" ? chain(nodes) : wide(nodes)) +
         "loss:\n  l: {op: mse, in: [y, x]}\n"
         "train: {optimizer: {op: sgd, lr: 0.1}, batch: 32, epochs: 1}\n";
}

void compile_large(const std::string& shape, int nodes) {
  const std::string text = model_of(shape, nodes);
  const Stages stages = compile([&] { return train::parse_definition(text, shape + ".yaml"); }, 32);
  fmt::print("{} {} {} {} {}", stages.nodes, stages.tasks, stages.read_ms, stages.program_ms, stages.plan_ms);
}

void compare_large(const std::string& shape) {
  for (const int written : {250, 2'500, 25'000}) {
    const bench::ChildResult child =
        bench::run_child({bench::own_path(), "--large", shape, std::to_string(written)});
    std::size_t nodes = 0;
    std::size_t tasks = 0;
    double read = 0;
    double program = 0;
    double plan = 0;
    if (std::sscanf(child.output.c_str(), "%zu %zu %lf %lf %lf", &nodes, &tasks, &read, &program, &plan) !=
        5) {
      fmt::print("  {} of {} nodes: failed\n", shape, written);
      continue;
    }
    const double total = read + program + plan;
    fmt::print(
        "  {:<6}{:>9} nodes {:>9} tasks {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} ms {:>7.1f} us a node {:>7.0f} "
        "MB\n",
        shape, nodes, tasks, read, program, plan, total, total * 1e3 / static_cast<double>(nodes),
        child.peak_mb);
  }
}

Stages compile_model(const std::string& file) {
  return compile([&] { return train::load_definition(file); }, 128);
}

/// The first compilation in a process: how long it took, and for how much of it the kernel worked. It hands
/// out the pages of variables and workspace, and on a machine that shares its memory that takes what it
/// takes.
struct First {
  double ms = 0;
  double kernel_ms = 0;
};

double kernel_ms_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_stime.tv_sec) * 1e3 + static_cast<double>(usage.ru_stime.tv_usec) / 1e3;
}

void compile_first(const std::string& file) {
  const double before = kernel_ms_so_far();
  const double ms = compile_model(file).total_ms();
  fmt::print("{} {}", ms, kernel_ms_so_far() - before);
}

/// Of fresh processes, the fastest first.
std::vector<First> first_times(const std::string& file) {
  constexpr int processes = 25;
  std::vector<First> times(processes);
  for (First& time : times) {
    const bench::ChildResult child = bench::run_child({bench::own_path(), "--first", file});
    std::sscanf(child.output.c_str(), "%lf %lf", &time.ms, &time.kernel_ms);
  }
  std::ranges::sort(times, {}, &First::ms);
  return times;
}

void compare_model(const std::string& file) {
  std::vector<Stages> runs;
  for (int run = 0; run < 7; ++run) runs.push_back(compile_model(file));
  std::ranges::sort(runs, {}, &Stages::total_ms);
  const Stages& stages = runs[runs.size() / 2];
  fmt::print("  {:<36}{:>6} nodes {:>8.1f} {:>8.1f} {:>8.1f} {:>8.1f} ms\n", file, stages.nodes,
             stages.read_ms, stages.program_ms, stages.plan_ms, stages.total_ms());
  const std::vector<First> first = first_times(file);
  const First& middle = first[first.size() / 2];
  fmt::print(
      "    the first in each of {} processes: {:.1f} ms, {:.1f} of them in the kernel; at most {:.1f}, "
      "{:.1f}\n",
      first.size(), middle.ms, middle.kernel_ms, first.back().ms, first.back().kernel_ms);
}

}  // namespace

int main(int count, char** arguments) {
  return bench::run_program([&] {
    bench::Words words(count, arguments);
    if (const std::string shape = words.option("large", ""); !shape.empty()) {
      compile_large(shape, std::stoi(words.word(0, "1000")));
      return;
    }
    if (const std::string file = words.option("first", ""); !file.empty()) {
      compile_first(file);
      return;
    }
    fmt::print("milliseconds to read, to differentiate and simplify, to plan, together\n");
    std::vector<std::string> files;
    for (std::size_t i = 0; !words.word(i, "").empty(); ++i) files.push_back(words.word(i, ""));
    if (files.empty()) files = {"models/deep_ae.yaml", "models/autoencoder.yaml"};
    for (const std::string& file : files) compare_model(file);
    for (const char* const shape : {"chain", "wide"}) compare_large(shape);
  });
}
