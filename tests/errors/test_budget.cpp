#include "errors/budget.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;

TEST_CASE("a budget is spent once, and says which one it was") {
  Budget budget({.nodes = 10, .names = 100});
  budget.spend(Resource::nodes, 7);
  CHECK(budget.left(Resource::nodes) == 3);
  budget.spend(Resource::names, 100);
  try {
    budget.spend(Resource::nodes, 4);
    FAIL("there were only three");
  } catch (const OverBudget& over) {
    CHECK(over.code() == ErrorCode::model);
    CHECK(over.message() == "the model is over its budget of 10 nodes, gradients included");
    CHECK(over.fix() == "Repeat less, or nest fewer gradients and blocks.");
  }
  CHECK(budget.left(Resource::nodes) == 3);
  budget.spend(Resource::nodes, 3);
  CHECK_THROWS_AS(budget.spend(Resource::names, ~std::size_t{0}), OverBudget);
}

TEST_CASE("levels of all recursions share one depth, and give it back") {
  Budget budget;
  {
    const Budget::Level first(budget, Budget::deepest / 2);
    const Budget::Level second(budget, Budget::deepest / 2);
    CHECK_FALSE(budget.has_room(1));
    CHECK_THROWS_AS(Budget::Level(budget, 1), OverBudget);
  }
  CHECK(budget.has_room(Budget::deepest));
}
