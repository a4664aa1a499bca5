#include "train/benchmark.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>
#include <vector>

#include "ops/list.hpp"
#include "runtime/aligned.hpp"
#include "runtime/host_state.hpp"
#include "runtime/kernel.hpp"
#include "runtime/onednn.hpp"
#include "runtime/plan.hpp"
#include "train/binding.hpp"
#include "train/fma_peak.hpp"
#include "train/learner.hpp"

namespace graphrun::train {

namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

/// Memory with small numbers in it: zeros and denormals would flatter.
class Operand {
 public:
  explicit Operand(std::size_t bytes, std::size_t seed)
      : bytes_(bytes), memory_(runtime::allocate_aligned(std::max<std::size_t>(bytes, 64))) {
    auto* values = reinterpret_cast<float*>(memory_.get());
    for (std::size_t i = 0; i < bytes / sizeof(float); ++i)
      values[i] = 0.01F * static_cast<float>((i * 7 + seed) % 101 + 1);
  }
  std::byte* data() { return memory_.get(); }
  float* floats() { return reinterpret_cast<float*>(memory_.get()); }

 private:
  std::size_t bytes_;
  runtime::AlignedBytes memory_;
};

std::size_t bytes_of_node(const Node& node, std::int64_t batch) {
  return static_cast<std::size_t>(element_count(bind(node.type.shape, batch))) * bytes_of(node.type.dtype);
}

/// One piece of the floor; its best time so far.
class FloorPiece {
 public:
  virtual ~FloorPiece() = default;
  void measure() {
    const Clock::time_point start = Clock::now();
    run();
    best_us_ = std::min(best_us_, microseconds_since(start));
  }
  double best_us() const { return best_us_; }

 private:
  virtual void run() = 0;
  double best_us_ = std::numeric_limits<double>::infinity();
};

/// A product of the training graph on the whole batch, without bias and activation.
class ProductPiece final : public FloorPiece {
 public:
  ProductPiece(const Graph& graph, const Node& node, std::int64_t batch)
      : spec_(spec_of(graph, node, batch)),
        matmul_(runtime::make_onednn_matmul(spec_)),
        bound_(matmul_->bind()),
        a_(bytes_of_node(graph.node(node.inputs[0]), batch), 1),
        b_(bytes_of_node(graph.node(node.inputs[1]), batch), 2),
        output_(bytes_of_node(node, batch), 3),
        scratch_(matmul_->scratch_bytes(), 4) {}

  double flop() const {
    return 2.0 * static_cast<double>(spec_.rows) * static_cast<double>(spec_.columns) *
           static_cast<double>(spec_.inner);
  }

 private:
  static runtime::MatmulSpec spec_of(const Graph& graph, const Node& node, std::int64_t batch) {
    const Extents a = bind(graph.node(node.inputs[0]).type.shape, batch);
    const Extents output = bind(node.type.shape, batch);
    runtime::MatmulSpec spec;
    spec.transpose_a = node.attributes.flag("transpose_a");
    spec.transpose_b = node.attributes.flag("transpose_b");
    spec.rows = output[0];
    spec.columns = output[1];
    spec.inner = spec.transpose_a ? a[0] : a[1];
    return spec;
  }

  void run() override {
    bound_->run({.a = a_.floats(),
                 .b = b_.floats(),
                 .bias = nullptr,
                 .output = output_.floats(),
                 .scratch = scratch_.data()});
  }

  runtime::MatmulSpec spec_;
  std::unique_ptr<runtime::Matmul> matmul_;
  std::unique_ptr<runtime::BoundMatmul> bound_;
  Operand a_;
  Operand b_;
  Operand output_;
  Operand scratch_;
};

/// The optimizer's kernel on one whole variable.
class UpdatePiece final : public FloorPiece {
 public:
  UpdatePiece(const Graph& graph, const Node& node, const runtime::KernelDef& kernel, std::int64_t batch) {
    runtime::BoundNode bound{
        .node = node, .input_types = {}, .inputs = {}, .output = {}, .isa = runtime::detected_isa()};
    for (const NodeId input : node.inputs) {
      const Node& from = graph.node(input);
      bound.input_types.push_back(from.type);
      bound.inputs.push_back(bind(from.type.shape, batch));
      operands_.emplace_back(bytes_of_node(from, batch), operands_.size());
      inputs_.push_back(operands_.back().data());
    }
    for (const std::size_t written : node.op->writes) written_.push_back(operands_[written].data());
    call_ = kernel.make(bound);
    rows_ = bound.inputs[node.op->writes.front()].empty() ? 1 : bound.inputs[node.op->writes.front()].front();
  }

 private:
  void run() override {
    runtime::CallArguments arguments;
    arguments.inputs = inputs_;
    arguments.written = written_;
    arguments.row_count = rows_;
    call_->run(arguments);
  }

  std::vector<Operand> operands_;
  std::vector<const std::byte*> inputs_;
  std::vector<std::byte*> written_;
  std::unique_ptr<runtime::Call> call_;
  std::int64_t rows_ = 1;
};

/// All pieces of a training graph.
class Floor {
 public:
  Floor(const Graph& graph, std::int64_t batch) {
    for (const Node& node : graph.nodes()) {
      const runtime::KernelDef* kernel = ops::kernels().find(*node.op);
      if (kernel == nullptr) continue;
      if (kernel->matmul) products_.push_back(std::make_unique<ProductPiece>(graph, node, batch));
      if (node.op->traits.effect && !node.op->writes.empty() && kernel->make != nullptr)
        updates_.push_back(std::make_unique<UpdatePiece>(graph, node, *kernel, batch));
    }
  }

  /// Each piece alone, warm, several times.
  void measure() {
    constexpr int runs = 5;
    const runtime::HostState state;
    for (const auto& piece : products_)
      for (int run = 0; run < runs; ++run) piece->measure();
    for (const auto& piece : updates_)
      for (int run = 0; run < runs; ++run) piece->measure();
  }

  double matmul_us() const { return sum_of(products_); }
  double update_us() const { return sum_of(updates_); }
  double flop() const {
    double sum = 0;
    for (const auto& piece : products_) sum += piece->flop();
    return sum;
  }

 private:
  template <class Pieces>
  static double sum_of(const Pieces& pieces) {
    double sum = 0;
    for (const auto& piece : pieces) sum += piece->best_us();
    return sum;
  }

  std::vector<std::unique_ptr<ProductPiece>> products_;
  std::vector<std::unique_ptr<UpdatePiece>> updates_;
};

/// One batch of random pixels and labels for the inputs that a step needs.
class RandomBatch {
 public:
  RandomBatch(const ModelDefinition& model, const std::vector<std::string>& inputs, std::int64_t rows) {
    examples_.count = rows;
    for (const ModelInput& input : model.inputs) {
      const std::int64_t elements = row_elements(model, input);
      std::vector<std::uint8_t>& bytes = bytes_.emplace_back(static_cast<std::size_t>(rows * elements));
      const bool labels = input.source == InputSource::labels;
      for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>((i * 2654435761U >> 7U) % (labels ? 2 : 256));
      examples_.columns[input.name] = {labels ? ColumnKind::u8_labels : ColumnKind::u8_pixels, elements,
                                       std::as_bytes(std::span(bytes))};
    }
    batch_.emplace(examples_, inputs, rows);
    batch_->gather(0, rows);
  }
  std::span<const runtime::Feed> feeds() const { return batch_->feeds(); }

 private:
  std::vector<std::vector<std::uint8_t>> bytes_;
  Examples examples_;
  std::optional<Batch> batch_;
};

StepTimes summary(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double quantile) {
    return times[static_cast<std::size_t>(quantile * static_cast<double>(times.size() - 1))];
  };
  return {.median_us = at(0.5), .best_us = times.front(), .p95_us = at(0.95)};
}

int thread_count(const runtime::SessionOptions& options) {
  return options.threads > 0 ? options.threads
                             : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

/// What oneDNN allocates in one step: its products run alone, on memory that is large enough for any of them.
std::uint64_t library_allocations(const runtime::Plan& plan, std::uint64_t (*count)() noexcept) {
  std::size_t largest = 0;
  for (const Node& node : plan.graph->nodes()) largest = std::max(largest, bytes_of_node(node, plan.batch));
  Operand a(largest, 1);
  Operand b(largest, 2);
  Operand bias(largest, 3);
  Operand output(largest, 4);
  const runtime::HostState state;
  std::uint64_t allocations = 0;
  for (const std::uint32_t product : plan.products) {
    const runtime::Matmul& matmul = *plan.matmuls[product];
    Operand scratch(matmul.scratch_bytes(), 5);
    const std::unique_ptr<runtime::BoundMatmul> bound = matmul.bind();
    const runtime::MatmulArguments arguments{.a = a.floats(),
                                             .b = b.floats(),
                                             .bias = bias.floats(),
                                             .output = output.floats(),
                                             .scratch = scratch.data()};
    bound->run(arguments);
    const std::uint64_t before = count();
    bound->run(arguments);
    allocations += count() - before;
  }
  return allocations;
}

/// Steps with their times, and what they allocate.
class StepMeter {
 public:
  StepMeter(Learner& learner, std::int64_t rows, const BenchmarkOptions& options)
      : learner_(learner),
        rows_(rows),
        count_(options.allocation_count),
        batch_(learner.model(), learner.training_inputs(), rows),
        figures_(learner.training_figures().size()) {
    // What the meter itself allocates would be counted.
    times_.reserve(1'000'000);
  }

  void warm_up(double seconds) {
    const Clock::time_point start = Clock::now();
    do {
      learner_.step(batch_.feeds(), rows_, 0, figures_);
    } while (microseconds_since(start) < seconds * 1e6);
  }

  void measure(double seconds) {
    const Clock::time_point start = Clock::now();
    const std::uint64_t before = count_ == nullptr ? 0 : count_();
    do {
      const Clock::time_point step_start = Clock::now();
      learner_.step(batch_.feeds(), rows_, 0, figures_);
      times_.push_back(microseconds_since(step_start));
    } while (microseconds_since(start) < seconds * 1e6);
    allocations_ += (count_ == nullptr ? 0 : count_()) - before;
  }

  StepTimes times() const { return summary(times_); }
  double allocations_per_step() const {
    return static_cast<double>(allocations_) / static_cast<double>(times_.size());
  }

 private:
  Learner& learner_;
  std::int64_t rows_;
  std::uint64_t (*count_)() noexcept;
  RandomBatch batch_;
  std::vector<float> figures_;
  std::vector<double> times_;
  std::uint64_t allocations_ = 0;
};

}  // namespace

BenchmarkResult run_benchmark(std::shared_ptr<const ModelDefinition> model, const BenchmarkOptions& options) {
  Learner learner(model, options.session);
  learner.training_program();
  BenchmarkResult result;
  result.threads = thread_count(options.session);
  result.batch = options.batch.value_or(model->train->batch);
  result.isa = to_string(runtime::detected_isa());
  const runtime::Plan& plan = learner.prepare_training(result.batch);
  learner.initialise();
  Floor floor(learner.training_graph(), result.batch);
  result.flop_per_step = floor.flop();
  result.peak_gflops_before = measure_fma_peak(result.threads, 0.1);
  StepMeter meter(learner, result.batch, options);
  meter.warm_up(0.1);
  constexpr int turns = 10;
  for (int turn = 0; turn < turns; ++turn) {
    meter.warm_up(0.02);  // the floor's operands have taken the caches
    meter.measure(options.seconds / turns);
    floor.measure();
  }
  result.step = meter.times();
  result.matmul_floor_us = floor.matmul_us();
  result.update_floor_us = floor.update_us();
  if (options.allocation_count != nullptr) {
    result.library_allocations_per_step =
        static_cast<double>(library_allocations(plan, options.allocation_count));
    result.allocations_per_step = meter.allocations_per_step() - result.library_allocations_per_step;
  }
  result.peak_gflops_after = measure_fma_peak(result.threads, 0.1);
  return result;
}

}  // namespace graphrun::train
