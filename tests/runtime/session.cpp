#include "runtime/execute/session.hpp"

#include <atomic>
#include <cmath>
#include <limits>
#include <stop_token>

#include "graph/term.hpp"
#include "ops/op.hpp"
#include "tests/runtime/network.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::runtime;
using graphrun::testing::all_values;
using graphrun::testing::autoencoder;
using graphrun::testing::batch_values;
using graphrun::testing::host_variables;
using graphrun::testing::NetworkShape;
using graphrun::testing::thrown;
using graphrun::testing::throws;
using graphrun::testing::train;

namespace {

Session make_session(SessionOptions options = graphrun::testing::usual_options()) {
  return Session(ops::registry(), ops::kernels(), std::move(options));
}

/// Has several tasks.
const NetworkShape large{.widths = {200, 160, 80, 8}};

/// The largest difference between f32 and f64 of losses and variables after some steps.
double difference_from_reference(const NetworkShape& shape, std::int64_t rows, int steps,
                                 const LoweringOptions& lowering = {}) {
  const auto graph = autoencoder(shape);
  SessionOptions options = graphrun::testing::usual_options();
  options.lowering = lowering;
  Session session = make_session(options);
  const ProgramId program = session.add(graph);
  session.variables().initialise(3);
  HostVariables variables = host_variables(session.variables());
  const std::vector<float> losses = train(session, program, rows, shape.widths.front(), steps);
  double worst = 0;
  for (int step = 1; step <= steps; ++step) {
    const auto values = batch_values(rows, shape.widths.front(), static_cast<unsigned>(step), step);
    const auto results =
        interpret(*graph, variables, {rows, values.host(), {1, 1, static_cast<std::uint64_t>(step), 0}});
    const double exact = results[graph->output("loss")].values[0];
    worst = std::max(worst, std::abs(losses[static_cast<std::size_t>(step - 1)] / exact - 1));
  }
  for (const auto* variable : session.variables().all()) {
    const std::vector<double>& exact = variables.at(variable->name).values;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      worst = std::max(worst, std::abs(static_cast<double>(variable->values[i]) - exact[i]));
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("training in f32 follows the f64 reference") {
  for (const std::int64_t rows : {1, 3, 16, 33, 64, 160}) {
    CAPTURE(rows);
    CHECK(difference_from_reference({}, rows, 3) < 2e-5);
  }
  CHECK(difference_from_reference({.activation = "sigmoid", .last = "linear"}, 48, 3) < 2e-5);
  CHECK(difference_from_reference({.activation = "softplus", .noise = true}, 48, 3) < 2e-5);
  CHECK(difference_from_reference({.widths = {40, 600, 3}, .activation = "gelu"}, 48, 2) < 2e-5);
}

TEST_CASE("every optimisation can be switched off") {
  for (int off = 0; off < 8; ++off) {
    LoweringOptions options;
    options.fusion = off != 0;
    options.post_ops = off != 1;
    options.slicing = off != 2;
    options.memory_sharing = off != 3;
    options.keep_values = off == 4;
    if (off == 5) options.provider = ProviderChoice::onednn;
    if (off == 7) options.provider = ProviderChoice::tiles;
    options.fused_update = off != 6;
    CAPTURE(off);
    CHECK(difference_from_reference({.noise = true}, 64, 3, options) < 2e-5);
  }
}

TEST_CASE("a value that is not finite stops the step before anything changes, and its node is named") {
  const auto graph = autoencoder({});
  Session session = make_session();
  const ProgramId program = session.add(graph);
  session.variables().initialise(1);
  train(session, program, 32, 48, 2);
  const std::vector<float> before = all_values(session.variables());
  auto values = batch_values(32, 48, 1);
  std::vector<float> x(32 * 48, 0.5F);
  x[48 * 3 + 7] = std::numeric_limits<float>::infinity();
  values.set("x", {32, 48}, x);
  const auto feeds = values.feeds();
  const Run run{.batch = 32, .feeds = feeds, .fetches = {}, .random = {}, .stop = {}};
  const auto error = thrown([&] { session.run(program, run); });
  REQUIRE(error.has_value());
  CHECK(error->code() == ErrorCode::not_finite);
  CHECK(error->node() == "x");
  CHECK(error->message().find("the input holds infinity at [3, 7] of f32[batch, 48]") != std::string::npos);
  CHECK((all_values(session.variables()) == before));

  session.variables().get("layer.2.w").values[5] = std::numeric_limits<float>::quiet_NaN();
  values = batch_values(32, 48, 1);
  const auto good = values.feeds();
  const auto second = thrown(
      [&] { session.run(program, {.batch = 32, .feeds = good, .fetches = {}, .random = {}, .stop = {}}); });
  REQUIRE(second.has_value());
  CHECK(second->node() == "layer.2.w");
  CHECK(second->message().find("the parameter holds NaN at [2, 1]") != std::string::npos);
}

TEST_CASE("the op that makes the first infinity is named, with relu on the way too") {
  Builder builder(ops::registry());
  const Term x(builder, builder.add("input", {}, {{"shape", Shape{Dim::batch()}}}, {.name = "x"}));
  const Term big = call("exp", {call("relu", {x})}, {}, {.name = "big"});
  const Term loss = call("sum", {call("square", {big})});
  builder.add("check_finite", {loss});
  builder.output("loss", loss);
  Session session = make_session();
  const ProgramId program = session.add(std::make_shared<const Graph>(std::move(builder).finish()));
  const std::vector<float> values = {1, 100, 2};
  const Feed feed{"x", std::as_bytes(std::span(values))};
  const auto error = thrown([&] {
    session.run(program, {.batch = 3, .feeds = std::span(&feed, 1), .fetches = {}, .random = {}, .stop = {}});
  });
  REQUIRE(error.has_value());
  CHECK(error->node() == "big");
  CHECK(error->message() == "exp made the first value that is not finite: infinity at [1] of f32[batch]");
}

TEST_CASE("a gradient that is not finite is reported for its variable") {
  // The loss is finite, its slope 1 / (2 sqrt(w)) at 0 is not.
  Builder builder(ops::registry());
  const NodeId w =
      builder.add("param", {}, {{"shape", Shape{}}, {"init", Initializer{"zeros", {}}}}, {.name = "w"});
  const Term slope = 0.5 / call("sqrt", {Term(builder, w)});
  builder.add("sgd_update", {w, slope, builder.constant(0.1)}, {{"weight_decay", 0.0}});
  Session session = make_session();
  const ProgramId program = session.add(std::make_shared<const Graph>(std::move(builder).finish()));
  session.variables().initialise(1);
  session.run(program, {.batch = 1, .feeds = {}, .fetches = {}, .random = {}, .stop = {}});
  REQUIRE(session.spoilt() != nullptr);
  CHECK(*session.spoilt() == "w");
  session.forget_spoilt();
  CHECK(session.spoilt() == nullptr);
}

TEST_CASE("a run that is stopped before its first update changes nothing, and the next one is right") {
  for (const ExecutorKind executor : {ExecutorKind::serial, ExecutorKind::threads, ExecutorKind::tbb}) {
    Session expected = make_session();
    const auto graph = autoencoder(large);
    const ProgramId reference = expected.add(graph);
    expected.variables().initialise(1);
    const auto losses = train(expected, reference, 64, 200, 1);

    std::stop_source stop;
    SessionOptions options = graphrun::testing::usual_options();
    options.executor = executor;
    options.threads = 2;
    std::atomic<bool> armed = false;
    options.before_task = [&](std::size_t task) {
      if (armed && task == 1) stop.request_stop();
    };
    Session session = make_session(options);
    const ProgramId program = session.add(graph);
    session.variables().initialise(1);
    const std::vector<float> before = all_values(session.variables());
    const auto values = batch_values(64, 200, 1);
    const auto feeds = values.feeds();
    armed = true;
    const auto run = [&] {
      session.run(program,
                  {.batch = 64, .feeds = feeds, .fetches = {}, .random = {}, .stop = stop.get_token()});
    };
    CHECK(throws(run, ErrorCode::cancelled, "no variable has changed"));
    CHECK((all_values(session.variables()) == before));
    armed = false;
    CHECK(train(session, program, 64, 200, 1) == losses);
    CHECK((all_values(session.variables()) == all_values(expected.variables())));
  }
}

TEST_CASE("a stop after the first update lets the step finish") {
  const auto graph = autoencoder(large);
  Session expected = make_session();
  const ProgramId reference = expected.add(graph);
  expected.variables().initialise(1);
  train(expected, reference, 64, 200, 1);

  std::stop_source stop;
  const Plan* plan = nullptr;
  SessionOptions options = graphrun::testing::usual_options();
  options.executor = ExecutorKind::serial;
  bool updated = false;
  options.before_task = [&](std::size_t task) {
    if (plan == nullptr) return;
    if (updated) stop.request_stop();
    const Task& record = plan->tasks[task];
    for (std::uint32_t i = 0; i < record.units; ++i) {
      updated = updated || plan->units[record.first_unit + i].role == UnitRole::update;
    }
  };
  Session session = make_session(options);
  const ProgramId program = session.add(graph);
  session.variables().initialise(1);
  plan = &session.prepare(program, 64);
  const auto values = batch_values(64, 200, 1);
  const auto feeds = values.feeds();
  session.run(program,
              {.batch = 64, .feeds = feeds, .fetches = {}, .random = {1, 1, 1, 0}, .stop = stop.get_token()});
  REQUIRE(stop.stop_requested());
  CHECK((all_values(session.variables()) == all_values(expected.variables())));
}

TEST_CASE("a run that makes no sense is explained") {
  Session session = make_session();
  const ProgramId program = session.add(autoencoder({}));
  const auto values = batch_values(4, 48, 1);
  const auto feeds = values.feeds();
  const auto run = [&](std::int64_t batch, std::span<const Feed> given, std::span<const Fetch> fetches = {}) {
    session.run(program, {.batch = batch, .feeds = given, .fetches = fetches, .random = {}, .stop = {}});
  };
  CHECK(throws([&] { run(4, feeds); }, ErrorCode::usage, "this variable has no value yet"));
  session.variables().initialise(1);
  CHECK(throws([&] { run(0, feeds); }, ErrorCode::usage, "the batch must be at least 1, not 0"));
  CHECK(throws([&] { run(4, {}); }, ErrorCode::usage, "this input is not fed; the program needs 'x'"));
  CHECK(throws([&] { run(5, feeds); }, ErrorCode::usage, "it is fed 768 bytes, but is f32[5, 48]"));
  std::vector<float> image(3);
  const Fetch unknown{"code", {}};
  CHECK(throws([&] { run(4, feeds, std::span(&unknown, 1)); }, ErrorCode::usage,
               "there is no output 'code'; there are 'loss', 'image'"));
  const Fetch small{"image", std::as_writable_bytes(std::span(image))};
  CHECK(throws([&] { run(4, feeds, std::span(&small, 1)); }, ErrorCode::usage, "takes 768 bytes, not 12"));
  CHECK(throws([&] { session.prepare(7, 1); }, ErrorCode::usage, "there is no program 7"));
  SessionOptions negative = graphrun::testing::usual_options();
  negative.threads = -1;
  CHECK(throws([&] { make_session(negative); }, ErrorCode::usage, "must not be -1"));
}

TEST_CASE("a plan that needs more than the limit is refused before it is allocated") {
  SessionOptions options = graphrun::testing::usual_options();
  options.max_bytes = 1000;
  Session session = make_session(options);
  const ProgramId program = session.add(autoencoder({}));
  CHECK(throws([&] { session.prepare(program, 1 << 20); }, ErrorCode::memory, "and 1000 are allowed"));
}

TEST_CASE("a session whose workspace was given back goes on to the same bits") {
  std::vector<std::vector<float>> values;
  for (const bool give_back : {false, true}) {
    Session session = make_session();
    session.give_back_workspace();  // there is none yet
    const ProgramId program = session.add(autoencoder({.widths = {784, 600, 30}}));
    session.variables().initialise(3);
    train(session, program, 128, 784, 2);
    if (give_back) session.give_back_workspace();
    train(session, program, 128, 784, 2);
    values.push_back(all_values(session.variables()));
  }
  CHECK(values[0] == values[1]);
}

TEST_CASE("two programs share variables, and plans of several sizes one workspace") {
  Session session = make_session();
  const ProgramId training = session.add(autoencoder({}));
  NetworkShape forward;
  forward.training = false;
  const ProgramId evaluation = session.add(autoencoder(forward));
  session.variables().initialise(1);
  const auto evaluate = [&](std::int64_t rows) {
    float loss = 0;
    const Fetch fetch{"loss", std::as_writable_bytes(std::span(&loss, 1))};
    const auto values = batch_values(rows, 48, 9);
    const auto feeds = values.feeds();
    session.run(evaluation,
                {.batch = rows, .feeds = feeds, .fetches = std::span(&fetch, 1), .random = {}, .stop = {}});
    return loss;
  };
  const float first = evaluate(16);
  train(session, training, 64, 48, 20);
  CHECK(evaluate(500) > 0);
  CHECK(evaluate(16) < first);
}

TEST_CASE("plans of many batch sizes are forgotten in the end, and made again when they are needed") {
  NetworkShape forward{.widths = {200, 160, 8}};
  forward.training = false;
  for (const ExecutorKind executor : {ExecutorKind::serial, ExecutorKind::threads, ExecutorKind::tbb}) {
    SessionOptions options = graphrun::testing::usual_options();
    options.executor = executor;
    options.threads = 2;
    Session session = make_session(options);
    const auto graph = autoencoder(forward);  // each plan holds it
    const ProgramId program = session.add(graph);
    session.variables().initialise(1);
    const auto loss_of = [&](std::int64_t rows) {
      float loss = 0;
      const Fetch fetch{"loss", std::as_writable_bytes(std::span(&loss, 1))};
      const auto values = batch_values(rows, 200, 9);
      const auto feeds = values.feeds();
      session.run(program,
                  {.batch = rows, .feeds = feeds, .fetches = std::span(&fetch, 1), .random = {}, .stop = {}});
      return loss;
    };
    const long before = graph.use_count();
    std::vector<float> losses;
    for (std::int64_t rows = 60; rows < 140; ++rows) losses.push_back(loss_of(rows));
    CHECK(graph.use_count() == before + static_cast<long>(most_plans_of_a_program));
    for (std::int64_t rows = 60; rows < 140; ++rows)
      CHECK(loss_of(rows) == losses[static_cast<std::size_t>(rows - 60)]);
    // One that is used again and again stays.
    const Plan& kept = session.prepare(program, 60);
    for (std::int64_t rows = 200; rows < 280; ++rows) {
      loss_of(rows);
      REQUIRE(&session.prepare(program, 60) == &kept);
    }
  }
}

TEST_CASE("the plan says what it costs") {
  Session session = make_session();
  const ProgramId program = session.add(autoencoder({}));
  const Plan& plan = session.prepare(program, 64);
  CHECK(plan.warnings.empty());
  CHECK(plan.statistics.parameters ==
        48 * 33 + 33 + 33 * 17 + 17 + 17 * 2 + 2 + 2 * 17 + 17 + 17 * 33 + 33 + 33 * 48 + 48);
  const double products = 2.0 * 64 * (3 * 2 * (48 * 33 + 33 * 17 + 17 * 2) - 48 * 33);
  CHECK(plan.statistics.flop_per_step > products);
  CHECK(plan.statistics.flop_per_step < 1.6 * products);
  CHECK(plan.statistics.tasks > 0);
  CHECK(plan.statistics.workspace_bytes > 0);
  CHECK(&session.prepare(program, 64) == &plan);
}

TEST_CASE("a batch beyond all memory is refused, not tried") {
  Session session = make_session();
  const ProgramId program = session.add(autoencoder({}));
  const auto error = thrown([&] { session.prepare(program, std::int64_t{1} << 44); });
  REQUIRE(error.has_value());
  CHECK(error->code() == ErrorCode::memory);
  CHECK(error->message().find("a smaller batch needs less") != std::string::npos);
  CHECK(throws([&] { session.prepare(program, std::int64_t{1} << 62); }, ErrorCode::model, ""));
}
