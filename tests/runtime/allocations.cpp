// Counts the heap allocations of a training step.
#include "graph/term.hpp"
#include "ops/op.hpp"
#include "runtime/execute/session.hpp"
#include "tests/runtime/network.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/count_allocations.hpp"

#if defined(GRAPHRUN_COUNTS_ALLOCATIONS)

using namespace graphrun;
using namespace graphrun::runtime;
using graphrun::testing::allocations;

namespace {

constexpr int threads = 2;

/// Chains, reductions and updates; no product, whose library allocates on its own account.
std::shared_ptr<const Graph> without_products() {
  Builder builder(ops::registry());
  const Shape wide = {Dim::number(600), Dim::number(600)};
  const Term x(builder,
               builder.add("input", {}, {{"shape", Shape{Dim::batch(), Dim::number(600)}}}, {.name = "x"}));
  const Term w(builder,
               builder.add("param", {}, {{"shape", wide}, {"init", Initializer{"ones", {}}}}, {.name = "w"}));
  const Term rows = call("sum", {call("tanh", {x})}, {{"axis", Axes{false, {0}}}});
  builder.add("sgd_update", {w, call("tanh", {w * rows}), builder.constant(0.1)}, {{"weight_decay", 0.0}});
  builder.output("loss", call("sum", {rows}));
  return std::make_shared<const Graph>(std::move(builder).finish());
}

long allocations_of_steps(ExecutorKind executor) {
  SessionOptions options;
  options.executor = executor;
  options.threads = threads;
  options.lowering.provider = ProviderChoice::tiles;  // oneDNN's primitives allocate on their own account
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
  for (int i = 0; i < 40; ++i) session.run(program, run);
  return allocations.load() - before;
}

}  // namespace

TEST_CASE("a step of our own kernels allocates nothing") {
  CHECK(allocations_of_steps(ExecutorKind::serial) == 0);
  CHECK(allocations_of_steps(ExecutorKind::threads) == 0);
  // OpenMP allocates once for a worker of TBB, when that takes part for the first time, which may be late.
  CHECK(allocations_of_steps(ExecutorKind::tbb) <= threads);
}

#endif
