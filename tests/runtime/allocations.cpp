// Counts the heap allocations of a training step.
#include <atomic>
#include <cstdlib>
#include <new>

#include "graph/term.hpp"
#include "ops/op.hpp"
#include "runtime/session.hpp"
#include "tests/runtime/network.hpp"
#include "tests/support/catch.hpp"

// Sanitizers bring their own allocator.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

// GCC inlines the operators below into their callers and then no longer knows that they are a pair.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace {
std::atomic<long> allocations = 0;

void* allocate(std::size_t bytes, std::size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, bytes == 0 ? 1 : bytes) != 0) throw std::bad_alloc();
  return memory;
}
}  // namespace

void* operator new(std::size_t bytes) {
  return allocate(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

using namespace graphrun;
using namespace graphrun::runtime;

namespace {

/// Chains, reductions and updates; no product, whose library allocates on its own account.
std::shared_ptr<const Graph> without_products() {
  Builder builder(ops::registry());
  const Shape wide = {Dim::number(600), Dim::number(600)};
  const Term x(builder,
               builder.add("input", {}, {{"shape", Shape{Dim::batch(), Dim::number(600)}}}, {.name = "x"}));
  const Term w(builder,
               builder.add("param", {}, {{"shape", wide}, {"init", Initializer{"ones", {}}}}, {.name = "w"}));
  const Term rows = call("sum", {call("tanh", {x})}, {{"axis", Axes{false, {0}}}});
  builder.add("sgd_update", {w, call("tanh", {w * rows}), builder.constant(0.1)});
  builder.output("loss", call("sum", {rows}));
  return std::make_shared<const Graph>(std::move(builder).finish());
}

long allocations_of_a_step(ExecutorKind executor) {
  SessionOptions options;
  options.executor = executor;
  options.threads = 2;
  Session session(ops::registry(), ops::kernels(), options);
  const ProgramId program = session.add(without_products());
  session.variables().initialise(1);
  const auto values = graphrun::testing::batch_values(256, 600, 1);
  const auto feeds = values.feeds();
  float loss = 0;
  const Fetch fetch{"loss", std::as_writable_bytes(std::span(&loss, 1))};
  const Run run{.batch = 256, .feeds = feeds, .fetches = std::span(&fetch, 1), .random = {}, .stop = {}};
  for (int i = 0; i < 3; ++i) session.run(program, run);
  const long before = allocations.load();
  for (int i = 0; i < 5; ++i) session.run(program, run);
  return allocations.load() - before;
}

}  // namespace

TEST_CASE("a step allocates nothing") {
  CHECK(allocations_of_a_step(ExecutorKind::serial) == 0);
  CHECK(allocations_of_a_step(ExecutorKind::threads) == 0);
  CHECK(allocations_of_a_step(ExecutorKind::tbb) == 0);
}

#endif
