// What a learner does with a batch: one step after the other, all of them or none.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "errors/lack_of_memory.hpp"
#include "runtime/state/philox.hpp"
#include "train/learn/learner_implementation.hpp"
#include "train/learn/optimizer.hpp"
#include "train/learn/programs.hpp"
#include "train/learn/steep_nodes.hpp"

namespace graphrun::train {

void Learner::Implementation::declare_parameters() {
  for (const Node& node : model_->graph.nodes())
    if (node.op->traits.variable)
      session_.variables().declare(node.name, bind(node.type.shape, std::int64_t{1}),
                                   node.attributes.initializer("init"), node.attributes.flag("trainable"));
}

Learner::Implementation::Learning& Learner::Implementation::training() {
  if (learnings_.empty()) add_steps(steps_of_phases(*model_, ops::registry()).front());
  return learnings_[in_use_];
}

Error Learner::Implementation::no_memory_to_compile() const {
  return Error(ErrorCode::memory, fmt::format("there is not enough memory to compile the {} nodes of '{}'",
                                              model_->graph.nodes().size(), model_->name));
}

std::size_t Learner::Implementation::add_steps(const BatchSteps& batch) {
  return saying_what_lacks([&] { return add_compiled(batch); }, [&] { return no_memory_to_compile(); });
}

std::size_t Learner::Implementation::add_compiled(const BatchSteps& batch) {
  Learning learning;
  for (const LearningStep& step : batch.steps) {
    learning.steps.push_back(
        {.program = compile_step(train::training_program(step, ops::registry(), learning_passes_)),
         .optimizer = step.optimizer,
         .every = static_cast<std::uint64_t>(step.every),
         .outputs = {},
         .before = {},
         .sharded = {}});
    Learning::Step& made = learning.steps.back();
    made.sharded = in_shards(made.program.graph());
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
  learnings_.push_back(std::move(learning));
  return learnings_.size() - 1;
}

/// In a team each member has a part of the optimizer's state, which the whole program does not know.
CompiledProgram Learner::Implementation::compile_step(Program program) {
  if (team_->members() > 1) return {std::move(program), *model_};
  return compile(std::move(program));
}

std::unique_ptr<runtime::ShardedProgram> Learner::Implementation::in_shards(const Graph& graph) {
  if (shards() == 1 && team_->members() == 1) return nullptr;
  const runtime::Mixing mixing =
      model_->train->gather_rows ? runtime::Mixing::gather : runtime::Mixing::refuse;
  return std::make_unique<runtime::ShardedProgram>(graph, shards(), mixing, ops::registry(), ops::kernels(),
                                                   session_, *team_);
}

void Learner::Implementation::prepare(Learning::Step& step, std::int64_t rows) {
  if (step.sharded)
    step.sharded->prepare(rows);
  else
    session_.prepare(step.program.id(), rows);
}

void Learner::Implementation::step(std::span<const runtime::Feed> feeds, std::int64_t rows,
                                   std::uint64_t first_row, std::span<float> figures, std::stop_token stop,
                                   runtime::SideWork* side) {
  throw_if_spoilt();  // by an earlier step: nothing is learnt on it
  Learning& learning = training();
  const std::uint64_t number = state_.stage_step() + 1;
  std::fill(figures.begin(), figures.end(), std::numeric_limits<float>::quiet_NaN());
  for (Learning::Step& step : learning.steps) {
    step.program.fetch(step.outputs, figures.first(step.outputs.size()));
    set_scalars(step.program, step.optimizer, state_.stage_step() / step.every);
    step.program.feed(feeds);
    prepare(step, rows);
    figures = figures.subspan(step.outputs.size());
  }
  const std::uint64_t updates = state_.updates;
  auto step = learning.steps.begin();
  try {
    const auto is_due = [&](const Learning::Step& each) { return each.is_due(number); };
    for (; step != learning.steps.end(); ++step) {
      if (!is_due(*step)) continue;
      if (std::any_of(std::next(step), learning.steps.end(), is_due)) {
        session_.expect(nullptr);
        step->before.take();
      }
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

void Learner::Implementation::update(Learning::Step& step, std::int64_t rows, std::uint64_t first_row,
                                     const std::stop_token& stop, runtime::SideWork* side) {
  const RandomState random{.seed = state_.seed,
                           .domain = static_cast<std::uint32_t>(runtime::RandomDomain::training),
                           .step = state_.updates,
                           .first_row = first_row};
  if (step.sharded)
    step.sharded->run(step.program.asked(rows, random, stop, side));
  else
    step.program.run(session_, rows, random, stop, side);
  ++state_.updates;
  throw_if_spoilt();
}

void Learner::Implementation::throw_if_spoilt() const {
  const std::string* variable = session_.spoilt();
  if (variable == nullptr) return;
  throw Error(
      ErrorCode::not_finite,
      fmt::format("step {}: the gradient of '{}' holds a NaN or an infinity while the loss does not{}",
                  state_.step + 1, *variable, advice_on_gradient(*variable)),
      {}, *variable);
}

std::string Learner::Implementation::advice_on_gradient(const std::string& parameter) const {
  const std::string steep = steep_nodes_between(*model_, parameter);
  return steep.empty() ? "; a smaller learning rate or clip_norm may help" : steep;
}

void Learner::Implementation::set_scalars(CompiledProgram& compiled, const OptimizerRecipe& optimizer,
                                          std::uint64_t updates) const {
  const Progress progress{
      .step = state_.stage_step(), .steps_per_epoch = state_.steps_per_epoch, .epoch = state_.epoch_told};
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

Error Learner::Implementation::too_large(const std::string& scalar, double value) const {
  return {ErrorCode::not_finite,
          fmt::format("step {}: '{}' has grown to {}, more than f32 holds", state_.step + 1, scalar, value)};
}

}  // namespace graphrun::train
