#include "bench/ruler/step_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "ops/op.hpp"
#include "runtime/lower/plan.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::bench {

namespace {

using Clock = std::chrono::steady_clock;

/// So many steps go into a trace: enough to see how one follows the other.
constexpr std::size_t traced_steps = 5;
/// Steps whose times are kept.
constexpr std::size_t most_steps = 2000;

std::int64_t now_ns() {
  return Clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

/// The product that a product unit runs, whose last node may be its bias or its activation.
const Node* product_of(const Graph& graph, NodeId id, int depth = 0) {
  const Node& node = graph.node(id);
  const runtime::KernelDef* kernel = ops::kernels().find(*node.op);
  if (kernel != nullptr && kernel->matmul) return &node;
  if (depth == 2) return nullptr;
  for (const NodeId input : node.inputs)
    if (graph.node(input).type.shape == node.type.shape)
      if (const Node* const found = product_of(graph, input, depth + 1)) return found;
  return nullptr;
}

double flop_of(const Graph& graph, const Node& product, std::int64_t batch) {
  const Extents a = bind(graph.node(product.inputs[0]).type.shape, batch);
  const auto output = static_cast<double>(element_count(bind(product.type.shape, batch)));
  return 2 * output *
         static_cast<double>(product.attributes.flag("transpose_a") ? a[a.size() - 2] : a.back());
}

/// A node as the model file calls it: the one that was written there and that this one serves.
std::string shown(const Node& node) {
  if (!node.origin || node.origin->path.empty()) return node.name;
  return node.name.starts_with("grad/") ? node.origin->path + " (backward)" : node.origin->path;
}

/// The times of the units of a plan, step by step.
class Recording {
 public:
  explicit Recording(const runtime::Plan& plan) : plan_(plan) {}

  struct Step {
    std::int64_t begin_ns = 0;
    std::int64_t end_ns = 0;
    std::vector<runtime::UnitTime> units;
  };
  void add(Step step) { steps_.push_back(std::move(step)); }
  bool full() const { return steps_.size() == most_steps; }

  StepProfile profile(int threads) const {
    StepProfile profile;
    profile.threads = threads;
    profile.batch = plan_.batch;
    profile.step_us = median([](const Step& step) { return double(step.end_ns - step.begin_ns); });
    double busy = 0;
    for (const auto& [node, units] : units_by_node()) {
      profile.ops.push_back(op_time(node, units));
      busy += profile.ops.back().us;
    }
    profile.idle_us = std::max(0.0, threads * profile.step_us - busy);
    std::ranges::stable_sort(profile.ops, [](const OpTime& a, const OpTime& b) { return a.us > b.us; });
    add_trace(profile);
    add_waits(profile);
    return profile;
  }

 private:
  std::map<NodeId, std::vector<std::uint32_t>> units_by_node() const {
    std::map<NodeId, std::vector<std::uint32_t>> units;
    for (std::uint32_t unit = 0; unit < plan_.units.size(); ++unit)
      units[plan_.units[unit].node].push_back(unit);
    return units;
  }

  template <class Nanoseconds>
  double median(Nanoseconds nanoseconds) const {
    std::vector<double> values;
    for (const Step& step : steps_) values.push_back(nanoseconds(step) / 1e3);
    return summary(std::move(values)).median_us;
  }

  std::string kind_of(const runtime::Unit& unit) const {
    return unit.call == nullptr ? "product" : plan_.graph->node(unit.node).op->name;
  }

  OpTime op_time(NodeId node, const std::vector<std::uint32_t>& units) const {
    OpTime op;
    op.kind = kind_of(plan_.units[units.front()]);
    op.node = shown(plan_.graph->node(node));
    op.units = units.size();
    op.us = median([&](const Step& step) {
      double sum = 0;
      for (const std::uint32_t unit : units)
        sum += static_cast<double>(step.units[unit].end_ns - step.units[unit].begin_ns);
      return sum;
    });
    const Node* const product =
        plan_.units[units.front()].call == nullptr ? product_of(*plan_.graph, node) : nullptr;
    if (product != nullptr && op.us > 0)
      op.gflops = flop_of(*plan_.graph, *product, plan_.batch) / op.us / 1e3;
    return op;
  }

  void add_trace(StepProfile& profile) const {
    const std::size_t first = steps_.size() - std::min(steps_.size(), traced_steps);
    for (std::size_t i = first; i < steps_.size(); ++i)
      for (std::uint32_t task = 0; task < plan_.tasks.size(); ++task)
        for (std::uint32_t u = 0; u < plan_.tasks[task].units; ++u) {
          const std::uint32_t index = plan_.tasks[task].first_unit + u;
          const runtime::UnitTime& time = steps_[i].units[index];
          if (time.end_ns == 0) continue;
          const runtime::Unit& unit = plan_.units[index];
          profile.trace.push_back(
              {.step = static_cast<std::uint32_t>(i - first),
               .task = task,
               .worker = time.worker,
               .begin_ns = time.begin_ns - steps_[first].begin_ns,
               .end_ns = time.end_ns - steps_[first].begin_ns,
               .name = fmt::format("{} {}", kind_of(unit), shown(plan_.graph->node(unit.node))),
               .primitive = plan_.implementation(unit),
               .row_begin = unit.row_begin,
               .row_count = unit.row_count});
        }
  }

  void add_waits(StepProfile& profile) const {
    profile.waits_for.resize(plan_.tasks.size());
    for (std::uint32_t task = 0; task < plan_.tasks.size(); ++task) {
      const runtime::Task& record = plan_.tasks[task];
      for (std::uint32_t i = 0; i < record.successors; ++i)
        profile.waits_for[plan_.successors[record.first_successor + i]].push_back(task);
    }
  }

  const runtime::Plan& plan_;
  std::vector<Step> steps_;
};

}  // namespace

StepProfile profile_step(std::shared_ptr<const ModelDefinition> model, const BenchmarkOptions& options) {
  train::Learner learner(model, options.tuning.session, options.tuning.passes);
  const runtime::ProgramId program = learner.training_program();
  const std::int64_t batch = options.batch.value_or(model->train->batch);
  Recording recording(learner.prepare_training(batch));
  learner.initialise();
  StepMeter meter(learner, batch);
  meter.warm_up(0.1);
  std::vector<runtime::UnitTime> times;
  learner.session().time_units(program, &times);
  const std::int64_t begin = now_ns();
  do {
    Recording::Step step;
    step.begin_ns = now_ns();
    meter.step();
    step.end_ns = now_ns();
    step.units = times;
    recording.add(std::move(step));
  } while (!recording.full() && static_cast<double>(now_ns() - begin) < options.seconds * 1e9);
  learner.session().time_units(program, nullptr);
  return recording.profile(static_cast<int>(learner.session().threads()));
}

}  // namespace graphrun::bench
