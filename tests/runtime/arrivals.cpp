// What comes and goes while a session runs: outputs that somebody is told of, variables that are on their
// way.
#include <mutex>

#include "graph/term.hpp"
#include "ops/op.hpp"
#include "runtime/execute/session.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;
using namespace graphrun::runtime;

TEST_CASE("who asks is told of each output while the run goes on, and may do without a copy") {
  /// Keeps what was in the outputs, and takes one of them as it lies.
  struct Observer final : FetchObserver {
    std::vector<std::vector<std::byte>> seen;
    std::span<const std::byte> taken;
    std::mutex mutex;
    bool on_made(std::size_t fetch, std::span<const std::byte> made) noexcept override {
      const std::lock_guard lock(mutex);
      seen[fetch].assign(made.begin(), made.end());
      if (fetch == 1) taken = made;
      return fetch == 1;
    }
  };
  Builder builder(ops::registry());
  const Term x(builder,
               builder.add("input", {}, {{"shape", Shape{Dim::batch(), Dim::number(300)}}}, {.name = "x"}));
  const Term w(builder, builder.add("param", {}, {{"shape", Shape{Dim::number(300), Dim::number(200)}}},
                                    {.name = "w"}));
  const Term y = call("tanh", {call("matmul", {x, w})});
  builder.output("y", y);
  builder.output("gradient", call("matmul", {x, y}, {{"transpose_a", true}}));
  builder.output("sum", call("sum", {y}));
  builder.output("w", w);
  const auto graph = std::make_shared<const Graph>(std::move(builder).finish());
  for (const ExecutorKind executor : {ExecutorKind::serial, ExecutorKind::threads, ExecutorKind::tbb}) {
    SessionOptions options;
    options.threads = 3;
    options.executor = executor;
    Session session(ops::registry(), ops::kernels(), options);
    const ProgramId program = session.add(graph);
    session.variables().initialise(1);
    const std::vector<float> rows(500 * 300, 0.01F);
    const Feed feed{"x", std::as_bytes(std::span(rows))};
    std::vector<std::vector<float>> values = {std::vector<float>(500 * 200), std::vector<float>(300 * 200),
                                              std::vector<float>(1), std::vector<float>(300 * 200)};
    std::vector<Fetch> fetches = {{"y", {}}, {"gradient", {}}, {"sum", {}}, {"w", {}}};
    for (std::size_t i = 0; i < values.size(); ++i)
      fetches[i].bytes = std::as_writable_bytes(std::span(values[i]));
    Observer observer;
    observer.seen.resize(fetches.size());
    Run run{.batch = 500, .feeds = std::span(&feed, 1), .fetches = fetches, .random = {}, .stop = {}};
    session.run(program, run);
    std::vector<std::vector<float>> expected = values;
    for (std::vector<float>& each : values) std::ranges::fill(each, 0.0F);
    run.observer = &observer;
    session.run(program, run);
    for (std::size_t i = 0; i < 3; ++i) {
      const auto bytes = std::as_bytes(std::span(expected[i]));
      CHECK(std::ranges::equal(observer.seen[i], bytes));
    }
    CHECK(std::ranges::equal(observer.taken, std::as_bytes(std::span(expected[1]))));  // still there
    std::ranges::fill(expected[1], 0.0F);                                              // and not copied
    CHECK(values == expected);
    CHECK(observer.seen[3].empty());  // a variable: no kernel makes it
  }
}

TEST_CASE("a variable that is on its way is waited for by who uses it first, and by all who do not ask") {
  /// Gives a variable its values when it is waited for, and not before.
  struct Late final : Arrivals {
    std::vector<std::span<float>> variables;
    std::vector<bool> there;
    int waited_for_all = 0;
    std::mutex mutex;
    void give(std::size_t i) {
      if (!there[i]) std::ranges::fill(variables[i], static_cast<float>(i + 2));
      there[i] = true;
    }
    void wait_for(const std::byte* values) noexcept override {
      const std::lock_guard lock(mutex);
      for (std::size_t i = 0; i < variables.size(); ++i)
        if (reinterpret_cast<const std::byte*>(variables[i].data()) == values) give(i);
    }
    void wait_for_all() override {
      ++waited_for_all;
      for (std::size_t i = 0; i < variables.size(); ++i) give(i);
    }
  };
  Builder builder(ops::registry());
  const auto variable = [&](const char* name, std::int64_t rows, std::int64_t columns) {
    return Term(builder, builder.add("param", {}, {{"shape", Shape{Dim::number(rows), Dim::number(columns)}}},
                                     {.name = name}));
  };
  const Term x(builder,
               builder.add("input", {}, {{"shape", Shape{Dim::batch(), Dim::number(300)}}}, {.name = "x"}));
  const Term w = variable("w", 300, 200);
  builder.output("y", call("matmul", {call("matmul", {x, w}), variable("v", 200, 100)}));
  builder.output("read", variable("read", 1, 8));
  variable("unused", 1, 8);
  const auto graph = std::make_shared<const Graph>(std::move(builder).finish());
  for (const ExecutorKind executor : {ExecutorKind::serial, ExecutorKind::threads, ExecutorKind::tbb}) {
    SessionOptions options;
    options.threads = 3;
    options.executor = executor;
    Session session(ops::registry(), ops::kernels(), options);
    const ProgramId program = session.add(graph);
    session.variables().initialise(1);
    const auto late = std::make_shared<Late>();
    for (const char* const name : {"w", "v", "read", "unused"})
      late->variables.push_back(session.variables().get(name).values);
    late->there.resize(4);
    const std::vector<float> rows(500 * 300, 1.0F);
    const Feed feed{"x", std::as_bytes(std::span(rows))};
    std::vector<float> y(500 * 100);
    std::vector<float> read(8);
    const std::vector<Fetch> fetches = {{"y", std::as_writable_bytes(std::span(y))},
                                        {"read", std::as_writable_bytes(std::span(read))}};
    Run run{.batch = 500, .feeds = std::span(&feed, 1), .fetches = fetches, .random = {}, .stop = {}};
    run.arrivals = late.get();
    session.expect(late);
    session.run(program, run);
    CHECK(late->waited_for_all == 0);
    CHECK(late->there == std::vector<bool>{true, true, true, false});
    CHECK(y == std::vector<float>(y.size(), 300.0F * 2 * 200 * 3));
    CHECK(read == std::vector<float>(8, 4.0F));
    run.arrivals = nullptr;
    session.run(program, run);
    CHECK(late->waited_for_all == 1);
    session.variables();
    CHECK(late->waited_for_all == 1);
    session.expect(late);
    session.variables();
    CHECK(late->waited_for_all == 2);
    session.expect(late);
    session.expect(std::make_shared<Late>());
    CHECK(late->waited_for_all == 3);
  }
}
