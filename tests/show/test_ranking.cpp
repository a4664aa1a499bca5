// Scores, the order they give, and how well they tell one kind from another.
#include "show/draw/ranking.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;
using namespace graphrun::show;
using namespace graphrun::train;

TEST_CASE("the highest score is first, and equal ones keep their order") {
  const std::vector<double> scores{1, 3, 2, 3};
  CHECK(highest_first(scores) == std::vector<std::size_t>{1, 3, 2, 0});
}

TEST_CASE("pictures are picked in the order given") {
  const Pictures list{3, 1, 2, 1, {1, 2, 3, 4, 5, 6}};
  const std::vector<std::size_t> numbers{2, 0};
  CHECK(picked(list, numbers).pixels == std::vector<std::uint8_t>{5, 6, 1, 2});
  CHECK(picked(list, numbers).count == 2);
}

TEST_CASE("the area under the ROC curve counts pairs, ties half") {
  const std::vector<double> scores{4, 3, 2, 1};
  CHECK(roc_auc(scores, {true, true, false, false}) == 1);
  CHECK(roc_auc(scores, {false, false, true, true}) == 0);
  CHECK(roc_auc(scores, {true, false, true, false}) == 0.75);
  const std::vector<double> ties{2, 2, 2, 1};
  CHECK(roc_auc(ties, {true, false, false, false}) == Approx(2.0 / 3));
  CHECK(throws([&] { roc_auc(scores, {true, true, true, true}); }, ErrorCode::usage, "needs both"));
}
