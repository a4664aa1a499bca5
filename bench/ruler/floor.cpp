#include "bench/ruler/floor.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "bench/ruler/operand.hpp"
#include "ops/image/convolution_kernel.hpp"
#include "ops/op.hpp"
#include "runtime/kernels/kernel.hpp"
#include "runtime/machine/host_state.hpp"
#include "runtime/products/onednn.hpp"

namespace graphrun::bench {

namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

}  // namespace

class FloorPiece {
 public:
  virtual ~FloorPiece() = default;
  void measure(double seconds) {
    const Clock::time_point begin = Clock::now();
    for (int runs = 0; runs < 3 || microseconds_since(begin) < seconds * 1e6; ++runs) {
      const Clock::time_point start = Clock::now();
      run();
      best_us_ = std::min(best_us_, microseconds_since(start));
    }
  }
  double best_us() const { return best_us_; }

 private:
  virtual void run() = 0;
  double best_us_ = std::numeric_limits<double>::infinity();
};

namespace {

class ProductPiece final : public FloorPiece {
 public:
  ProductPiece(const Graph& graph, const Node& node, std::int64_t batch)
      : spec_(spec_of(graph, node, batch)),
        count_(element_count(bind(node.type.shape, batch)) /
               std::max<std::int64_t>(1, spec_.rows * spec_.columns)),
        matmul_(runtime::make_onednn_matmul(spec_)),
        bound_(matmul_->bind()),
        a_(bytes_of_node(graph.node(node.inputs[0]), batch), 1),
        b_(bytes_of_node(graph.node(node.inputs[1]), batch), 2),
        output_(bytes_of_node(node, batch), 3),
        scratch_(matmul_->scratch_bytes(), 4) {}

  double flop() const {
    return 2.0 * static_cast<double>(count_) * static_cast<double>(spec_.rows) *
           static_cast<double>(spec_.columns) * static_cast<double>(spec_.inner);
  }

 private:
  static runtime::MatmulSpec spec_of(const Graph& graph, const Node& node, std::int64_t batch) {
    const Extents a = bind(graph.node(node.inputs[0]).type.shape, batch);
    const Extents b = bind(graph.node(node.inputs[1]).type.shape, batch);
    const Extents output = bind(node.type.shape, batch);
    if (const auto spec = runtime::one_product(node.attributes, a, b, output)) return *spec;
    const auto matrix = [](const Extents& extents) { return Extents(extents.end() - 2, extents.end()); };
    return *runtime::one_product(node.attributes, matrix(a), matrix(b), matrix(output));
  }

  /// Several products are the first one several times: a floor may have its operands in the cache.
  void run() override {
    for (std::int64_t i = 0; i < count_; ++i) {
      bound_->run({.a = a_.floats(),
                   .b = b_.floats(),
                   .bias = nullptr,
                   .output = output_.floats(),
                   .scratch = scratch_.data()});
    }
  }

  runtime::MatmulSpec spec_;
  std::int64_t count_;
  std::unique_ptr<runtime::Matmul> matmul_;
  std::unique_ptr<runtime::BoundMatmul> bound_;
  Operand a_;
  Operand b_;
  Operand output_;
  Operand scratch_;
};

runtime::BoundNode bound_node(const Graph& graph, const Node& node, std::int64_t batch) {
  runtime::BoundNode bound{.node = node,
                           .input_types = {},
                           .inputs = {},
                           .output = bind(node.type.shape, batch),
                           .isa = runtime::detected_isa()};
  for (const NodeId input : node.inputs) {
    bound.input_types.push_back(graph.node(input).type);
    bound.inputs.push_back(bind(graph.node(input).type.shape, batch));
  }
  return bound;
}

/// All images at once, in the layouts that oneDNN likes best; without what brings operands into them.
class ConvolutionPiece final : public FloorPiece {
 public:
  explicit ConvolutionPiece(const runtime::ConvolutionSpec& spec)
      : convolution_(runtime::make_raw_convolution(spec)) {}

 private:
  void run() override { convolution_->run(); }
  std::unique_ptr<runtime::RawConvolution> convolution_;
};

/// The optimizer's kernel on one whole variable.
class Update {
 public:
  Update(const Graph& graph, const Node& node, const runtime::KernelDef& kernel, std::int64_t batch) {
    const runtime::BoundNode bound = bound_node(graph, node, batch);
    for (const NodeId input : node.inputs) {
      const Node& from = graph.node(input);
      operands_.emplace_back(bytes_of_node(from, batch), operands_.size());
      inputs_.push_back(operands_.back().data());
    }
    for (const std::size_t written : node.op->writes) written_.push_back(operands_[written].data());
    call_ = kernel.make(bound);
    rows_ = bound.inputs[node.op->writes.front()].empty() ? 1 : bound.inputs[node.op->writes.front()].front();
  }

  void run() {
    runtime::CallArguments arguments;
    arguments.inputs = inputs_;
    arguments.written = written_;
    arguments.row_count = rows_;
    call_->run(arguments);
  }

 private:
  std::vector<Operand> operands_;
  std::vector<const std::byte*> inputs_;
  std::vector<std::byte*> written_;
  std::unique_ptr<runtime::Call> call_;
  std::int64_t rows_ = 1;
};

/// One pass over all parameters: what is too much for the caches comes from memory, as in a step.
class UpdatePiece final : public FloorPiece {
 public:
  UpdatePiece(const Graph& graph, std::int64_t batch) {
    for (const Node& node : graph.nodes()) {
      const runtime::KernelDef* kernel = ops::kernels().find(*node.op);
      if (kernel == nullptr || !node.op->traits.effect || node.op->writes.empty()) continue;
      if (kernel->make != nullptr) updates_.push_back(std::make_unique<Update>(graph, node, *kernel, batch));
    }
  }

 private:
  void run() override {
    for (const std::unique_ptr<Update>& update : updates_) update->run();
  }

  std::vector<std::unique_ptr<Update>> updates_;
};

}  // namespace

Floor::Floor(const Graph& graph, std::int64_t batch) : update_(std::make_unique<UpdatePiece>(graph, batch)) {
  for (const Node& node : graph.nodes()) {
    const runtime::KernelDef* kernel = ops::kernels().find(*node.op);
    if (kernel == nullptr) continue;
    if (kernel->matmul) {
      auto product = std::make_unique<ProductPiece>(graph, node, batch);
      flop_ += product->flop();
      products_.push_back(std::move(product));
    } else {
      add_convolution(graph, node, *kernel, batch);
    }
  }
}

void Floor::add_convolution(const Graph& graph, const Node& node, const runtime::KernelDef& kernel,
                            std::int64_t batch) {
  if (kernel.make == nullptr || node.op->traits.effect || kernel.vector || kernel.reduction) return;
  const runtime::BoundNode bound = bound_node(graph, node, batch);
  const std::unique_ptr<runtime::Call> call = kernel.make(bound);
  const runtime::ConvolutionSpec* const spec = ops::convolution_of(*call);
  if (spec == nullptr) return;  // of no images
  flop_ += node.op->cost({bound.inputs, bound.output, node.attributes}).flop;
  convolutions_.push_back(std::make_unique<ConvolutionPiece>(*spec));
}

Floor::~Floor() = default;

void Floor::measure(double seconds) {
  const runtime::HostState state;
  // The larger products get their share by the runs that each has at least.
  const double share = seconds / static_cast<double>(products_.size() + convolutions_.size() + 1);
  for (const auto* const pieces : {&products_, &convolutions_})
    for (const std::unique_ptr<FloorPiece>& piece : *pieces) piece->measure(share);
  update_->measure(share);
}

double Floor::sum_of(const std::vector<std::unique_ptr<FloorPiece>>& pieces) {
  double sum = 0;
  for (const std::unique_ptr<FloorPiece>& piece : pieces) sum += piece->best_us();
  return sum;
}

double Floor::matmul_us() const {
  return sum_of(products_);
}

double Floor::convolution_us() const {
  return sum_of(convolutions_);
}

double Floor::update_us() const {
  return update_->best_us();
}

double Floor::flop() const {
  return flop_;
}

}  // namespace graphrun::bench
