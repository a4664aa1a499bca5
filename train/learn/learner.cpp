#include "train/learn/learner.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "files/file.hpp"
#include "files/sha256.hpp"
#include "train/learn/learner_implementation.hpp"

namespace graphrun::train {

std::span<const float> as_floats(const OutputValues& output) {
  if (output.type.dtype != DType::f32)
    throw Error(ErrorCode::usage,
                fmt::format("output '{}' is {}, not f32", output.name, to_string(output.type)));
  return {reinterpret_cast<const float*>(output.bytes.data()), output.bytes.size() / sizeof(float)};
}

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

std::size_t Learner::add_steps(const BatchSteps& steps) {
  return implementation_->add_steps(steps);
}
void Learner::use_steps(std::size_t number) {
  implementation_->in_use_ = number;
}

void Learner::join(std::shared_ptr<runtime::Team> team) {
  implementation_->team_ = std::move(team);
}
runtime::Team& Learner::team() {
  return *implementation_->team_;
}
Learner::Weights Learner::collected_slots() {
  Weights slots;
  for (const runtime::VariableStore::Variable* slot : variables().all()) {
    if (slot->whole.empty() || !slot->initialised) continue;
    std::vector<float> values(static_cast<std::size_t>(element_count(slot->whole)));
    team().collect(slot->values, values);
    if (team().member() == 0) slots[slot->name] = std::move(values);
  }
  return slots;
}
runtime::ShardRange Learner::own_rows(std::int64_t rows) const {
  const runtime::Team& team = *implementation_->team_;
  if (team.members() == 1) return {0, rows};
  return runtime::rows_of_member(rows, implementation_->shards(), team.member(), team.members());
}

void Learner::prepare_steps(std::int64_t batch) {
  for (auto& step : implementation_->training().steps) implementation_->prepare(step, batch);
}
const runtime::Plan& Learner::prepare_training(std::int64_t batch) {
  prepare_steps(batch);
  return session().prepare(training_program(), batch);
}
std::vector<Learner::TrainingStep> Learner::training_steps(std::int64_t batch) {
  std::vector<TrainingStep> steps;
  for (auto& step : implementation_->training().steps)
    steps.push_back({&step.program.graph(), &session().prepare(step.program.id(), batch),
                     1 / static_cast<double>(step.every)});
  return steps;
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

// ---- The weights as a whole: begun anew, put aside, put back. ----

void Learner::initialise_again(std::uint64_t seed) {
  for (const Node& node : model().graph.nodes())
    if (node.op->traits.variable) variables().get(node.name).initialised = false;
  variables().initialise(seed);
}

Learner::Weights Learner::weights() const {
  Weights weights;
  for (const Node& node : model().graph.nodes()) {
    if (!node.op->traits.variable) continue;
    const runtime::VariableStore::Variable& variable = *variables().find(node.name);
    weights[node.name].assign(variable.values.begin(), variable.values.end());
  }
  return weights;
}

void Learner::set_weights(const Weights& weights) {
  for (const auto& [name, values] : weights) {
    runtime::VariableStore::Variable* variable = variables().find(name);
    if (variable == nullptr || variable->values.size() != values.size()) continue;
    std::copy(values.begin(), values.end(), variable->values.begin());
    variable->initialised = true;
  }
}

void Learner::reset_optimizers() {
  for (runtime::VariableStore::Variable* variable : variables().all())
    if (!model().graph.find(variable->name)) variable->initialised = false;
  initialise();
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
