#include "train/learn/learner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <tuple>

#include "files/file.hpp"
#include "files/sha256.hpp"
#include "ops/op.hpp"
#include "runtime/lower/rows.hpp"
#include "runtime/state/philox.hpp"
#include "train/learn/compiled_program.hpp"
#include "train/learn/optimizer.hpp"
#include "train/learn/programs.hpp"
#include "train/learn/row_blocks.hpp"
#include "train/learn/steep_nodes.hpp"
#include "train/learn/variable_copies.hpp"

namespace graphrun::train {

namespace {

/// Unless another seed is asked for, noise of evaluation is the same for every model and run, so that figures
/// can be compared.
RandomState evaluation_random(std::uint64_t seed, std::uint64_t first_row) {
  return {.seed = seed,
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
  /// A recipe, compiled.
  struct Learning {
    struct Step {
      CompiledProgram program;
      OptimizerRecipe optimizer;
      std::uint64_t every = 1;
      std::vector<std::string> outputs;  ///< behind its figures
      VariableCopies before;             ///< what it updates, where another step may fail after it
      bool is_due(std::uint64_t batch) const { return batch % every == 0; }  ///< batches count from 1
    };
    std::vector<Step> steps;
    std::vector<std::string> inputs;
    std::vector<std::string> figures;
  };

  Implementation(std::shared_ptr<const ModelDefinition> model, const runtime::SessionOptions& options,
                 const PassOptions& passes)
      : model_(std::move(model)),
        passes_(passes),
        learning_passes_(passes),
        session_(ops::registry(), ops::kernels(), options) {
    learning_passes_.budget = std::make_shared<Budget>(model_->budget);
    if (model_->train) state_.seed = model_->train->seed;
    declare_parameters();
  }

  std::shared_ptr<const ModelDefinition> model_;
  PassOptions passes_;
  PassOptions learning_passes_;  ///< of all recipes together
  runtime::Session session_;
  TrainingState state_;
  std::vector<Learning> recipes_;
  std::size_t recipe_ = 0;
  std::optional<CompiledProgram> evaluation_;
  std::map<std::pair<std::vector<NodeId>, std::vector<std::string>>, CompiledProgram>
      roles_;  ///< by outputs, fed
  std::map<std::tuple<NodeId, std::vector<NodeId>, std::vector<std::string>>, CompiledProgram>
      gradients_;  ///< by what has them, for what, fed

  Learning& training() {
    if (recipes_.empty()) add_recipe(recipes_of(*model_, ops::registry()).front());
    return recipes_[recipe_];
  }

  std::size_t add_recipe(const Recipe& recipe) {
    Learning learning;
    for (const LearningStep& step : recipe.steps) {
      learning.steps.push_back(
          {.program = compile(train::training_program(step, ops::registry(), learning_passes_)),
           .optimizer = step.optimizer,
           .every = static_cast<std::uint64_t>(step.every),
           .outputs = {},
           .before = {}});
      Learning::Step& made = learning.steps.back();
      for (const std::string& input : made.program.inputs())
        if (!contains(learning.inputs, input)) learning.inputs.push_back(input);
      for (std::size_t i = 0; i < step.figures.names.size(); ++i) {
        // Each step reports its loss; a term that an earlier step reports is not reported twice.
        if (i > 0 && contains(learning.figures, step.figures.names[i])) continue;
        learning.figures.push_back(step.figures.names[i]);
        made.outputs.push_back(step.figures.outputs[i]);
      }
    }
    for (std::size_t i = 0; i + 1 < learning.steps.size(); ++i) {
      Learning::Step& step = learning.steps[i];
      step.before = VariableCopies(step.program.graph(), session_.variables());
    }
    recipes_.push_back(std::move(learning));
    return recipes_.size() - 1;
  }

  CompiledProgram& evaluation() {
    if (!evaluation_) {
      FigureNames names = figure_names(*model_, {}, true);
      evaluation_ = compile(evaluation_program(*model_, ops::registry(), passes_));
      evaluation_names_ = std::move(names);
    }
    return *evaluation_;
  }

  /// Its outputs are called as their nodes.
  CompiledProgram& role(const std::vector<NamedOutput>& outputs, const std::vector<std::string>& fed) {
    std::pair<std::vector<NodeId>, std::vector<std::string>> key{{}, fed};
    std::vector<NamedOutput> once;
    for (const NamedOutput& output : outputs) {
      if (std::find(key.first.begin(), key.first.end(), output.node) == key.first.end())
        once.push_back({model_->graph.node(output.node).name, output.node});
      key.first.push_back(output.node);
    }
    const auto found = roles_.find(key);
    if (found != roles_.end()) return found->second;
    return roles_.emplace(std::move(key), compile(role_program(*model_, ops::registry(), once, fed, passes_)))
        .first->second;
  }

  CompiledProgram& gradient(NodeId of, const std::vector<NamedOutput>& wanted,
                            const std::vector<std::string>& fed) {
    std::vector<NodeId> nodes;
    for (const NamedOutput& output : wanted) nodes.push_back(output.node);
    const auto key = std::tuple(of, nodes, fed);
    const auto found = gradients_.find(key);
    if (found != gradients_.end()) return found->second;
    return gradients_
        .emplace(key, compile(gradient_program(*model_, ops::registry(), of, nodes, fed, passes_)))
        .first->second;
  }

  std::vector<NamedOutput> asked(const std::vector<std::string>& names) const {
    std::vector<NamedOutput> outputs;
    for (const std::string& name : names) outputs.push_back({name, asked_node(*model_, name)});
    return outputs;
  }

  /// All that may fail without a fault in the numbers comes before the first update. When one of several
  /// steps fails, those before it are undone.
  void step(std::span<const runtime::Feed> feeds, std::int64_t rows, std::uint64_t first_row,
            std::span<float> figures, std::stop_token stop, runtime::SideWork* side) {
    throw_if_spoilt();  // by an earlier step: nothing is learnt on it
    Learning& learning = training();
    const std::uint64_t number = state_.stage_step() + 1;
    std::fill(figures.begin(), figures.end(), std::numeric_limits<float>::quiet_NaN());
    for (Learning::Step& step : learning.steps) {
      step.program.fetch(step.outputs, figures.first(step.outputs.size()));
      set_scalars(step.program, step.optimizer, state_.stage_step() / step.every);
      step.program.bind(session_, feeds, rows);
      figures = figures.subspan(step.outputs.size());
    }
    const std::uint64_t updates = state_.updates;
    auto step = learning.steps.begin();
    try {
      const auto is_due = [&](const Learning::Step& each) { return each.is_due(number); };
      for (; step != learning.steps.end(); ++step) {
        if (!is_due(*step)) continue;
        if (std::any_of(std::next(step), learning.steps.end(), is_due)) step->before.take();
        update(*step, rows, first_row, stop, std::exchange(side, nullptr));
        stop = {};  // the first update commits the steps of a batch
      }
    } catch (...) {
      for (auto done = std::make_reverse_iterator(step); done != learning.steps.rend(); ++done)
        if (done->is_due(number)) done->before.give_back();
      state_.updates = updates;
      throw;
    }
    ++state_.step;
  }

  /// One step of one optimizer; its noise is its own.
  void update(Learning::Step& step, std::int64_t rows, std::uint64_t first_row, const std::stop_token& stop,
              runtime::SideWork* side) {
    const RandomState random{.seed = state_.seed,
                             .domain = static_cast<std::uint32_t>(runtime::RandomDomain::training),
                             .step = state_.updates,
                             .first_row = first_row};
    step.program.run(session_, rows, random, stop, side);
    ++state_.updates;
    throw_if_spoilt();
  }

  void throw_if_spoilt() const {
    const std::string* variable = session_.spoilt();
    if (variable == nullptr) return;
    throw Error(
        ErrorCode::not_finite,
        fmt::format("step {}: the gradient of '{}' holds a NaN or an infinity while the loss does not{}",
                    state_.step + 1, *variable, advice_on_gradient(*variable)),
        {}, *variable);
  }

  std::string advice_on_gradient(const std::string& parameter) const {
    const std::string steep = steep_nodes_between(*model_, parameter);
    return steep.empty() ? "; a smaller learning rate or clip_norm may help" : steep;
  }

  Figures evaluate(const Examples& examples, const std::stop_token& stop) {
    CompiledProgram& compiled = evaluation();
    FigureSum sum(evaluation_names_.names);
    std::vector<float> values(evaluation_names_.outputs.size());
    compiled.fetch(evaluation_names_.outputs, values);
    const auto nothing = [](const RowBlock&) {};
    const auto add = [&](const RowBlock& batch) { sum.add(values, batch.count); };
    run_blocks(compiled, examples, row_batches(examples.count, evaluation_batch), {.stop = stop}, nothing,
               add);
    return sum.means();
  }

  void run_role(const std::vector<NamedOutput>& outputs, const Examples& examples,
                std::span<const std::span<std::byte>> into, const RowOptions& options) {
    std::vector<std::string> fed;
    for (const auto& [name, column] : examples.columns) fed.push_back(name);
    CompiledProgram& compiled = role(outputs, fed);
    require_inputs(compiled, fed);
    const std::vector<RowBlock> blocks = blocks_of(compiled, examples.count, options);
    if (blocks.size() > 1) require_rows(outputs);
    const auto fetch = [&](const RowBlock& block) {
      for (std::size_t i = 0; i < outputs.size(); ++i)
        compiled.fetch(i, model_->graph.node(outputs[i].node).name, rows_of(into[i], examples.count, block));
    };
    run_blocks(compiled, examples, blocks, options, fetch, [](const RowBlock&) {});
  }

  std::vector<OutputValues> run_role(const std::vector<NamedOutput>& outputs, const Examples& examples,
                                     const RowOptions& options) {
    std::vector<OutputValues> results = outputs_over(outputs, examples.count);
    std::vector<std::span<std::byte>> into;
    for (OutputValues& result : results) into.emplace_back(result.bytes);
    run_role(outputs, examples, into, options);
    return results;
  }

  std::vector<OutputValues> gradients(NodeId of, const std::vector<NamedOutput>& wanted,
                                      const Examples& examples) {
    std::vector<std::string> fed;
    for (const auto& [name, column] : examples.columns) fed.push_back(name);
    CompiledProgram& compiled = gradient(of, wanted, fed);
    require_inputs(compiled, fed);
    std::vector<OutputValues> results = outputs_over(wanted, examples.count);
    for (std::size_t i = 0; i < wanted.size(); ++i)
      compiled.fetch(i, model_->graph.node(wanted[i].node).name, results[i].bytes);
    const auto nothing = [](const RowBlock&) {};
    run_blocks(compiled, examples, {{0, examples.count}}, {}, nothing, nothing);
    return results;
  }

  /// What the outputs of a program over so many rows need, without their bytes.
  std::vector<OutputValues> outputs_over(const std::vector<NamedOutput>& outputs, std::int64_t rows) const {
    std::vector<OutputValues> results;
    for (const NamedOutput& output : outputs) {
      const Type& type = model_->graph.node(output.node).type;
      OutputValues result{.name = output.name, .type = type, .extents = bind(type.shape, rows), .bytes = {}};
      const std::int64_t bytes =
          checked_multiply(element_count(result.extents), static_cast<std::int64_t>(bytes_of(type.dtype)));
      result.bytes.resize(static_cast<std::size_t>(bytes));
      results.push_back(std::move(result));
    }
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

  CompiledProgram compile(Program program) { return {std::move(program), *model_, session_}; }

  /// What the host computes for a step: schedules, and what the optimizer needs after so many updates.
  void set_scalars(CompiledProgram& compiled, const OptimizerRecipe& optimizer, std::uint64_t updates) const {
    const Progress progress{.step = state_.stage_step(), .steps_per_epoch = state_.steps_per_epoch};
    for (std::size_t i = 0; i < compiled.scalars().size(); ++i) {
      const std::string& name = compiled.scalars()[i];
      const auto scheduled = std::find_if(model_->scheduled.begin(), model_->scheduled.end(),
                                          [&](const ScheduledInput& input) { return input.name == name; });
      const double value = scheduled != model_->scheduled.end()
                               ? value_at(scheduled->schedule, progress)
                               : optimizer_scalar(optimizer, name, progress, updates);
      compiled.scalar_values()[i] = static_cast<float>(value);
      if (!std::isfinite(compiled.scalar_values()[i])) throw too_large(name, value);
    }
  }

  /// A schedule may grow for as long as a run lasts.
  Error too_large(const std::string& scalar, double value) const {
    return {ErrorCode::not_finite, fmt::format("step {}: '{}' has grown to {}, more than f32 holds",
                                               state_.step + 1, scalar, value)};
  }

  static void require_inputs(const CompiledProgram& compiled, const std::vector<std::string>& fed) {
    std::string missing;
    for (const std::string& input : compiled.inputs())
      if (!contains(fed, input)) missing += fmt::format("{}'{}'", missing.empty() ? "" : ", ", input);
    if (!missing.empty())
      throw Error(
          ErrorCode::usage,
          fmt::format("input {} is needed and not given; give it a value for all rows, as in --input y=7",
                      missing));
  }

  static std::vector<RowBlock> blocks_of(const CompiledProgram& compiled, std::int64_t rows,
                                         const RowOptions& options) {
    if (runtime::rows_are_independent(compiled.graph())) return row_blocks(rows);
    return row_batches(rows, options.together ? std::max<std::int64_t>(1, rows) : evaluation_batch);
  }

  void require_rows(const std::vector<NamedOutput>& outputs) const {
    for (const NamedOutput& output : outputs) {
      const Type& type = model_->graph.node(output.node).type;
      if (type.shape.empty() || !type.shape.front().is_batch())
        throw Error(ErrorCode::usage, fmt::format("output '{}' is {}: it has no row for each example",
                                                  output.name, to_string(type)));
    }
  }

  static std::span<std::byte> rows_of(std::span<std::byte> all, std::int64_t rows, const RowBlock& block) {
    if (block.count == rows) return all;
    const std::size_t row = all.size() / static_cast<std::size_t>(rows);
    return all.subspan(row * static_cast<std::size_t>(block.first),
                       row * static_cast<std::size_t>(block.count));
  }

  /// The next block is gathered while one runs.
  template <class Before, class After>
  void run_blocks(CompiledProgram& compiled, const Examples& examples, const std::vector<RowBlock>& blocks,
                  const RowOptions& options, Before before, After after) {
    if (blocks.empty()) return;
    PrefetchedBatches& batches = compiled.batches_for(examples, blocks.front().count);
    batches.gather({blocks.front().first, blocks.front().count});
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      throw_if_stopped(options.stop);
      const RowBlock& block = blocks[i];
      if (i + 1 < blocks.size()) batches.announce({blocks[i + 1].first, blocks[i + 1].count});
      before(block);
      set_scalars(compiled, {}, 0);
      compiled.bind(session_, batches.current().feeds(), block.count);
      compiled.run(
          session_, block.count,
          evaluation_random(options.seed, options.first_row + static_cast<std::uint64_t>(block.first)),
          options.stop, &batches);
      after(block);
      batches.advance();
    }
  }

  FigureNames evaluation_names_;
};

Learner::Learner(std::shared_ptr<const ModelDefinition> model, const runtime::SessionOptions& options)
    : Learner(std::move(model), options, PassOptions{}) {}
Learner::Learner(std::shared_ptr<const ModelDefinition> model, const runtime::SessionOptions& options,
                 const PassOptions& passes)
    : implementation_(std::make_unique<Implementation>(std::move(model), options, passes)) {}
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
const runtime::Session& Learner::session() const {
  return implementation_->session_;
}

const std::string* Learner::spoilt() const {
  return implementation_->session_.spoilt();
}

void Learner::initialise() {
  variables().initialise(state().seed);
}

std::size_t Learner::add_recipe(const Recipe& recipe) {
  return implementation_->add_recipe(recipe);
}
void Learner::use_recipe(std::size_t recipe) {
  implementation_->recipe_ = recipe;
}

const runtime::Plan& Learner::prepare_training(std::int64_t batch) {
  const auto& steps = implementation_->training().steps;
  for (const auto& step : steps) session().prepare(step.program.id(), batch);
  return session().prepare(steps.front().program.id(), batch);
}
runtime::ProgramId Learner::training_program() {
  return implementation_->training().steps.front().program.id();
}
const Graph& Learner::training_graph() {
  return implementation_->training().steps.front().program.graph();
}
const std::vector<std::string>& Learner::training_inputs() {
  return implementation_->training().inputs;
}
const std::vector<std::string>& Learner::training_figures() {
  return implementation_->training().figures;
}
void Learner::prepare_evaluation(std::int64_t examples) {
  const runtime::ProgramId program = implementation_->evaluation().id();
  if (examples >= evaluation_batch) session().prepare(program, evaluation_batch);
  if (examples % evaluation_batch != 0) session().prepare(program, examples % evaluation_batch);
}

void Learner::step(std::span<const runtime::Feed> feeds, std::int64_t rows, std::uint64_t first_row,
                   std::span<float> figures, std::stop_token stop, runtime::SideWork* side) {
  implementation_->step(feeds, rows, first_row, figures, std::move(stop), side);
}

Figures Learner::evaluate(const Examples& examples, std::stop_token stop) {
  return implementation_->evaluate(examples, stop);
}

std::vector<OutputValues> Learner::run(const std::vector<std::string>& outputs, const Examples& examples,
                                       const RowOptions& options) {
  return implementation_->run_role(implementation_->asked(outputs), examples, options);
}

OutputValues Learner::run(NodeId output, const Examples& examples, const RowOptions& options) {
  const std::vector<NamedOutput> outputs{{model().graph.node(output).name, output}};
  return std::move(implementation_->run_role(outputs, examples, options).front());
}

void Learner::run(const std::vector<std::string>& outputs, const Examples& examples,
                  std::span<const std::span<std::byte>> into, const RowOptions& options) {
  implementation_->run_role(implementation_->asked(outputs), examples, into, options);
}

std::vector<OutputValues> Learner::gradients(std::string_view of, const std::vector<std::string>& names,
                                             const Examples& examples) {
  std::vector<NamedOutput> wanted;
  for (const std::string& name : names) wanted.push_back({name, given_node(model(), name)});
  return implementation_->gradients(asked_node(model(), of), wanted, examples);
}

std::string Learner::digest() const {
  std::vector<const runtime::VariableStore::Variable*> parameters = variables().all();
  std::erase_if(parameters, [](const auto* variable) { return !variable->trainable; });
  std::sort(parameters.begin(), parameters.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  files::Sha256 sum;
  for (const auto* parameter : parameters) {
    sum.update(files::as_bytes(parameter->name + " " + to_string(parameter->extents) + "\n"));
    sum.update(
        {reinterpret_cast<const std::uint8_t*>(parameter->values.data()), parameter->values.size_bytes()});
  }
  return sum.finish();
}

}  // namespace graphrun::train
