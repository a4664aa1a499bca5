#include "train/measure/code_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "runtime/state/philox.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/learner.hpp"
#include "train/learn/loop.hpp"

namespace graphrun::train {

namespace {

float squared_distance(std::span<const float> a, std::span<const float> b) {
  // Eight sums side by side, so that the compiler may use vectors without reordering any of them.
  float sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= a.size(); i += 8)
    for (std::size_t lane = 0; lane < 8; ++lane) {
      const float difference = a[i + lane] - b[i + lane];
      sums[lane] += difference * difference;
    }
  float rest = 0;
  for (; i < a.size(); ++i) rest += (a[i] - b[i]) * (a[i] - b[i]);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7])) + rest;
}

using Neighbour = std::pair<float, std::int64_t>;  // distance, row

std::int32_t vote(const std::vector<Neighbour>& nearest, const LabelledCodes& known) {
  std::map<std::int32_t, int> votes;
  for (const auto& [distance, row] : nearest) ++votes[known.labels[static_cast<std::size_t>(row)]];
  return std::max_element(votes.begin(), votes.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

// ---- k-means ----

struct Clustering {
  std::vector<std::size_t> cluster;  ///< of each row
  double inertia = 0;                ///< sum of squared distances to the centres
};

/// One run of Lloyd's algorithm from centres chosen as k-means++ does.
class KMeans {
 public:
  KMeans(const LabelledCodes& codes, std::size_t k, std::uint64_t seed)
      : codes_(codes),
        k_(k),
        stream_(runtime::RandomStream::of(
            "kmeans", {.seed = seed,
                       .domain = static_cast<std::uint32_t>(runtime::RandomDomain::evaluation),
                       .step = 0,
                       .first_row = 0})) {}

  Clustering run() {
    choose_centres();
    Clustering result = assign();
    constexpr int most_rounds = 100;
    for (int round = 0; round < most_rounds; ++round) {
      move_centres(result);
      Clustering next = assign();
      const bool settled = next.cluster == result.cluster;
      result = std::move(next);
      if (settled) break;
    }
    return result;
  }

 private:
  std::span<const float> centre(std::size_t index) const {
    const auto width = static_cast<std::size_t>(codes_.width);
    return std::span(centres_).subspan(index * width, width);
  }
  void add_centre(std::int64_t row) {
    const std::span<const float> values = codes_.row(row);
    centres_.insert(centres_.end(), values.begin(), values.end());
  }

  /// Each next centre is a row, drawn with the probability of its squared distance to the nearest centre.
  void choose_centres() {
    const auto count = static_cast<std::size_t>(codes_.count());
    add_centre(static_cast<std::int64_t>(runtime::random_below(stream_, 0, count)));
    std::vector<double> distance(count, std::numeric_limits<double>::infinity());
    for (std::size_t chosen = 1; chosen < k_; ++chosen) {
      double total = 0;
      for (std::size_t row = 0; row < count; ++row) {
        const double to_last =
            squared_distance(codes_.row(static_cast<std::int64_t>(row)), centre(chosen - 1));
        distance[row] = std::min(distance[row], to_last);
        total += distance[row];
      }
      constexpr std::uint64_t grains = std::uint64_t{1} << 53;
      double left = static_cast<double>(runtime::random_below(stream_, chosen, grains)) /
                    static_cast<double>(grains) * total;
      std::size_t row = 0;
      while (row + 1 < count && left >= distance[row]) left -= distance[row++];
      add_centre(static_cast<std::int64_t>(row));
    }
  }

  Clustering assign() const {
    Clustering result;
    for (std::int64_t row = 0; row < codes_.count(); ++row) {
      Neighbour nearest{std::numeric_limits<float>::infinity(), 0};
      for (std::size_t i = 0; i < k_; ++i)
        nearest =
            std::min(nearest, {squared_distance(codes_.row(row), centre(i)), static_cast<std::int64_t>(i)});
      result.cluster.push_back(static_cast<std::size_t>(nearest.second));
      result.inertia += static_cast<double>(nearest.first);
    }
    return result;
  }

  /// A centre that nothing is nearest to stays where it is.
  void move_centres(const Clustering& clustering) {
    const auto width = static_cast<std::size_t>(codes_.width);
    std::vector<double> sums(k_ * width);
    std::vector<std::int64_t> sizes(k_);
    for (std::int64_t row = 0; row < codes_.count(); ++row) {
      const std::size_t cluster = clustering.cluster[static_cast<std::size_t>(row)];
      const std::span<const float> values = codes_.row(row);
      for (std::size_t i = 0; i < width; ++i) sums[cluster * width + i] += static_cast<double>(values[i]);
      ++sizes[cluster];
    }
    for (std::size_t i = 0; i < sums.size(); ++i)
      if (sizes[i / width] > 0)
        centres_[i] = static_cast<float>(sums[i] / static_cast<double>(sizes[i / width]));
  }

  const LabelledCodes& codes_;
  std::size_t k_;
  runtime::RandomStream stream_;
  std::vector<float> centres_;
};

template <class Key>
double entropy(const std::map<Key, std::int64_t>& counts, double total) {
  double sum = 0;
  for (const auto& [key, count] : counts) {
    const double share = static_cast<double>(count) / total;
    sum -= share * std::log(share);
  }
  return sum;
}

double normalised_mutual_information(const std::vector<std::size_t>& clusters,
                                     const std::vector<std::int32_t>& labels) {
  std::map<std::size_t, std::int64_t> by_cluster;
  std::map<std::int32_t, std::int64_t> by_label;
  std::map<std::pair<std::size_t, std::int32_t>, std::int64_t> together;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    ++by_cluster[clusters[i]];
    ++by_label[labels[i]];
    ++together[{clusters[i], labels[i]}];
  }
  const auto total = static_cast<double>(labels.size());
  const double of_clusters = entropy(by_cluster, total);
  const double of_labels = entropy(by_label, total);
  const double mean = (of_clusters + of_labels) / 2;
  return mean == 0 ? 1 : (of_clusters + of_labels - entropy(together, total)) / mean;
}

// ---- softmax regression ----

/// Each unit with mean 0 and variance 1 over the known codes; a constant one stays 0.
void standardise(LabelledCodes& known, LabelledCodes& asked) {
  const auto width = static_cast<std::size_t>(known.width);
  for (std::size_t unit = 0; unit < width; ++unit) {
    double sum = 0;
    double squares = 0;
    for (std::size_t at = unit; at < known.codes.size(); at += width) {
      sum += static_cast<double>(known.codes[at]);
      squares += static_cast<double>(known.codes[at]) * static_cast<double>(known.codes[at]);
    }
    const auto count = static_cast<double>(known.count());
    const double mean = sum / count;
    const double variance = squares / count - mean * mean;
    const double scale = variance > 1e-12 ? 1 / std::sqrt(variance) : 0;
    for (LabelledCodes* codes : {&known, &asked})
      for (std::size_t at = unit; at < codes->codes.size(); at += width)
        codes->codes[at] = static_cast<float>((static_cast<double>(codes->codes[at]) - mean) * scale);
  }
}

Examples examples_of(const LabelledCodes& codes) {
  return {.count = codes.count(),
          .columns = {{"x", {ColumnKind::f32_values, codes.width, std::as_bytes(std::span(codes.codes))}},
                      {"y", {ColumnKind::i32_labels, 1, std::as_bytes(std::span(codes.labels))}}},
          .owner = {}};
}

SharedDefinition softmax_regression(std::int64_t width, std::int64_t classes) {
  const std::vector<std::string> settings = {fmt::format("width={}", width),
                                             fmt::format("classes={}", classes)};
  return parse_definition(R"(
graphrun: 1
name: linear_probe
vars: {width: 1, classes: 2}
inputs: {x: {shape: [batch, $width]}, y: {from: labels}}
nodes: {logits: {op: dense, in: x, units: $classes, init: zeros}}
loss: {class: {op: cross_entropy, in: [logits, y]}}
metrics: {accuracy: {op: accuracy, in: [logits, y]}}
train: {optimizer: {op: adam, lr: {cosine: {from: 2.0e-2, to: 1.0e-4, epochs: 30}}}, batch: 200, epochs: 30}
)",
                          "linear_probe.yaml", settings);
}

}  // namespace

double knn_accuracy(const LabelledCodes& known, const LabelledCodes& asked, std::int64_t k) {
  const auto wanted = static_cast<std::size_t>(std::min(k, known.count()));
  std::vector<Neighbour> all(static_cast<std::size_t>(known.count()));
  std::int64_t right = 0;
  for (std::int64_t row = 0; row < asked.count(); ++row) {
    for (std::int64_t other = 0; other < known.count(); ++other)
      all[static_cast<std::size_t>(other)] = {squared_distance(asked.row(row), known.row(other)), other};
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(wanted - 1), all.end());
    const std::vector<Neighbour> nearest(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(wanted));
    if (vote(nearest, known) == asked.labels[static_cast<std::size_t>(row)]) ++right;
  }
  return static_cast<double>(right) / static_cast<double>(asked.count());
}

double linear_accuracy(const LabelledCodes& known_codes, const LabelledCodes& asked_codes) {
  LabelledCodes known = known_codes;
  LabelledCodes asked = asked_codes;
  standardise(known, asked);
  std::int32_t largest = 1;
  for (const LabelledCodes* codes : {&known, &asked})
    for (const std::int32_t label : codes->labels) largest = std::max(largest, label);
  const SharedDefinition model = softmax_regression(known.width, std::int64_t{largest} + 1);
  runtime::SessionOptions serial;
  serial.executor = runtime::ExecutorKind::serial;
  Learner learner(model, serial);
  LoopObserver nobody;
  learn(learner, examples_of(known), loop_options(*model->train), nobody);
  return learner.evaluate(examples_of(asked)).at("accuracy");
}

double kmeans_nmi(const LabelledCodes& codes, std::int64_t k) {
  const std::set<std::int32_t> labels(codes.labels.begin(), codes.labels.end());
  const std::int64_t clusters =
      std::min(k == 0 ? static_cast<std::int64_t>(labels.size()) : k, codes.count());
  std::optional<Clustering> best;
  constexpr std::uint64_t restarts = 4;
  for (std::uint64_t seed = 0; seed < restarts; ++seed) {
    Clustering found = KMeans(codes, static_cast<std::size_t>(clusters), seed).run();
    if (!best || found.inertia < best->inertia) best = std::move(found);
  }
  return normalised_mutual_information(best->cluster, codes.labels);
}

std::int64_t active_units(const LabelledCodes& codes, double above) {
  const auto width = static_cast<std::size_t>(codes.width);
  std::int64_t active = 0;
  for (std::size_t unit = 0; unit < width; ++unit) {
    double sum = 0;
    for (std::size_t at = unit; at < codes.codes.size(); at += width)
      sum += static_cast<double>(codes.codes[at]);
    const double mean = sum / static_cast<double>(codes.count());
    double squares = 0;
    for (std::size_t at = unit; at < codes.codes.size(); at += width) {
      const double difference = static_cast<double>(codes.codes[at]) - mean;
      squares += difference * difference;
    }
    if (squares / static_cast<double>(codes.count()) > above) ++active;
  }
  return active;
}

}  // namespace graphrun::train
