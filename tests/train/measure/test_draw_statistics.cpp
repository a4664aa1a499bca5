// Confidence intervals and paired differences against numbers worked out by hand.
#include <array>
#include <cmath>

#include "tests/support/catch.hpp"
#include "train/learn/early_stop.hpp"
#include "train/measure/draw_statistics.hpp"

using namespace graphrun;
using namespace graphrun::train;

namespace {

TrainRecipe two_phases() {
  TrainRecipe train;
  PhaseRecipe scratch;
  scratch.name = "scratch";
  scratch.draws = 3;
  PhaseRecipe tuned = scratch;
  tuned.name = "tuned";
  tuned.same_as = "scratch";
  train.phases = {scratch, tuned};
  return train;
}

}  // namespace

TEST_CASE("Student's quantiles are those of the tables") {
  CHECK(t_quantile_975(1) == Approx(12.7062).epsilon(1e-5));
  CHECK(t_quantile_975(19) == Approx(2.0930).epsilon(1e-4));
  CHECK(t_quantile_975(31) == Approx(2.0395).epsilon(2e-4));
  CHECK(t_quantile_975(60) == Approx(2.0003).epsilon(2e-4));
  CHECK(t_quantile_975(1000) == Approx(1.9623).epsilon(2e-4));
  CHECK(std::isnan(t_quantile_975(0)));
}

TEST_CASE("an estimate has the half width of a 95 % interval") {
  // Standard deviation 2, standard error 2 / sqrt(4) = 1, three degrees of freedom.
  const std::array<double, 4> values = {1, 1, 1 + 2 * std::sqrt(3.0), 1};
  const Estimate found = estimate("x", values);
  double squares = 0;
  for (const double value : values) squares += (value - found.mean) * (value - found.mean);
  CHECK(found.half_width == Approx(3.1824 * std::sqrt(squares / 3 / 4)));
  CHECK(estimate("x", std::array<double, 2>{5, 5}).half_width == 0);
  CHECK(std::isnan(estimate("x", std::array<double, 1>{5}).half_width));
}

TEST_CASE("differences are taken pair by pair") {
  const std::vector<PhaseResult> results = {
      {"scratch", 0, {{"accuracy", 0.60}, {"loss", 2}}}, {"scratch", 1, {{"accuracy", 0.70}, {"loss", 3}}},
      {"scratch", 2, {{"accuracy", 0.50}, {"loss", 4}}}, {"tuned", 0, {{"accuracy", 0.65}, {"loss", 1}}},
      {"tuned", 1, {{"accuracy", 0.75}, {"loss", 2}}},   {"tuned", 2, {{"accuracy", 0.55}, {"loss", 3}}}};
  const TrainRecipe train = two_phases();
  const std::vector<PhaseSummary> phases = summaries(train, results);
  REQUIRE(phases.size() == 2);
  CHECK(phases[0].draws == 3);
  CHECK(phases[0].figures[0].mean == Approx(0.6));
  CHECK(phases[0].figures[0].half_width == Approx(4.3027 * 0.1 / std::sqrt(3.0)));
  const std::vector<PhaseDifference> pairs = differences(train, results);
  REQUIRE(pairs.size() == 1);
  CHECK(pairs[0].of == "tuned");
  CHECK(pairs[0].minus == "scratch");
  CHECK(pairs[0].pairs == 3);
  // Every pair differs by as much: the interval is a point, though the values themselves spread.
  CHECK(pairs[0].figures[0].mean == Approx(0.05));
  CHECK(pairs[0].figures[0].half_width == Approx(0).margin(1e-12));
  CHECK(pairs[0].figures[1].mean == Approx(-1));
  CHECK(differences(train, {results[0], results[3]}).front().pairs == 1);
  CHECK(differences(train, {results[0]}).empty());
}

TEST_CASE("a phase stops when its figure has disappointed often enough") {
  const StopRule stop{.metric = "loss", .patience = 2, .highest = false, .where = {}};
  TrainingState state;
  CHECK(judge(stop, 1.0, state) == StopVerdict::best);
  CHECK(judge(stop, 1.0, state) == StopVerdict::wait);
  CHECK(judge(stop, 0.9, state) == StopVerdict::best);
  CHECK(judge(stop, NAN, state) == StopVerdict::wait);
  CHECK(judge(stop, 0.95, state) == StopVerdict::give_up);
  TrainingState rising;
  const StopRule high{.metric = "accuracy", .patience = 1, .highest = true, .where = {}};
  CHECK(judge(high, 0.5, rising) == StopVerdict::best);
  CHECK(judge(high, 0.6, rising) == StopVerdict::best);
  CHECK(judge(high, 0.6, rising) == StopVerdict::give_up);
}
