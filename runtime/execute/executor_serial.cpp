#include "runtime/execute/executors.hpp"

namespace graphrun::runtime {
namespace {

class SerialPlan final : public PreparedPlan {
 public:
  explicit SerialPlan(const Plan& plan) : plan_(plan) {}
  void run(TaskRunner& runner, SideWork* side) noexcept override { run_serially(plan_, runner, side); }

 private:
  const Plan& plan_;
};

class SerialExecutor final : public Executor {
 public:
  std::size_t workers() const override { return 1; }
  std::unique_ptr<PreparedPlan> prepare(const Plan& plan) override {
    return std::make_unique<SerialPlan>(plan);
  }
};

}  // namespace

void run_serially(const Plan& plan, TaskRunner& runner, SideWork* side) noexcept {
  for (std::uint32_t task = 0; task < plan.tasks.size(); ++task) runner.run_task(task, 0);
  if (side != nullptr) side->run();
}

std::unique_ptr<Executor> make_serial_executor() {
  return std::make_unique<SerialExecutor>();
}

}  // namespace graphrun::runtime
