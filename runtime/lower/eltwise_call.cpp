#include "runtime/lower/eltwise_call.hpp"

#include <fmt/format.h>

#include "runtime/products/provider.hpp"

namespace graphrun::runtime {
namespace {

struct State final : CallState {
  explicit State(std::unique_ptr<BoundEltwise> given) : function(std::move(given)) {}
  std::unique_ptr<BoundEltwise> function;
};

class EltwiseCall final : public Call {
 public:
  explicit EltwiseCall(std::unique_ptr<Eltwise> function) : function_(std::move(function)) {}

  void run(const CallArguments& a) const noexcept override {
    const auto values = [&](std::size_t i) { return reinterpret_cast<const float*>(a.inputs[i]); };
    const bool ok = static_cast<State&>(*a.state).function->run(
        {values(0), a.inputs.size() > 1 ? values(1) : nullptr, reinterpret_cast<float*>(a.output)});
    if (!ok && a.failed != nullptr) *a.failed = true;
  }
  std::unique_ptr<CallState> bind() const override { return std::make_unique<State>(function_->bind()); }
  std::string warning() const override {
    if (!is_reference_implementation(function_->implementation())) return {};
    return fmt::format("an elementwise function runs on the slow {}", function_->implementation());
  }
  std::string implementation() const override { return function_->implementation(); }

 private:
  std::unique_ptr<Eltwise> function_;
};

}  // namespace

std::unique_ptr<Call> make_eltwise_call(std::unique_ptr<Eltwise> function) {
  return std::make_unique<EltwiseCall>(std::move(function));
}

}  // namespace graphrun::runtime
