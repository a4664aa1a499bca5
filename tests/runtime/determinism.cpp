// The same bits from every executor, at any number of threads, in any order of tasks, with memory shared or
// not, and whatever the memory held before. What ThreadSanitizer watches first of all.
#include <atomic>
#include <chrono>
#include <random>
#include <set>
#include <thread>

#include "ops/op.hpp"
#include "runtime/execute/session.hpp"
#include "runtime/products/tiled_matmul.hpp"
#include "tests/runtime/network.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/provider.hpp"
#include "tests/support/same_bits.hpp"

using namespace graphrun;
using namespace graphrun::runtime;
using graphrun::testing::all_values;
using graphrun::testing::autoencoder;
using graphrun::testing::NetworkShape;
using graphrun::testing::same_bits;

namespace {

constexpr std::int64_t rows = 96;

/// Large enough to be cut into slices and shared between threads.
const NetworkShape network{.widths = {128, 96, 40, 8}, .noise = true};

SessionOptions with(ExecutorKind executor, int threads) {
  SessionOptions options;
  options.executor = executor;
  options.threads = threads;
  return options;
}

std::vector<float> trained(SessionOptions options, int steps, const NetworkShape& shape = network,
                           std::int64_t batch = rows) {
  return graphrun::testing::trained(shape, std::move(options), batch, steps);
}

/// Makes tasks end in another order each time.
std::function<void(std::size_t)> random_delays(unsigned seed) {
  auto state = std::make_shared<std::atomic<unsigned>>(seed);
  return [state](std::size_t) {
    std::minstd_rand generator(state->fetch_add(7919));
    const auto microseconds = static_cast<int>(generator() % 200);
    if (microseconds < 100) std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
  };
}

}  // namespace

/// In a process of its own, as every test has one: later oneDNN is there before the threads are.
TEST_CASE("threads that are there before oneDNN is opened run its products on one thread each") {
  const NetworkShape wide{.widths = {784, 300, 20}};
  const auto with_onednn = [](ExecutorKind executor, int threads) {
    SessionOptions options = with(executor, threads);
    options.lowering.provider = ProviderChoice::onednn;
    return options;
  };
  const std::vector<float> together = trained(with_onednn(ExecutorKind::threads, 3), 3, wide, 64);
  CHECK(same_bits(together, trained(with_onednn(ExecutorKind::serial, 1), 3, wide, 64)));
}

TEST_CASE("the plan of the test network has slices and parallel tasks") {
  Session session(ops::registry(), ops::kernels(), with(ExecutorKind::serial, 1));
  const Plan& plan = session.prepare(session.add(autoencoder(network)), rows);
  CHECK(plan.statistics.slices == 2);
  CHECK(plan.statistics.max_parallelism >= 2);
  CHECK_FALSE(plan.serial);
}

TEST_CASE("serial, threads and TBB give the same bits at any number of threads") {
  constexpr int steps = 200;
  const std::vector<float> expected = trained(with(ExecutorKind::serial, 1), steps);
  for (const int threads : {1, 2, 3, 4, 8}) {
    CAPTURE(threads);
    CHECK(same_bits(trained(with(ExecutorKind::threads, threads), steps), expected));
    CHECK(same_bits(trained(with(ExecutorKind::tbb, threads), steps), expected));
  }
}

TEST_CASE("plans that are cut for 1 to 16 workers give the same bits") {
  constexpr int steps = 3;
  for (const bool clip : {false, true}) {
    const NetworkShape wide{.widths = {300, 500, 33}, .noise = true, .clip_norm = clip};
    const std::vector<float> expected = trained(with(ExecutorKind::serial, 1), steps, wide, 272);
    std::set<std::size_t> slices;
    for (int threads = 1; threads <= 16; ++threads) {
      CAPTURE(clip, threads);
      SessionOptions options = with(ExecutorKind::threads, threads);
      Session session(ops::registry(), ops::kernels(), options);
      slices.insert(session.prepare(session.add(autoencoder(wide)), 272).statistics.slices);
      CHECK(same_bits(trained(options, steps, wide, 272), expected));
    }
    CHECK((slices.size() >= 8) == graphrun::testing::products_in_tiles());
  }
}

TEST_CASE("tasks that are delayed at random give the same bits") {
  constexpr int steps = 6;
  const std::vector<float> expected = trained(with(ExecutorKind::serial, 1), steps);
  for (unsigned seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    SessionOptions threads = with(ExecutorKind::threads, 4);
    threads.before_task = random_delays(seed);
    CHECK(same_bits(trained(threads, steps), expected));
    SessionOptions tbb = with(ExecutorKind::tbb, 2);
    tbb.before_task = random_delays(seed);
    CHECK(same_bits(trained(tbb, steps), expected));
  }
}

TEST_CASE("slices, fused updates and the instruction set change no bit where products run in tiles") {
  if (!graphrun::testing::products_in_tiles()) return;
  constexpr int steps = 5;
  const NetworkShape wide{.widths = {130, 601, 33}, .noise = true};
  const std::vector<float> expected = trained(with(ExecutorKind::serial, 1), steps, wide);
  for (const ExecutorKind executor : {ExecutorKind::serial, ExecutorKind::threads}) {
    SessionOptions whole = with(executor, 3);
    whole.lowering.slicing = false;
    CHECK(same_bits(trained(whole, steps, wide), expected));
    SessionOptions apart = with(executor, 3);
    apart.lowering.fused_update = false;
    CHECK(same_bits(trained(apart, steps, wide), expected));
    SessionOptions narrow_vectors = with(executor, 3);
    narrow_vectors.lowering.isa = Isa::avx2;
    CHECK(same_bits(trained(narrow_vectors, steps, wide), expected));
  }
}

TEST_CASE("sharing memory changes no bit, nor does what the memory held before") {
  constexpr int steps = 4;
  for (const bool clip : {false, true}) {
    NetworkShape shape = network;
    shape.clip_norm = clip;
    const std::vector<float> expected = trained(with(ExecutorKind::serial, 1), steps, shape);
    SessionOptions separate = with(ExecutorKind::threads, 4);
    separate.lowering.memory_sharing = false;
    CHECK(same_bits(trained(separate, steps, shape), expected));
    for (const ExecutorKind executor : {ExecutorKind::serial, ExecutorKind::threads}) {
      SessionOptions poisoned = with(executor, 3);
      poisoned.poison_workspace = true;
      CHECK(same_bits(trained(poisoned, steps, shape), expected));
    }
  }
}

TEST_CASE("side work is done once while a run lasts, and changes no bit of it") {
  class Counter final : public SideWork {
   public:
    void run() noexcept override {
      // Long enough that a run which did not wait for it would return before.
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      ++done;
      on_caller = std::this_thread::get_id() == caller;
    }
    std::thread::id caller = std::this_thread::get_id();
    int done = 0;  // not atomic: what has run before the end of a run is seen after it
    bool on_caller = false;
  };
  const auto values = graphrun::testing::batch_values(rows, network.widths.front(), 1);
  const auto feeds = values.feeds();
  const auto once = [&](SessionOptions options, SideWork* side) {
    Session session(ops::registry(), ops::kernels(), std::move(options));
    const ProgramId program = session.add(autoencoder(network));
    session.variables().initialise(5);
    session.run(program,
                {.batch = rows, .feeds = feeds, .fetches = {}, .random = {}, .stop = {}, .side = side});
    return all_values(session.variables());
  };
  const std::vector<float> expected = once(with(ExecutorKind::serial, 1), nullptr);
  for (const ExecutorKind executor : {ExecutorKind::serial, ExecutorKind::threads, ExecutorKind::tbb}) {
    for (const int threads : {1, 2, 4}) {
      CAPTURE(static_cast<int>(executor), threads);
      Counter counter;
      CHECK(same_bits(once(with(executor, threads), &counter), expected));
      CHECK(counter.done == 1);
      if (threads == 1) CHECK(counter.on_caller);
    }
  }
}

TEST_CASE("side work is done when a run is stopped, too") {
  class Counter final : public SideWork {
   public:
    void run() noexcept override { ++done; }
    int done = 0;
  };
  const auto values = graphrun::testing::batch_values(rows, network.widths.front(), 1);
  const auto feeds = values.feeds();
  std::stop_source stop;
  stop.request_stop();
  for (const ExecutorKind executor : {ExecutorKind::serial, ExecutorKind::threads, ExecutorKind::tbb}) {
    Session session(ops::registry(), ops::kernels(), with(executor, 2));
    const ProgramId program = session.add(autoencoder(network));
    session.variables().initialise(5);
    Counter counter;
    CHECK_THROWS_AS(session.run(program, {.batch = rows,
                                          .feeds = feeds,
                                          .fetches = {},
                                          .random = {},
                                          .stop = stop.get_token(),
                                          .side = &counter}),
                    Error);
    CHECK(counter.done == 1);
  }
}

TEST_CASE("two sessions in two threads do not disturb each other") {
  constexpr int steps = 10;
  const std::vector<float> expected = trained(with(ExecutorKind::serial, 1), steps);
  for (const ExecutorKind executor : {ExecutorKind::threads, ExecutorKind::tbb}) {
    std::vector<float> first;
    std::vector<float> second;
    std::thread one([&] { first = trained(with(executor, 2), steps); });
    std::thread two([&] { second = trained(with(executor, 2), steps); });
    one.join();
    two.join();
    CHECK(same_bits(first, expected));
    CHECK(same_bits(second, expected));
  }
}

TEST_CASE("what the host had set is as it was after a run") {
  const auto before = trained(with(ExecutorKind::tbb, 2), 1);
  volatile float denormal = 1e-40F;
  CHECK(denormal * 0.5F > 0);  // not flushed
  CHECK(same_bits(trained(with(ExecutorKind::tbb, 2), 1), before));
}
