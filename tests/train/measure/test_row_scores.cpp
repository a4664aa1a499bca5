// Scores of rows: how well they tell, and where the threshold lies.
#include <algorithm>
#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "train/measure/detection.hpp"
#include "train/measure/row_scores.hpp"

using namespace graphrun;
using namespace graphrun::train;
using namespace graphrun::testing;

TEST_CASE("scores are measured by the odd rows among them, ties counted half") {
  const std::vector<double> scores = {5, 4, 3, 2, 1};
  CHECK(detection(scores, {true, true, false, false, false}).roc_auc == 1);
  CHECK(detection(scores, {true, true, false, false, false}).average_precision == 1);
  const Detection mixed = detection(scores, {true, false, true, false, false});
  CHECK(mixed.roc_auc == 5.0 / 6);
  CHECK(mixed.average_precision == (1.0 + 2.0 / 3) / 2);
  CHECK(mixed.best_f1 == 0.8);
  CHECK(mixed.best_threshold == 2.5);
  CHECK(detection(std::vector<double>(4, 7.0), {true, false, true, false}).roc_auc == 0.5);
  CHECK(throws([&] { detection(scores, std::vector<bool>(5, false)); }, ErrorCode::usage,
               "where there are both"));
}

TEST_CASE("a threshold promises its share of rows alike to those held out") {
  std::vector<double> rising;
  for (int i = 1; i <= 240; ++i) rising.push_back(i);
  CHECK(threshold_of(rising, 0.99) == Approx(238.59));
  CHECK(threshold_of(rising, 0.5) == Approx(120.5));
  CHECK(threshold_of(rising, 0.9999) == 240);
  CHECK(threshold_of(std::vector<double>{3}, 0.99) == 3);
}

TEST_CASE("so many held-out scores tell no smaller share than theirs") {
  CHECK(tells_share(99, 0.01));
  CHECK(!tells_share(98, 0.01));
}

TEST_CASE("held-out scores are kept rising, and where there are many, by their thresholds") {
  CHECK(kept_scores({3, 1, 2}) == std::vector<double>{1, 2, 3});
  std::vector<double> many;
  for (int i = 0; i < 5001; ++i) many.push_back((i * 37) % 5001);
  const std::vector<double> kept = kept_scores(many);
  CHECK(kept.size() == held_out_scores_kept);
  std::ranges::sort(many);
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999})
    CHECK(threshold_of(kept, share) == Approx(threshold_of(many, share)));
  const std::vector<float> equal(many.size(), 1.0F);
  for (const double share : {0.5, 0.9, 0.99})
    CHECK(std::abs(threshold_of(kept_scores(many, equal), share) - threshold_of(many, share)) <= 1);
}
