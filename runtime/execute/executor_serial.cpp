#include <algorithm>
#include <thread>

#include "runtime/execute/executor.hpp"

namespace graphrun::runtime {
namespace {

class SerialExecutor final : public Executor {
 public:
  std::size_t workers() const override { return 1; }
  void prepare(const Plan&) override {}
  void run(const Plan& plan, TaskRunner& runner, SideWork* side) override {
    for (std::uint32_t task = 0; task < plan.tasks.size(); ++task) runner.run_task(task, 0);
    if (side != nullptr) side->run();
  }
};

}  // namespace

std::unique_ptr<Executor> make_serial_executor() {
  return std::make_unique<SerialExecutor>();
}

std::size_t available_threads() {
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace graphrun::runtime
