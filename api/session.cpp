#include "graphrun/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <limits>
#include <thread>
#include <utility>

#include "api/boundary.hpp"
#include "api/fit.hpp"
#include "api/inputs.hpp"
#include "api/type.hpp"
#include "api/weights.hpp"
#include "errors/nearest.hpp"
#include "files/file.hpp"
#include "language/recipe/definition.hpp"
#include "onnx/export/export_model.hpp"
#include "train/learn/checkpoint.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/programs.hpp"
#include "weights/gather.hpp"

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
  if (options.tbb_arena != nullptr && (options.executor != Executor::tbb || options.threads != 0))
    throw Error(ErrorCode::usage,
                "an arena of the host's is for the executor `tbb`, and says itself how many threads it has");
  runtime::SessionOptions result;
  result.threads = options.threads;
  result.tbb_arena = options.tbb_arena;
  result.executor = executor_kind(options.executor);
  result.lowering.provider = api::provider_choice(options.provider);
  result.lowering.precision = options.precision;
  result.max_bytes = options.max_bytes;
  return result;
}

/// A value for each figure of a step, with room for it: those of equal names, the losses of steps that
/// alternate, are one.
NamedValues room_for(const std::vector<std::string>& figures) {
  NamedValues values;
  for (const std::string& name : figures)
    if (std::ranges::find(values, name, &NamedValue::name) == values.end())
      values.push_back({name, std::numeric_limits<double>::quiet_NaN()});
  return values;
}

/// NaN stands for a figure of a step that was not done on this batch: such a one is absent.
void fill(NamedValues& values, const std::vector<std::string>& names,
          std::span<const float> figures) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::isnan(figures[i])) continue;
    double& sum = std::ranges::find(values, names[i], &NamedValue::name)->value;
    sum = std::isnan(sum) ? double{figures[i]} : sum + double{figures[i]};
  }
  std::erase_if(values, [](const NamedValue& value) { return std::isnan(value.value); });
}

Tensor tensor_of(const train::OutputValues& output) {
  Tensor tensor{output.extents, {}};
  tensor.values.resize(static_cast<std::size_t>(element_count(output.extents)));
  for (std::size_t i = 0; i < tensor.values.size(); ++i) tensor.values[i] = api::element(output, i);
  return tensor;
}

}  // namespace

class Session::Implementation {
 public:
  Implementation(const Model& model, const SessionOptions& options)
      : model_(model),
        learner_(model.shared_definition(), runtime_options(options)),
        steps_per_epoch_(options.steps_per_epoch),
        on_log_(options.on_log) {
    if (options.seed) learner_.state().seed = *options.seed;
    if (steps_per_epoch_ && *steps_per_epoch_ < 1)
      throw Error(ErrorCode::usage, fmt::format("{} are not a number of steps", *steps_per_epoch_));
    learner_.initialise();
    take_weights();
  }

  /// What a call does to the session. Only `looks` may come from within `on_epoch`.
  enum class Kind { looks, changes, loads };

  /// One thread at a time: says so to the second one.
  class Turn {
   public:
    Turn(std::atomic<std::thread::id>& user, Kind kind) : user_(user) {
      std::thread::id current;
      outermost_ = user_.compare_exchange_strong(current, std::this_thread::get_id());
      if (outermost_) return;
      if (current != std::this_thread::get_id())
        throw Error(ErrorCode::usage,
                    "another thread is in a call of this session, which one thread at a time may use");
      if (kind != Kind::looks)
        throw Error(ErrorCode::usage,
                    "while a session learns, `on_epoch` may look at it, but not teach it or load into it");
    }
    ~Turn() {
      if (outermost_) user_.store({});
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    std::atomic<std::thread::id>& user_;
    bool outermost_ = false;
  };

  /// Every call of the host's goes through here.
  template <class Call>
  static auto enter(const std::unique_ptr<Implementation>& session, Kind kind, Call call) {
    return api::at_boundary([&] {
      Implementation& held = api::held_by(session, "session");
      const Turn turn(held.user_, kind);
      if (held.lacking_ && kind != Kind::loads) std::rethrow_exception(held.lacking_);
      return call(held);
    });
  }

  template <class Call>
  static auto look(const std::unique_ptr<Implementation>& session, Call call) {
    return enter(session, Kind::looks, call);
  }
  template <class Call>
  static auto change(const std::unique_ptr<Implementation>& session, Call call) {
    return enter(session, Kind::changes, call);
  }

  /// Tells the host.
  void log(std::string_view line) const {
    if (on_log_) api::call_host([&] { on_log_(line); });
  }
  void log(const std::vector<std::string>& lines) const {
    for (const std::string& line : lines) log(line);
  }

  /// All that needs memory comes before the step.
  NamedValues train_step(const Inputs& inputs, const StepOptions& options) {
    require_one_phase();
    count_epochs();
    if (options.epoch && !(*options.epoch >= 0))
      throw Error(ErrorCode::usage, fmt::format("{} are not a number of epochs", *options.epoch));
    const api::BoundInputs bound(definition(), inputs);
    const std::vector<std::string>& names = learner_.training_figures();
    NamedValues values = room_for(names);
    std::vector<float> figures(names.size());
    learner_.initialise();  // the optimizer's state, the first time
    const std::vector<runtime::Feed> feeds = bound.feeds(learner_.training_inputs());
    learner_.state().epoch_told = options.epoch;
    learner_.step(feeds, bound.rows(), 0, figures, options.stop);
    fill(values, names, figures);
    return values;
  }

  void fit(const Inputs& inputs, const FitOptions& options) {
    api::fit(learner_, api::examples_of(definition(), inputs), options, has_given_weights_,
             [this](const std::string& line) { log(line); });
  }

  void fit(Source& source, const FitOptions& options) {
    count_epochs();
    api::fit(learner_, source, options, has_given_weights_, [this](const std::string& line) { log(line); });
  }

  void require_one_phase() const {
    const auto& train = definition().train;
    if (!train || (!train->has_phases() && !train->greedy && !train->subset && !train->stop)) return;
    throw Error(
        ErrorCode::usage,
        "the model learns in phases, or until it stops by itself: fit() does that, single steps do not");
  }

  /// Single steps make no epochs, by which a schedule may count.
  void count_epochs() {
    std::uint64_t& steps = learner_.state().steps_per_epoch;
    if (steps == 0) steps = static_cast<std::uint64_t>(steps_per_epoch_.value_or(0));
  }

  NamedValues evaluate(const Inputs& inputs, std::stop_token stop) {
    return api::named(learner_.evaluate(api::examples_of(definition(), inputs), std::move(stop)));
  }

  Tensor run(std::string_view output, const Inputs& inputs, std::stop_token stop) {
    return values_of(std::string(output), api::examples_of(definition(), inputs),
                     {.together = true, .stop = std::move(stop)});
  }

  Tensor run_rows(const std::string& output, const Inputs& inputs, std::stop_token stop) {
    return values_of(output, api::examples_of(definition(), inputs), {.stop = std::move(stop)});
  }

  /// Whatever else is called as the role is: its node is meant.
  Tensor decode(std::span<const float> codes, std::stop_token stop) {
    const char* const latent = definition().role("latent") ? "latent" : "code";
    const Node& node = definition().graph.node(train::asked_node(definition(), latent));
    return values_of("image", api::examples_of(node, codes), {.stop = std::move(stop)});
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

  void load(const train::Checkpoint& checkpoint) {
    const std::vector<std::string> unused = train::restore(learner_, checkpoint);
    lacking_ = nullptr;
    if (!unused.empty())
      log(fmt::format("left out of the checkpoint, since nothing in the model uses it: {}",
                      fmt::join(unused, ", ")));
    if (const std::string before = checkpoint.made_with(); before != train::made_with(learner_))
      log(fmt::format("the checkpoint was made with {}, this is {}: the bits may differ", before,
                      train::made_with(learner_)));
  }

  /// Those that the model says it begins with. A file that is not there is missed when weights are: not by
  /// who loads a checkpoint.
  void take_weights() {
    if (definition().weights.empty()) return;
    try {
      const weights::Gathered found = weights::gathered(definition(), definition().weights);
      log(found.table);
      log(found.notes);
      learner_.set_weights(found.values);
      has_given_weights_ = true;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::io) throw;
      lacking_ = std::current_exception();
    }
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

  void set_parameter(std::string_view name, std::span<const float> values) {
    const runtime::VariableStore::Variable& variable = parameter(name);
    if (values.size() != variable.values.size())
      throw Error(ErrorCode::usage,
                  fmt::format("parameter '{}' is {} and has {} values, not {}", name,
                              to_string(variable.extents), variable.values.size(), values.size()));
    std::copy(values.begin(), values.end(), variable.values.begin());
    has_given_weights_ = true;
  }

  Model model_;
  train::Learner learner_;
  std::atomic<std::thread::id> user_;  ///< who is in a call
  std::optional<std::int64_t> steps_per_epoch_;
  std::function<void(std::string_view)> on_log_;
  std::exception_ptr lacking_;      ///< why there are no weights to begin with
  bool has_given_weights_ = false;  ///< some came from set_parameter()
};

Session::Session(const Model& model, const SessionOptions& options)
    : implementation_(api::at_boundary([&] { return std::make_unique<Implementation>(model, options); })) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

NamedValues Session::train_step(const Inputs& batch, std::stop_token stop) {
  return train_step(batch, StepOptions{.epoch = {}, .stop = std::move(stop)});
}
NamedValues Session::train_step(const Inputs& batch, const StepOptions& options) {
  return Implementation::change(implementation_,
                                [&](Implementation& session) { return session.train_step(batch, options); });
}
void Session::fit(Source& source, const FitOptions& options) {
  Implementation::change(implementation_, [&](Implementation& session) { session.fit(source, options); });
}
void Session::fit(const Inputs& examples, const FitOptions& options) {
  Implementation::change(implementation_, [&](Implementation& session) { session.fit(examples, options); });
}
NamedValues Session::evaluate(const Inputs& examples, std::stop_token stop) {
  return Implementation::look(
      implementation_, [&](Implementation& session) { return session.evaluate(examples, std::move(stop)); });
}

Tensor Session::run(std::string_view output, const Inputs& inputs, std::stop_token stop) {
  return Implementation::look(
      implementation_, [&](Implementation& session) { return session.run(output, inputs, std::move(stop)); });
}
std::vector<Tensor> Session::gradients(std::string_view of, std::span<const std::string> names,
                                       const Inputs& inputs) {
  return Implementation::look(implementation_, [&](Implementation& session) {
    std::vector<Tensor> tensors;
    for (const train::OutputValues& values : session.learner_.gradients(
             of, {names.begin(), names.end()}, api::examples_of(session.definition(), inputs)))
      tensors.push_back(tensor_of(values));
    return tensors;
  });
}

Tensor Session::encode(const Inputs& images, std::stop_token stop) {
  return Implementation::look(implementation_, [&](Implementation& session) {
    return session.run_rows("code", images, std::move(stop));
  });
}
Tensor Session::decode(std::span<const float> codes, std::stop_token stop) {
  return Implementation::look(
      implementation_, [&](Implementation& session) { return session.decode(codes, std::move(stop)); });
}
Tensor Session::reconstruct(const Inputs& images, std::stop_token stop) {
  return Implementation::look(implementation_, [&](Implementation& session) {
    return session.run_rows("image", images, std::move(stop));
  });
}

void Session::save(const std::string& path) const {
  Implementation::look(implementation_, [&](const Implementation& session) {
    train::save_checkpoint(path, session.learner_);
  });
}
std::vector<std::byte> Session::save() const {
  return Implementation::look(implementation_, [](const Implementation& session) {
    return train::checkpoint_bytes(session.learner_);
  });
}
void Session::load(const std::string& path) {
  Implementation::enter(implementation_, Implementation::Kind::loads,
                        [&](Implementation& session) { session.load(train::Checkpoint(path)); });
}
void Session::load(std::span<const std::byte> bytes) {
  Implementation::enter(implementation_, Implementation::Kind::loads, [&](Implementation& session) {
    session.load(train::Checkpoint(files::StoredBytes(bytes, "checkpoint")));
  });
}

void Session::export_onnx(const std::string& path, const OnnxOptions& options) const {
  Implementation::look(implementation_, [&](const Implementation& session) {
    const onnx::ExportOptions wanted{options.part, options.given, options.pixels, options.raw, options.opset};
    files::write_text_file(path, onnx::export_model(session.learner_, wanted).bytes);
  });
}

Weights Session::weights() const {
  return Implementation::look(implementation_, [](const Implementation& session) {
    auto made = std::make_shared<Weights::Implementation>(session.model_);
    made->learner.set_weights(session.learner_.weights());
    made->learner.state() = session.learner_.state();
    return Weights(std::move(made));
  });
}

Tensor Session::parameter(std::string_view name) const {
  return Implementation::look(implementation_, [&](const Implementation& session) -> Tensor {
    const runtime::VariableStore::Variable& variable = session.parameter(name);
    return {variable.extents, {variable.values.begin(), variable.values.end()}};
  });
}
void Session::set_parameter(std::string_view name, std::span<const float> values) {
  Implementation::look(implementation_,
                       [&](Implementation& session) { session.set_parameter(name, values); });
}

std::uint64_t Session::steps() const {
  return Implementation::look(implementation_,
                              [](const Implementation& session) { return session.learner_.state().step; });
}
std::string Session::digest() const {
  return Implementation::look(implementation_,
                              [](const Implementation& session) { return session.learner_.digest(); });
}
const Model& Session::model() const {
  return api::held_by(implementation_, "session").model_;
}

}  // namespace graphrun
