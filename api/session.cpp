#include "graphrun/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "api/inputs.hpp"
#include "errors/nearest.hpp"
#include "language/recipe/definition.hpp"
#include "train/learn/checkpoint.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/loop.hpp"
#include "train/learn/programs.hpp"

namespace graphrun {

namespace {

runtime::ExecutorKind executor_kind(Executor executor) {
  switch (executor) {
    case Executor::tbb:
      return runtime::ExecutorKind::tbb;
    case Executor::threads:
      return runtime::ExecutorKind::threads;
    case Executor::serial:
      return runtime::ExecutorKind::serial;
  }
  return runtime::ExecutorKind::tbb;
}

runtime::SessionOptions runtime_options(const SessionOptions& options) {
  if (options.threads < 0)
    throw Error(ErrorCode::usage, fmt::format("{} threads are not a number of threads", options.threads));
  runtime::SessionOptions result;
  result.threads = options.threads;
  result.executor = executor_kind(options.executor);
  result.max_bytes = options.max_bytes;
  return result;
}

NamedValues named(const train::Figures& figures) {
  NamedValues values;
  for (const train::Figure& figure : figures.values) values.push_back({figure.name, figure.value});
  return values;
}

Tensor tensor_of(const train::OutputValues& output) {
  Tensor tensor{output.extents, {}};
  tensor.values.resize(static_cast<std::size_t>(element_count(output.extents)));
  for (std::size_t i = 0; i < tensor.values.size(); ++i) tensor.values[i] = api::element(output, i);
  return tensor;
}

/// Hands the loop's epochs on to the host.
class EpochForwarder final : public train::LoopObserver {
 public:
  explicit EpochForwarder(const std::function<void(const EpochReport&)>& call) : call_(call) {}
  void on_epoch(const train::EpochReport& report) override {
    if (call_)
      call_({static_cast<std::int64_t>(report.state.epoch), report.state.step, report.seconds,
             named(report.train)});
  }

 private:
  const std::function<void(const EpochReport&)>& call_;
};

}  // namespace

class Session::Implementation {
 public:
  Implementation(const Model& model, const SessionOptions& options)
      : model_(model), learner_(model.shared_definition(), runtime_options(options)) {
    if (options.seed) learner_.state().seed = *options.seed;
    learner_.initialise();
  }

  NamedValues train_step(const Inputs& inputs, std::stop_token stop) {
    require_one_phase();
    const api::BoundInputs bound(definition(), inputs);
    std::vector<float> figures(learner_.training_figures().size());
    learner_.initialise();  // the optimizer's state, the first time
    const std::vector<runtime::Feed> feeds = bound.feeds(learner_.training_inputs());
    learner_.step(feeds, bound.rows(), 0, figures, std::move(stop));
    train::FigureSum sum(learner_.training_figures());
    sum.add_learnt(figures, bound.rows());
    return named(sum.means());
  }

  void fit(const Inputs& inputs, const FitOptions& options) {
    require_one_phase();
    const train::Examples examples = api::examples_of(definition(), inputs);
    learner_.training_program();
    train::LoopOptions loop = train::loop_options(*definition().train);
    if (options.batch) loop.batch = *options.batch;
    begin_epoch();
    const std::int64_t more = options.epochs || loop.epochs
                                  ? checked_multiply(options.epochs.value_or(loop.epochs.value_or(0)),
                                                     train::batch_plan(loop, examples.count).batches)
                                  : loop.steps.value_or(0);
    loop.epochs.reset();
    loop.steps = static_cast<std::int64_t>(learner_.state().step) + more;
    loop.stop = options.stop;
    EpochForwarder forwarder(options.on_epoch);
    if (train::learn(learner_, examples, loop, forwarder) == train::LoopEnd::stopped)
      throw Error(ErrorCode::cancelled,
                  fmt::format("learning was stopped after step {}", learner_.state().step));
  }

  void require_one_phase() const {
    const auto& train = definition().train;
    if (!train || (!train->has_phases() && !train->greedy && !train->subset && !train->stop)) return;
    throw Error(
        ErrorCode::usage,
        "the model learns in phases, which `graphrun train` runs; a host trains models whose `train:` has "
        "no phases, greedy, subset or stop");
  }

  /// What a stop left of an epoch is not taken up: the examples may be others now.
  void begin_epoch() {
    train::TrainingState& state = learner_.state();
    if (state.batch == 0) return;
    ++state.epoch;
    state.batch = 0;
    state.epoch_sums.clear();
    state.figure_rows.clear();
    state.epoch_rows = 0;
    state.epoch_seconds = 0;
  }

  NamedValues evaluate(const Inputs& inputs) {
    return named(learner_.evaluate(api::examples_of(definition(), inputs)));
  }

  Tensor run(std::string_view output, const Inputs& inputs) {
    return values_of(std::string(output), api::examples_of(definition(), inputs), {.together = true});
  }

  Tensor run_rows(const std::string& output, const Inputs& inputs) {
    return values_of(output, api::examples_of(definition(), inputs), {});
  }

  /// Whatever else is called as the role is: its node is meant.
  Tensor decode(std::span<const float> codes) {
    const char* const latent = definition().role("latent") ? "latent" : "code";
    const Node& node = definition().graph.node(train::asked_node(definition(), latent));
    return values_of("image", api::examples_of(node, codes), {});
  }

  /// f32 goes straight into the tensor.
  Tensor values_of(const std::string& output, const train::Examples& examples,
                   const train::RowOptions& options) {
    const Type& type = definition().graph.node(train::asked_node(definition(), output)).type;
    if (type.dtype != DType::f32) return tensor_of(learner_.run({output}, examples, options).front());
    Tensor tensor{bind(type.shape, examples.count), {}};
    tensor.values.resize(static_cast<std::size_t>(element_count(tensor.shape)));
    const std::span<std::byte> bytes = std::as_writable_bytes(std::span(tensor.values));
    learner_.run({output}, examples, std::span(&bytes, 1), options);
    return tensor;
  }

  const runtime::VariableStore::Variable& parameter(std::string_view name) const {
    const runtime::VariableStore::Variable* variable = learner_.variables().find(name);
    if (variable != nullptr && variable->trainable) return *variable;
    std::vector<std::string> names;
    for (const TensorInfo& info : model_.parameters()) names.push_back(info.name);
    throw Error(ErrorCode::usage,
                fmt::format("there is no parameter '{}'. {}", name, suggestion(name, names)));
  }

  const ModelDefinition& definition() const { return model_.definition(); }

  Model model_;
  train::Learner learner_;
};

Session::Session(const Model& model, const SessionOptions& options)
    : implementation_(std::make_unique<Implementation>(model, options)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

NamedValues Session::train_step(const Inputs& batch, std::stop_token stop) {
  return implementation_->train_step(batch, std::move(stop));
}
void Session::fit(const Inputs& examples, const FitOptions& options) {
  implementation_->fit(examples, options);
}
NamedValues Session::evaluate(const Inputs& examples) {
  return implementation_->evaluate(examples);
}

Tensor Session::run(std::string_view output, const Inputs& inputs) {
  return implementation_->run(output, inputs);
}
Tensor Session::encode(const Inputs& images) {
  return implementation_->run_rows("code", images);
}
Tensor Session::decode(std::span<const float> codes) {
  return implementation_->decode(codes);
}
Tensor Session::reconstruct(const Inputs& images) {
  return implementation_->run_rows("image", images);
}

void Session::save(const std::string& path) const {
  train::save_checkpoint(path, implementation_->learner_);
}
void Session::load(const std::string& path) {
  train::restore(implementation_->learner_, train::Checkpoint(path));
}

Tensor Session::parameter(std::string_view name) const {
  const runtime::VariableStore::Variable& variable = implementation_->parameter(name);
  return {variable.extents, {variable.values.begin(), variable.values.end()}};
}

void Session::set_parameter(std::string_view name, std::span<const float> values) {
  const runtime::VariableStore::Variable& variable = implementation_->parameter(name);
  if (values.size() != variable.values.size())
    throw Error(ErrorCode::usage,
                fmt::format("parameter '{}' is {} and has {} values, not {}", name,
                            to_string(variable.extents), variable.values.size(), values.size()));
  std::copy(values.begin(), values.end(), variable.values.begin());
}

std::uint64_t Session::steps() const {
  return implementation_->learner_.state().step;
}
std::string Session::digest() const {
  return implementation_->learner_.digest();
}
const Model& Session::model() const {
  return implementation_->model_;
}

}  // namespace graphrun
