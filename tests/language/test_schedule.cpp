#include "language/values/schedule.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;

namespace {

double after_epochs(const Schedule& schedule, std::uint64_t epochs) {
  return value_at(schedule, {.step = epochs * 10, .steps_per_epoch = 10});
}

}  // namespace

TEST_CASE("a constant schedule is constant") {
  CHECK(after_epochs(Schedule::constant(0.25), 0) == 0.25);
  CHECK(after_epochs(Schedule::constant(0.25), 1000) == 0.25);
}

TEST_CASE("a linear schedule goes from one value to the other, then holds") {
  const Schedule schedule{.shape = Schedule::Shape::linear, .from = 1, .to = 5, .length = 4};
  CHECK(after_epochs(schedule, 0) == 1);
  CHECK(after_epochs(schedule, 1) == 2);
  CHECK(value_at(schedule, {.step = 5, .steps_per_epoch = 10}) == 1.5);
  CHECK(after_epochs(schedule, 4) == 5);
  CHECK(after_epochs(schedule, 9) == 5);
}

TEST_CASE("a cosine falls along half a wave, then holds") {
  const Schedule schedule{.shape = Schedule::Shape::cosine, .from = 4e-3, .to = 0, .length = 20};
  CHECK(after_epochs(schedule, 0) == 4e-3);
  CHECK(after_epochs(schedule, 10) == Approx(2e-3));
  CHECK(after_epochs(schedule, 5) == Approx(2e-3 * (1 + std::sqrt(0.5))));
  CHECK(after_epochs(schedule, 20) == Approx(0).margin(1e-18));
  CHECK(after_epochs(schedule, 30) == after_epochs(schedule, 20));
}

TEST_CASE("steps multiply, and count in steps when told to") {
  Schedule schedule{.shape = Schedule::Shape::step, .from = 1, .length = 2, .factor = 0.1};
  CHECK(after_epochs(schedule, 1) == 1);
  CHECK(after_epochs(schedule, 2) == Approx(0.1));
  CHECK(after_epochs(schedule, 5) == Approx(0.01));
  schedule.unit = Schedule::Unit::steps;
  CHECK(value_at(schedule, {.step = 2, .steps_per_epoch = 10}) == Approx(0.1));
}

TEST_CASE("a warm-up rises from nothing") {
  const Schedule schedule{
      .shape = Schedule::Shape::warmup, .to = 3, .length = 3, .unit = Schedule::Unit::steps};
  CHECK(value_at(schedule, {.step = 0}) == 0);
  CHECK(value_at(schedule, {.step = 1}) == 1);
  CHECK(value_at(schedule, {.step = 7}) == 3);
}

TEST_CASE("while nobody knows an epoch a schedule stands at its beginning, and a warm-up is over") {
  const Progress unknown{.step = 7, .steps_per_epoch = 0};
  Schedule schedule{.shape = Schedule::Shape::cosine, .from = 3, .to = 1, .length = 2};
  for (const Schedule::Shape shape :
       {Schedule::Shape::linear, Schedule::Shape::cosine, Schedule::Shape::step}) {
    schedule.shape = shape;
    CHECK(value_at(schedule, unknown) == 3);
  }
  const Schedule warmup{.shape = Schedule::Shape::warmup, .to = 5, .length = 2};
  CHECK(value_at(warmup, unknown) == 5);
  schedule = {
      .shape = Schedule::Shape::linear, .from = 0, .to = 7, .length = 7, .unit = Schedule::Unit::steps};
  CHECK(value_at(schedule, unknown) == 7);
}

TEST_CASE("schedules print as they are written") {
  CHECK(to_string(Schedule::constant(0.5)) == "0.5");
  CHECK(to_string(Schedule{.shape = Schedule::Shape::linear, .from = 0, .to = 4, .length = 10}) ==
        "{linear: {from: 0, to: 4, epochs: 10}}");
  CHECK(to_string(Schedule{.shape = Schedule::Shape::step, .from = 1, .length = 2, .factor = 0.1}) ==
        "{step: {from: 1, factor: 0.1, epochs: 2}}");
}
