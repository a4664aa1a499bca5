// Plans say of each task which others it must wait for, and leave none out. Every step of every bundled model
// runs with nothing but these edges to order its tasks: see tests/support/run_by_edges.hpp.
#include <algorithm>
#include <bit>
#include <filesystem>
#include <random>

#include "ops/op.hpp"
#include "runtime/execute/plan_run.hpp"
#include "runtime/execute/session.hpp"
#include "runtime/lower/lower.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/folders.hpp"
#include "tests/support/run_by_edges.hpp"
#include "tests/support/same_bits.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learning_step.hpp"
#include "train/learn/programs.hpp"

using namespace graphrun;
using namespace graphrun::train;
using graphrun::testing::Edge;
using graphrun::testing::edges_of;
using graphrun::testing::same_bits;

namespace {

constexpr std::int64_t batch = 48;
const RandomState noise{.seed = 1, .domain = 1, .step = 1, .first_row = 0};

/// A program with variables and inputs of its own.
class Step {
 public:
  explicit Step(std::shared_ptr<const Graph> graph)
      : graph_(std::move(graph)),
        session_(ops::registry(), ops::kernels(), serial_options()),
        program_(session_.add(graph_)),
        plan_(runtime::lower(graph_, batch, ops::kernels())) {
    session_.variables().initialise(1);
    std::mt19937 generator(7);
    for (const runtime::PlanInput& input : plan_->inputs) inputs_.push_back(some_values(input, generator));
  }

  const runtime::Plan& plan() const { return *plan_; }

  /// One task after the other, in the order of the plan.
  std::vector<float> run_serially() {
    std::vector<runtime::Feed> feeds;
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      feeds.push_back({plan_->inputs[i].name, std::as_bytes(std::span(inputs_[i]))});
    session_.run(program_, {.batch = batch, .feeds = feeds, .fetches = {}, .random = noise, .stop = {}});
    return variables();
  }

  std::vector<float> run_by(std::span<const Edge> edges) {
    runtime::PlanRun run(plan_, session_.variables());
    const runtime::AlignedBytes workspace = runtime::allocate_aligned(plan_->statistics.workspace_bytes);
    const std::size_t scratch = plan_->statistics.scratch_bytes_per_worker;
    std::vector<runtime::WorkerSpace> workers;
    for (std::size_t task = 0; task < plan_->tasks.size(); ++task)
      workers.push_back({runtime::allocate_aligned(scratch), scratch});
    run.bind_memory(workspace.get(), workers);
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      run.bind_feed(i, reinterpret_cast<const std::byte*>(inputs_[i].data()));
    run.start(noise, {});
    graphrun::testing::run_by_edges(plan_->tasks.size(), edges, run);
    return variables();
  }

 private:
  static runtime::SessionOptions serial_options() {
    runtime::SessionOptions options;
    options.executor = runtime::ExecutorKind::serial;
    return options;
  }

  /// Pixels or classes; a scalar is a small rate or weight.
  static std::vector<std::uint32_t> some_values(const runtime::PlanInput& input, std::mt19937& generator) {
    std::vector<std::uint32_t> words(input.bytes / sizeof(std::uint32_t));
    std::uniform_real_distribution<float> pixel(0, 1);
    for (std::uint32_t& word : words) {
      const float value = words.size() == 1 ? 0.01F : pixel(generator);
      word = input.dtype == DType::f32 ? std::bit_cast<std::uint32_t>(value)
                                       : static_cast<std::uint32_t>(generator() % 10);
    }
    return words;
  }

  std::vector<float> variables() const {
    std::vector<float> values;
    for (const auto* variable : session_.variables().all())
      values.insert(values.end(), variable->values.begin(), variable->values.end());
    return values;
  }

  std::shared_ptr<const Graph> graph_;
  runtime::Session session_;
  runtime::ProgramId program_;
  std::shared_ptr<const runtime::Plan> plan_;
  std::vector<std::vector<std::uint32_t>> inputs_;
};

std::vector<std::string> bundled_models() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(testing::in_source("/models")))
    if (entry.path().extension() == ".yaml") paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

TEST_CASE("the edges of a plan alone order the tasks of every step of every bundled model") {
  for (const std::string& path : bundled_models()) {
    const SharedDefinition model = load_definition(path);
    for (const BatchSteps& of_batch : steps_of_phases(*model, ops::registry())) {
      for (const LearningStep& step : of_batch.steps) {
        INFO(path << " " << of_batch.name);
        const std::shared_ptr<const Graph> graph = training_program(step, ops::registry()).graph;
        Step serial(graph);
        Step parallel(graph);
        CHECK(same_bits(parallel.run_by(edges_of(parallel.plan())), serial.run_serially()));
      }
    }
  }
}

// Hidden: run by its name under ThreadSanitizer, which must report a race in it.
TEST_CASE("a plan without the edges of one task", "[.planted]") {
  const SharedDefinition model = load_definition(testing::in_source("/models/autoencoder.yaml"));
  Step step(training_program(*model, ops::registry()).graph);
  std::vector<Edge> edges = edges_of(step.plan());
  REQUIRE(edges.size() > 10);
  const Edge planted = edges[edges.size() / 2];
  std::erase_if(edges, [&](const Edge& edge) { return edge.to == planted.to; });
  step.run_by(edges);
}
