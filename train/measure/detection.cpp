#include "train/measure/detection.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "graphrun/error.hpp"

namespace graphrun::train {

namespace {

/// So many rows, by their weights, above a threshold, of each kind, and how many of them have the lowest
/// score among these.
struct Flagged {
  double odd = 0;
  double others = 0;
  double odd_at_last = 0;
  double others_at_last = 0;
  double last = 0;  ///< that score
  double next = 0;  ///< the highest one that is not flagged; as `last` when all are
};

double weight_of(std::span<const float> weights, std::size_t row) {
  return weights.empty() ? 1.0 : static_cast<double>(weights[row]);
}

/// Calls visit(flagged) for every threshold between different scores, from the highest down.
template <class Visit>
void for_each_threshold(std::span<const double> scores, const std::vector<bool>& odd,
                        std::span<const float> weights, const Visit& visit) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t row) { return scores[row]; });
  Flagged flagged;
  for (std::size_t begin = 0; begin < order.size();) {
    flagged.last = scores[order[begin]];
    flagged.odd_at_last = flagged.others_at_last = 0;
    std::size_t end = begin;
    for (; end < order.size() && scores[order[end]] == flagged.last; ++end)
      (odd[order[end]] ? flagged.odd_at_last : flagged.others_at_last) += weight_of(weights, order[end]);
    flagged.odd += flagged.odd_at_last;
    flagged.others += flagged.others_at_last;
    flagged.next = end < order.size() ? scores[order[end]] : flagged.last;
    visit(flagged);
    begin = end;
  }
}

}  // namespace

Detection detection(std::span<const double> scores, const std::vector<bool>& odd,
                    std::span<const float> weights) {
  double all = 0;
  double others = 0;
  for (std::size_t row = 0; row < odd.size(); ++row) (odd[row] ? all : others) += weight_of(weights, row);
  if (all == 0 || others == 0)
    throw Error(ErrorCode::usage,
                "how well scores tell odd rows from others shows only where there are both");
  Detection result;
  for_each_threshold(scores, odd, weights, [&](const Flagged& flagged) {
    result.roc_auc += flagged.others_at_last * (flagged.odd - flagged.odd_at_last / 2);
    const double above = flagged.odd + flagged.others;
    if (above > 0) result.average_precision += flagged.odd_at_last * (flagged.odd / above);
    const double f1 = 2 * flagged.odd / (flagged.odd + flagged.others + all);
    if (f1 <= result.best_f1) return;
    result.best_f1 = f1;
    // In the middle: rows whose scores are new fall on the nearer side.
    result.best_threshold =
        flagged.next < flagged.last ? (flagged.last + flagged.next) / 2 : std::nextafter(flagged.last, -1);
  });
  result.roc_auc /= all * others;
  result.average_precision /= all;
  return result;
}

DetectionCurves detection_curves(std::span<const double> scores, const std::vector<bool>& odd) {
  const auto all = static_cast<double>(std::count(odd.begin(), odd.end(), true));
  const double others = static_cast<double>(odd.size()) - all;
  DetectionCurves curves{{{0, 0}}, {{0, 1}}};
  for_each_threshold(scores, odd, {}, [&](const Flagged& flagged) {
    curves.roc.push_back({flagged.others / others, flagged.odd / all});
    curves.precision.push_back({flagged.odd / all, flagged.odd / (flagged.odd + flagged.others)});
  });
  return curves;
}

std::optional<std::int32_t> odd_label(const ImageSet& rows) {
  const bool are_two = rows.class_names.empty()
                           ? std::ranges::all_of(rows.labels, [](std::int32_t label) { return label <= 1; })
                           : rows.class_names.size() <= 2;
  return are_two && rows.has_labels() ? std::optional<std::int32_t>(1) : std::nullopt;
}

}  // namespace graphrun::train
