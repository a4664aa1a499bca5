/// \file
/// A plan bound to the memory of one session: what its tasks read and write while they run.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "runtime/execute/arrivals.hpp"
#include "runtime/execute/executor.hpp"
#include "runtime/execute/fetch_observer.hpp"
#include "runtime/lower/plan.hpp"
#include "runtime/machine/aligned.hpp"
#include "runtime/state/variables.hpp"

namespace graphrun::runtime {

/// What one worker has for itself.
struct WorkerSpace {
  AlignedBytes scratch;
  std::size_t bytes = 0;
};

/// How a run came out.
enum class Outcome : std::uint8_t { done, cancelled, not_finite, failed };

class PlanRun final : public TaskRunner {
 public:
  PlanRun(std::shared_ptr<const Plan> plan, VariableStore& variables);

  const Plan& plan() const { return *plan_; }
  const std::shared_ptr<const Plan>& shared_plan() const { return plan_; }

  /// Where the workspace and the workers' scratch lie.
  void bind_memory(std::byte* workspace, std::span<const WorkerSpace> workers);
  /// Where they lie now; there are as many workers as before.
  void move_memory(std::byte* workspace, std::span<const WorkerSpace> workers) noexcept;
  /// Turns to other variables of the same names and extents.
  void bind_variables(VariableStore& variables);
  void bind_feed(std::size_t input, const std::byte* bytes);

  /// Asks here for each variable before a unit uses it, from the next start on; null: all are there.
  void expect(Arrivals* arrivals) noexcept { arrivals_ = arrivals; }
  /// Asks for the variables that are outputs.
  void wait_for_outputs() const noexcept;

  /// Tells this observer of outputs from the next start on; null: nobody.
  void tell(FetchObserver* observer) noexcept;
  /// Of the next runs, when somebody is told: tells of an output by this number as soon as it is complete.
  void hand_out(std::size_t output, std::size_t number) noexcept;
  /// Does the observer need no copy of the output, which it knows by this number?
  bool is_taken(std::size_t output, std::size_t number) const noexcept;

  /// Gets ready for a run: nothing is committed, no value was bad. `times`, if not null, has room for one of
  /// each unit.
  void start(const RandomState& random, std::stop_token stop, UnitTime* times = nullptr);
  void run_task(std::uint32_t task, std::size_t worker) noexcept override;
  Outcome outcome() const;

  /// Where a place lies. Not for Space::scratch.
  const std::byte* address(const Place& place) const;
  /// The first variable, by Plan::updated, whose update met a gradient that is not finite; any one when a
  /// unit failed after the first update.
  std::optional<std::size_t> first_spoilt() const noexcept;

  /// Called before each task, on its thread.
  void set_before_task(std::function<void(std::size_t)> hook) { before_task_ = std::move(hook); }

 private:
  /// A step ends in one of the last two; the first to leave `running` decides.
  enum class State : std::uint8_t { running, committed, stopped };

  struct Scratch {
    std::byte* memory = nullptr;
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> written;
  };

  /// What is to be done with an output once the last of its units has run.
  struct HandOut {
    std::optional<std::size_t> number;  ///< nothing: nobody asked
    bool taken = false;
    std::atomic<std::uint32_t> units_left = 0;
  };

  void find_variables(VariableStore& variables);
  void find_addresses() noexcept;
  bool run_unit(const Unit& unit, Scratch& scratch) noexcept;
  bool run_timed(std::uint32_t unit, std::size_t worker) noexcept;
  bool run_product(const Unit& unit, const Scratch& scratch) noexcept;
  void note_made(const Unit& unit) noexcept;
  void wait_for_variables(const Unit& unit) noexcept;
  bool fail() noexcept;
  bool stop(Outcome why) noexcept;
  bool commit() noexcept;
  std::byte* resolve(std::uint32_t place, const Scratch& scratch) const noexcept;

  std::shared_ptr<const Plan> plan_;
  std::vector<std::byte*> variables_;
  std::vector<std::byte*> feeds_;
  std::byte* workspace_ = nullptr;
  std::vector<std::byte*> addresses_;  // by place; null: in scratch, or fed
  std::vector<Stretch> soon_;          // by Plan::soon
  std::vector<std::unique_ptr<BoundMatmul>> products_;
  std::vector<std::unique_ptr<CallState>> states_;  // by unit; null where the call needs none
  std::vector<Scratch> scratch_;
  std::deque<std::atomic<bool>> flags_;
  std::deque<HandOut> hand_outs_;      // by output
  FetchObserver* observer_ = nullptr;  // null: nobody is told of outputs
  Arrivals* arrivals_ = nullptr;       // null: all variables are there
  RandomState random_;
  std::stop_token stop_;
  std::function<void(std::size_t)> before_task_;
  UnitTime* times_ = nullptr;  // null: nobody asks
  std::atomic<State> state_ = State::running;
  std::atomic<Outcome> outcome_ = Outcome::done;
};

}  // namespace graphrun::runtime
