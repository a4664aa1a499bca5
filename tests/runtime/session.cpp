#include "runtime/session.hpp"

#include <cmath>
#include <limits>
#include <thread>

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
using graphrun::testing::NetworkSpec;
using graphrun::testing::thrown;
using graphrun::testing::throws;
using graphrun::testing::train;

namespace {

Session make_session(SessionOptions options = {}) {
  return Session(ops::registry(), ops::kernels(), std::move(options));
}

/// The largest difference between f32 and f64 of losses and variables after some steps.
double difference_from_reference(const NetworkSpec& spec, std::int64_t rows, int steps,
                                 const LoweringOptions& lowering = {}) {
  const auto graph = autoencoder(spec);
  SessionOptions options;
  options.lowering = lowering;
  Session session = make_session(options);
  const ProgramId program = session.add(graph);
  session.variables().initialise(3);
  HostVariables variables = host_variables(session.variables());
  const std::vector<float> losses = train(session, program, rows, spec.widths.front(), steps);
  double worst = 0;
  for (int step = 1; step <= steps; ++step) {
    const auto values = batch_values(rows, spec.widths.front(), static_cast<unsigned>(step), step);
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
  for (int off = 0; off < 5; ++off) {
    LoweringOptions options;
    options.fusion = off != 0;
    options.post_ops = off != 1;
    options.slicing = off != 2;
    options.memory_sharing = off != 3;
    options.keep_values = off == 4;
    CAPTURE(off);
    CHECK(difference_from_reference({.noise = true}, 64, 3, options) < 2e-5);
  }
}
