#include "runtime/execute/plan_run.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace graphrun::runtime {

PlanRun::PlanRun(std::shared_ptr<const Plan> plan, VariableStore& variables)
    : plan_(std::move(plan)),
      feeds_(plan_->inputs.size()),
      flags_(plan_->updated.size()),
      hand_outs_(plan_->outputs.size()) {
  variables_.resize(plan_->variables.size());
  soon_.resize(plan_->soon.size());
  find_variables(variables);
  for (const std::uint32_t matmul : plan_->products) products_.push_back(plan_->matmuls[matmul]->bind());
  for (const Unit& unit : plan_->units) {
    states_.push_back(unit.call != nullptr ? unit.call->bind() : nullptr);
  }
}

void PlanRun::find_variables(VariableStore& variables) {
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    variables_[i] = reinterpret_cast<std::byte*>(variables.get(plan_->variables[i].name).values.data());
  }
  for (std::size_t i = 0; i < soon_.size(); ++i) {
    const VariableRows& rows = plan_->soon[i];
    soon_[i] = {variables_[rows.variable] + rows.offset, rows.bytes};
  }
}

void PlanRun::bind_variables(VariableStore& variables) {
  find_variables(variables);
  find_addresses();
}

void PlanRun::bind_memory(std::byte* workspace, std::span<const WorkerSpace> workers) {
  std::size_t inputs = 0;
  std::size_t written = 0;
  for (const Unit& unit : plan_->units) {
    inputs = std::max<std::size_t>(inputs, unit.inputs);
    written = std::max<std::size_t>(written, unit.written);
  }
  addresses_.resize(plan_->places.size());
  scratch_.resize(workers.size());
  for (Scratch& scratch : scratch_) {
    scratch.inputs.resize(inputs);
    scratch.written.resize(written);
  }
  move_memory(workspace, workers);
}

void PlanRun::move_memory(std::byte* workspace, std::span<const WorkerSpace> workers) noexcept {
  workspace_ = workspace;
  find_addresses();
  for (std::size_t worker = 0; worker < workers.size(); ++worker) {
    scratch_[worker].memory = workers[worker].scratch.get();
  }
}

void PlanRun::find_addresses() noexcept {
  for (std::size_t i = 0; i < addresses_.size(); ++i) {
    const Place& place = plan_->places[i];
    const bool moves = place.space == Space::scratch || place.space == Space::feed;
    addresses_[i] = moves ? nullptr : const_cast<std::byte*>(address(place));
  }
}

void PlanRun::bind_feed(std::size_t input, const std::byte* bytes) {
  feeds_[input] = const_cast<std::byte*>(bytes);  // units only read it
}

void PlanRun::tell(FetchObserver* observer) noexcept {
  observer_ = observer;
  for (HandOut& hand_out : hand_outs_) {
    hand_out.number.reset();
    hand_out.taken = false;
  }
}

void PlanRun::hand_out(std::size_t output, std::size_t number) noexcept {
  hand_outs_[output].number = number;
}

bool PlanRun::is_taken(std::size_t output, std::size_t number) const noexcept {
  return hand_outs_[output].taken && hand_outs_[output].number == number;
}

/// The unit that comes last sees what all have written.
void PlanRun::note_made(const Unit& unit) noexcept {
  for (std::uint32_t i = 0; i < unit.made; ++i) {
    const std::uint32_t output = plan_->made[unit.first_made + i];
    HandOut& hand_out = hand_outs_[output];
    if (hand_out.units_left.fetch_sub(1, std::memory_order_acq_rel) != 1 || !hand_out.number) continue;
    const PlanOutput& made = plan_->outputs[output];
    hand_out.taken = observer_->on_made(*hand_out.number, {address(made.place), made.bytes});
  }
}

void PlanRun::start(const RandomState& random, std::stop_token stop, UnitTime* times) {
  random_ = random;
  times_ = times;
  stop_ = std::move(stop);
  state_.store(State::running, std::memory_order_relaxed);
  outcome_.store(Outcome::done, std::memory_order_relaxed);
  for (std::atomic<bool>& flag : flags_) flag.store(false, std::memory_order_relaxed);
  for (std::size_t output = 0; observer_ != nullptr && output < hand_outs_.size(); ++output)
    hand_outs_[output].units_left.store(plan_->outputs[output].units, std::memory_order_relaxed);
}

Outcome PlanRun::outcome() const {
  return outcome_.load(std::memory_order_relaxed);
}

std::optional<std::size_t> PlanRun::first_spoilt() const noexcept {
  for (std::size_t flag = 0; flag < flags_.size(); ++flag) {
    if (flags_[flag].load(std::memory_order_relaxed)) return flag;
  }
  const bool half_done = outcome() == Outcome::failed && state_.load() == State::committed;
  return half_done && !flags_.empty() ? std::optional<std::size_t>(0) : std::nullopt;
}

const std::byte* PlanRun::address(const Place& place) const {
  switch (place.space) {
    case Space::workspace:
      return workspace_ + place.offset;
    case Space::variable:
      return variables_[place.index] + place.offset;
    case Space::feed:
      return feeds_[place.index] + place.offset;
    case Space::constant:
      return plan_->constants.get() + place.offset;
    case Space::scratch:
      break;
  }
  return nullptr;
}

std::byte* PlanRun::resolve(std::uint32_t place, const Scratch& scratch) const noexcept {
  if (std::byte* const known = addresses_[place]) return known;
  const Place& where = plan_->places[place];
  return (where.space == Space::feed ? feeds_[where.index] : scratch.memory) + where.offset;
}

bool PlanRun::stop(Outcome why) noexcept {
  State expected = State::running;
  if (state_.compare_exchange_strong(expected, State::stopped)) outcome_.store(why);
  // Once a variable was written the step goes on to its end, whatever happens.
  return expected != State::committed;
}

bool PlanRun::commit() noexcept {
  State expected = State::running;
  return state_.compare_exchange_strong(expected, State::committed) || expected == State::committed;
}

void PlanRun::run_task(std::uint32_t task, std::size_t worker) noexcept {
  if (before_task_) before_task_(task);
  const State state = state_.load(std::memory_order_relaxed);
  if (state == State::stopped) return;
  if (state == State::running && stop_.stop_requested() && stop(Outcome::cancelled)) return;
  const Task& record = plan_->tasks[task];
  Scratch& scratch = scratch_[worker];
  for (std::uint32_t i = 0; i < record.units; ++i) {
    const std::uint32_t unit = record.first_unit + i;
    if (arrivals_ != nullptr) wait_for_variables(plan_->units[unit]);
    if (times_ == nullptr ? !run_unit(plan_->units[unit], scratch) : !run_timed(unit, worker)) return;
    if (observer_ != nullptr) note_made(plan_->units[unit]);
  }
}

void PlanRun::wait_for_variables(const Unit& unit) noexcept {
  for (std::uint32_t i = 0; i < std::uint32_t{unit.inputs} + unit.written; ++i) {
    const Place& place = plan_->places[unit.first_place + i];
    if (place.space == Space::variable) arrivals_->wait_for(variables_[place.index]);
  }
}

void PlanRun::wait_for_outputs() const noexcept {
  if (arrivals_ == nullptr) return;
  for (const PlanOutput& output : plan_->outputs)
    if (output.place.space == Space::variable) arrivals_->wait_for(variables_[output.place.index]);
}

bool PlanRun::run_timed(std::uint32_t unit, std::size_t worker) noexcept {
  const auto now = [] {
    return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  };
  UnitTime& time = times_[unit];
  time = {.begin_ns = now(), .end_ns = 0, .worker = static_cast<std::uint32_t>(worker)};
  const bool ran = run_unit(plan_->units[unit], scratch_[worker]);
  time.end_ns = now();
  return ran;
}

bool PlanRun::run_unit(const Unit& unit, Scratch& scratch) noexcept {
  if (unit.role == UnitRole::update) {
    if (state_.load(std::memory_order_relaxed) == State::running && stop_.stop_requested()) {
      stop(Outcome::cancelled);
    }
    if (!commit()) return false;
  }
  if (unit.call == nullptr) return run_product(unit, scratch) || fail();
  std::uint32_t place = unit.first_place;
  for (std::size_t i = 0; i < unit.inputs; ++i) scratch.inputs[i] = resolve(place++, scratch);
  for (std::size_t i = 0; i < unit.written; ++i) scratch.written[i] = resolve(place++, scratch);
  CallArguments arguments;
  arguments.inputs = std::span(scratch.inputs).first(unit.inputs);
  arguments.written = std::span(scratch.written).first(unit.written);
  arguments.output = unit.output ? resolve(place, scratch) : nullptr;
  arguments.scratch = scratch.memory;
  arguments.row_begin = unit.row_begin;
  arguments.row_count = unit.row_count;
  arguments.random = random_;
  std::atomic<bool> bad = false;
  if (unit.role == UnitRole::check) arguments.non_finite = &bad;
  if (unit.role == UnitRole::update) arguments.non_finite = &flags_[unit.flag];
  bool failed = false;
  arguments.failed = &failed;
  arguments.state = states_[static_cast<std::size_t>(&unit - plan_->units.data())].get();
  unit.call->run(arguments);
  if (failed) return fail();
  return !bad.load(std::memory_order_relaxed) || !stop(Outcome::not_finite);
}

/// Says so also after the first update: the caller must hear of it.
bool PlanRun::fail() noexcept {
  outcome_.store(Outcome::failed);
  stop(Outcome::failed);
  return false;
}

bool PlanRun::run_product(const Unit& unit, const Scratch& scratch) noexcept {
  const auto floats = [&](std::uint32_t i) {
    return reinterpret_cast<float*>(resolve(unit.first_place + i, scratch));
  };
  MatmulArguments arguments;
  arguments.a = floats(0);
  arguments.b = floats(1);
  arguments.narrow_a = reinterpret_cast<const Bf16*>(arguments.a);
  arguments.narrow_b = reinterpret_cast<const Bf16*>(arguments.b);
  if (unit.inputs == 3) arguments.bias = floats(2);
  if (unit.written == 1) arguments.column_sums = floats(unit.inputs);
  arguments.output = floats(unit.inputs + unit.written);
  arguments.scratch = scratch.memory;
  arguments.soon = std::span(soon_).subspan(unit.first_soon, unit.soon);
  return products_[unit.product]->run(arguments);
}

}  // namespace graphrun::runtime
