#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "train/learn/state_text.hpp"

using namespace graphrun;
using namespace graphrun::train;
using graphrun::testing::throws;

namespace {

TrainingState some_state() {
  TrainingState state;
  state.step = 18446744073709551615ULL;
  state.epoch = 3;
  state.batch = 17;
  state.steps_per_epoch = 469;
  state.seed = 42;
  state.begun = true;
  state.epoch_sums = {0.1, 1.0 / 3.0, 5e-324};
  state.epoch_rows = 1024;
  state.epoch_seconds = 1.5e-7;
  state.seconds = 12.25;
  state.best_score = 0.0249;
  state.best_step = 938;
  return state;
}

}  // namespace

TEST_CASE("a state reads back to the bit") {
  const TrainingState state = some_state();
  const TrainingState read = state_from_text(to_text(state));
  CHECK(to_text(read) == to_text(state));
  CHECK(read.epoch_sums == state.epoch_sums);
  CHECK(read.step == state.step);
  CHECK(read.begun);
  CHECK(std::isnan(read.score));
  CHECK(read.best_score == state.best_score);
  CHECK(state_from_text(to_text(TrainingState())).epoch_sums.empty());
}

TEST_CASE("a state with a missing or garbled value is refused by name") {
  auto text = to_text(some_state());
  text["epoch"] = "3x";
  CHECK(throws([&] { state_from_text(text); }, ErrorCode::data, "'epoch' holds '3x'"));
  text.erase("epoch");
  CHECK(throws([&] { state_from_text(text); }, ErrorCode::data, "'epoch' is missing"));
}
