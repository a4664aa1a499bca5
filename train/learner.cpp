#include "train/learner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "ops/list.hpp"
#include "runtime/philox.hpp"
#include "train/file.hpp"
#include "train/optimizer.hpp"
#include "train/programs.hpp"
#include "train/sha256.hpp"

namespace graphrun::train {

namespace {

/// Noise of evaluation is the same for every model, seed and run, so that figures can be compared.
constexpr std::uint64_t evaluation_seed = 0;

RandomState evaluation_random(std::uint64_t first_row) {
  return {.seed = evaluation_seed,
          .domain = static_cast<std::uint32_t>(runtime::RandomDomain::evaluation),
          .step = 0,
          .first_row = first_row};
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::span<const float> as_floats(const OutputValues& output) {
  if (output.type.dtype != DType::f32)
    throw Error(ErrorCode::usage,
                fmt::format("output '{}' is {}, not f32", output.name, to_string(output.type)));
  return {reinterpret_cast<const float*>(output.bytes.data()), output.bytes.size() / sizeof(float)};
}

class Learner::Implementation {
 public:
  /// A program in the session, with the scalars that the host feeds it and the inputs that others do.
  struct Compiled {
    Program program;
    runtime::ProgramId id = 0;
    std::vector<std::string> inputs;   ///< to be fed by the caller
    std::vector<std::string> scalars;  ///< fed from schedules
    std::vector<float> scalar_values;
    std::vector<runtime::Feed> feeds;     ///< the scalars, then the caller's
    std::vector<runtime::Fetch> fetches;  ///< what a run copies out
  };

  Implementation(std::shared_ptr<const ModelDefinition> model, const runtime::SessionOptions& options)
      : model_(std::move(model)), session_(ops::registry(), ops::kernels(), options) {
    if (model_->train) state_.seed = model_->train->seed;
    declare_parameters();
  }

  std::shared_ptr<const ModelDefinition> model_;
  runtime::Session session_;
  TrainingState state_;
  std::optional<Compiled> training_;
  std::optional<Compiled> evaluation_;
  std::map<std::vector<std::string>, Compiled> roles_;  ///< by outputs, "|", fed
  std::vector<std::string> training_figures_;

  Compiled& training() {
    if (training_) return *training_;
    training_ = compile(train::training_program(*model_, ops::registry()));
    training_names_ = figure_names(*model_, model_->train->loss, false);
    training_figures_ = training_names_.names;
    return *training_;
  }

  Compiled& evaluation() {
    if (!evaluation_) {
      evaluation_ = compile(evaluation_program(*model_, ops::registry()));
      evaluation_names_ = figure_names(*model_, {}, true);
    }
    return *evaluation_;
  }

  Compiled& role(const std::vector<std::string>& outputs, const std::vector<std::string>& fed) {
    std::vector<std::string> key = outputs;
    key.emplace_back("|");
    key.insert(key.end(), fed.begin(), fed.end());
    const auto found = roles_.find(key);
    if (found != roles_.end()) return found->second;
    return roles_.emplace(key, compile(role_program(*model_, ops::registry(), outputs, fed))).first->second;
  }

  void step(std::span<const runtime::Feed> feeds, std::int64_t rows, std::uint64_t first_row,
            std::span<float> figures, std::stop_token stop, runtime::SideWork* side) {
    Compiled& compiled = training();
    const RandomState random{.seed = state_.seed,
                             .domain = static_cast<std::uint32_t>(runtime::RandomDomain::training),
                             .step = state_.step,
                             .first_row = first_row};
    fetch_scalars(compiled, training_names_.outputs, figures);
    run(compiled, feeds, rows, random, std::move(stop), side);
    ++state_.step;
    const std::vector<std::string> broken = session_.take_non_finite_updates();
    if (!broken.empty())
      throw Error(
          ErrorCode::not_finite,
          fmt::format("step {}: the gradient of '{}' holds a NaN or an infinity while the loss does not; "
                      "a smaller learning rate or clip_norm may help",
                      state_.step, broken.front()),
          {}, broken.front());
  }

  Figures evaluate(const Examples& examples, const std::stop_token& stop) {
    Compiled& compiled = evaluation();
    FigureSum sum(evaluation_names_.names);
    std::vector<float> values(evaluation_names_.outputs.size());
    Batch batch(examples, compiled.inputs, std::min(evaluation_batch, examples.count));
    for (std::int64_t first = 0; first < examples.count; first += evaluation_batch) {
      throw_if_stopped(stop);
      batch.gather(first, std::min(evaluation_batch, examples.count - first));
      fetch_scalars(compiled, evaluation_names_.outputs, values);
      run(compiled, batch.feeds(), batch.rows(), evaluation_random(static_cast<std::uint64_t>(first)), stop);
      sum.add(values, batch.rows());
    }
    return sum.means();
  }

  std::vector<OutputValues> run_role(const std::vector<std::string>& outputs,
                                     std::span<const runtime::Feed> feeds, std::int64_t rows,
                                     std::uint64_t first_row) {
    std::vector<std::string> fed;
    std::vector<runtime::Feed> by_node(feeds.begin(), feeds.end());
    for (runtime::Feed& feed : by_node) fed.push_back(feed.name = node_name(*model_, feed.name));
    Compiled& compiled = role(outputs, fed);
    require_inputs(compiled, fed);
    std::vector<OutputValues> results = allocate(*compiled.program.graph, outputs, rows);
    compiled.fetches.clear();
    for (OutputValues& result : results) compiled.fetches.push_back({result.name, result.bytes});
    run(compiled, needed(compiled, by_node), rows, evaluation_random(first_row), {});
    return results;
  }

  static void throw_if_stopped(const std::stop_token& stop) {
    if (stop.stop_requested()) throw Error(ErrorCode::cancelled, "a stop was asked for");
  }

 private:
  void declare_parameters() {
    for (const Node& node : model_->graph.nodes())
      if (node.op->traits.variable)
        session_.variables().declare(node.name, bind(node.type.shape, std::int64_t{1}),
                                     node.attributes.initializer("init"), node.attributes.flag("trainable"));
  }

  Compiled compile(Program program) {
    Compiled compiled;
    compiled.id = session_.add(program.graph);
    for (const ProgramInput& input : program.inputs)
      (is_host_scalar(input.name) ? compiled.scalars : compiled.inputs).push_back(input.name);
    compiled.scalar_values.resize(compiled.scalars.size());
    compiled.program = std::move(program);
    return compiled;
  }

  bool is_host_scalar(const std::string& name) const {
    return is_optimizer_scalar(name) ||
           std::any_of(model_->scheduled.begin(), model_->scheduled.end(),
                       [&](const ScheduledInput& input) { return input.name == name; });
  }

  double scalar(const std::string& name) const {
    const Progress progress{.step = state_.step, .steps_per_epoch = state_.steps_per_epoch};
    for (const ScheduledInput& input : model_->scheduled)
      if (input.name == name) return value_at(input.schedule, progress);
    return optimizer_scalar(model_->train->optimizer, name, progress);
  }

  void run(Compiled& compiled, std::span<const runtime::Feed> feeds, std::int64_t rows,
           const RandomState& random, std::stop_token stop, runtime::SideWork* side = nullptr) {
    const std::size_t scalars = compiled.scalars.size();
    compiled.feeds.resize(scalars + feeds.size());
    for (std::size_t i = 0; i < scalars; ++i) {
      compiled.scalar_values[i] = static_cast<float>(scalar(compiled.scalars[i]));
      set(compiled.feeds[i], compiled.scalars[i], std::as_bytes(std::span(&compiled.scalar_values[i], 1)));
    }
    for (std::size_t i = 0; i < feeds.size(); ++i)
      set(compiled.feeds[scalars + i], feeds[i].name, feeds[i].bytes);
    session_.run(compiled.id, {.batch = rows,
                               .feeds = compiled.feeds,
                               .fetches = compiled.fetches,
                               .random = random,
                               .stop = std::move(stop),
                               .side = side});
  }

  static void fetch_scalars(Compiled& compiled, const std::vector<std::string>& outputs,
                            std::span<float> into) {
    compiled.fetches.resize(outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i)
      set(compiled.fetches[i], outputs[i], std::as_writable_bytes(into.subspan(i, 1)));
  }

  /// A name that stays the same from step to step is not copied again: a step allocates nothing.
  template <class Entry, class Bytes>
  static void set(Entry& entry, const std::string& name, Bytes bytes) {
    if (entry.name != name) entry.name = name;
    entry.bytes = bytes;
  }

  static void require_inputs(const Compiled& compiled, const std::vector<std::string>& fed) {
    std::string missing;
    for (const std::string& input : compiled.inputs)
      if (!contains(fed, input)) missing += fmt::format("{}'{}'", missing.empty() ? "" : ", ", input);
    if (!missing.empty())
      throw Error(
          ErrorCode::usage,
          fmt::format("input {} is needed and not given; give it a value for all rows, as in --input y=7",
                      missing));
  }

  static std::vector<runtime::Feed> needed(const Compiled& compiled, std::span<const runtime::Feed> feeds) {
    std::vector<runtime::Feed> kept;
    for (const runtime::Feed& feed : feeds)
      if (contains(compiled.inputs, feed.name)) kept.push_back(feed);
    return kept;
  }

  static std::vector<OutputValues> allocate(const Graph& graph, const std::vector<std::string>& outputs,
                                            std::int64_t rows) {
    std::vector<OutputValues> results;
    for (const std::string& name : outputs) {
      const Type& type = graph.node(graph.output(name)).type;
      OutputValues result{.name = name, .type = type, .extents = bind(type.shape, rows), .bytes = {}};
      const std::int64_t bytes =
          checked_multiply(element_count(result.extents), static_cast<std::int64_t>(bytes_of(type.dtype)));
      result.bytes.resize(static_cast<std::size_t>(bytes));
      results.push_back(std::move(result));
    }
    return results;
  }

  FigureNames training_names_;
  FigureNames evaluation_names_;
};

Learner::Learner(std::shared_ptr<const ModelDefinition> model, const runtime::SessionOptions& options)
    : implementation_(std::make_unique<Implementation>(std::move(model), options)) {}
Learner::~Learner() = default;
Learner::Learner(Learner&&) noexcept = default;
Learner& Learner::operator=(Learner&&) noexcept = default;

const ModelDefinition& Learner::model() const {
  return *implementation_->model_;
}
TrainingState& Learner::state() {
  return implementation_->state_;
}
const TrainingState& Learner::state() const {
  return implementation_->state_;
}
runtime::VariableStore& Learner::variables() {
  return implementation_->session_.variables();
}
const runtime::VariableStore& Learner::variables() const {
  return std::as_const(implementation_->session_).variables();
}
runtime::Session& Learner::session() {
  return implementation_->session_;
}

void Learner::initialise() {
  variables().initialise(state().seed);
}

const runtime::Plan& Learner::prepare_training(std::int64_t batch) {
  return session().prepare(implementation_->training().id, batch);
}
runtime::ProgramId Learner::training_program() {
  return implementation_->training().id;
}
const Graph& Learner::training_graph() {
  return *implementation_->training().program.graph;
}
const std::vector<std::string>& Learner::training_inputs() {
  return implementation_->training().inputs;
}
const std::vector<std::string>& Learner::training_figures() {
  implementation_->training();
  return implementation_->training_figures_;
}
void Learner::prepare_evaluation(std::int64_t examples) {
  const runtime::ProgramId program = implementation_->evaluation().id;
  if (examples >= evaluation_batch) session().prepare(program, evaluation_batch);
  if (examples % evaluation_batch != 0) session().prepare(program, examples % evaluation_batch);
}
const std::vector<std::string>& Learner::evaluation_inputs() {
  return implementation_->evaluation().inputs;
}

void Learner::step(std::span<const runtime::Feed> feeds, std::int64_t rows, std::uint64_t first_row,
                   std::span<float> figures, std::stop_token stop, runtime::SideWork* side) {
  implementation_->step(feeds, rows, first_row, figures, std::move(stop), side);
}

Figures Learner::evaluate(const Examples& examples, std::stop_token stop) {
  return implementation_->evaluate(examples, stop);
}

std::vector<OutputValues> Learner::run(const std::vector<std::string>& outputs,
                                       std::span<const runtime::Feed> feeds, std::int64_t rows,
                                       std::uint64_t first_row) {
  return implementation_->run_role(outputs, feeds, rows, first_row);
}

std::vector<OutputValues> Learner::run_over(const std::vector<std::string>& outputs, const Examples& examples,
                                            std::stop_token stop) {
  std::vector<std::string> columns;
  for (const auto& [name, column] : examples.columns) columns.push_back(name);
  Batch batch(examples, columns, std::min(evaluation_batch, examples.count));
  std::vector<OutputValues> all;
  for (std::int64_t first = 0; first < examples.count; first += evaluation_batch) {
    Implementation::throw_if_stopped(stop);
    batch.gather(first, std::min(evaluation_batch, examples.count - first));
    std::vector<OutputValues> part =
        run(outputs, batch.feeds(), batch.rows(), static_cast<std::uint64_t>(first));
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (part[i].type.shape.empty() || !part[i].type.shape.front().is_batch())
        throw Error(ErrorCode::usage, fmt::format("output '{}' is {}: it has no row for each example",
                                                  part[i].name, to_string(part[i].type)));
      if (i == all.size()) {
        all.push_back(std::move(part[i]));
      } else {
        all[i].bytes.insert(all[i].bytes.end(), part[i].bytes.begin(), part[i].bytes.end());
        all[i].extents.front() += batch.rows();
      }
    }
  }
  return all;
}

std::string Learner::digest() const {
  std::vector<const runtime::VariableStore::Variable*> parameters = variables().all();
  std::erase_if(parameters, [](const auto* variable) { return !variable->trainable; });
  std::sort(parameters.begin(), parameters.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  Sha256 sum;
  for (const auto* parameter : parameters) {
    sum.update(as_bytes(parameter->name + " " + to_string(parameter->extents) + "\n"));
    sum.update(
        {reinterpret_cast<const std::uint8_t*>(parameter->values.data()), parameter->values.size_bytes()});
  }
  return sum.finish();
}

}  // namespace graphrun::train
