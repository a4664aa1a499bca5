#include "train/measure/probes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "graphrun/error.hpp"
#include "runtime/state/philox.hpp"
#include "train/datasets/known_datasets.hpp"
#include "train/datasets/tables/column_scale.hpp"
#include "train/learn/definition.hpp"
#include "train/learn/loop.hpp"
#include "train/measure/detection.hpp"

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

// ---- from a model ----

LabelledCodes codes_of(Learner& learner, const ProbeRecipe& probe, const Examples& examples,
                       const std::stop_token& stop) {
  const OutputValues output = learner.run(probe.code, examples, {.stop = stop});
  LabelledCodes codes{.width = element_count(output.extents) / examples.count, .codes = {}, .labels = {}};
  const std::span<const float> values = as_floats(output);
  codes.codes.assign(values.begin(), values.end());
  if (probe.labels.empty()) return codes;
  const auto column = examples.columns.find(probe.labels);
  if (column == examples.columns.end())
    throw Error(ErrorCode::data,
                fmt::format("the probe '{}' needs labels, and the data have none", probe.name), probe.where);
  Batch labels(examples, {probe.labels}, examples.count);
  labels.gather(0, examples.count);
  codes.labels.resize(static_cast<std::size_t>(examples.count));
  std::memcpy(codes.labels.data(), labels.feeds().front().bytes.data(), codes.labels.size() * 4);
  return codes;
}

/// As many names as there are classes, from the data where they have some.
std::vector<std::string> names_of_classes(const ModelDefinition& model, std::size_t classes) {
  std::vector<std::string> names;
  const FittedColumn* target =
      model.data && model.data->table ? target_of(model.data->table->fitted) : nullptr;
  if (target != nullptr && target->is_category)
    names = target->values;
  else if (model.data)
    names = !model.data->classes.empty() ? model.data->classes : class_names(model.data->name);
  for (std::size_t label = names.size(); label < classes; ++label) names.push_back(std::to_string(label));
  names.resize(classes);
  return names;
}

/// The values of a score or guess, and of an input of f32 or i32 as what `Value` is.
template <class Value>
std::vector<Value> column_values(const Examples& examples, const std::string& input) {
  Batch batch(examples, {input}, examples.count);
  batch.gather(0, examples.count);
  std::vector<Value> values(batch.feeds().front().bytes.size() / sizeof(Value));
  std::memcpy(values.data(), batch.feeds().front().bytes.data(), values.size() * sizeof(Value));
  return values;
}

NamedConfusion named_confusion(Learner& learner, const ProbeRecipe& probe, const Examples& asked,
                               const std::stop_token& stop) {
  const OutputValues output = learner.run(probe.code, asked, {.stop = stop});
  const auto classes = static_cast<std::size_t>(output.extents.back());
  return {probe.name, confusion(as_floats(output), column_values<std::int32_t>(asked, probe.labels), classes),
          names_of_classes(learner.model(), classes)};
}

std::vector<double> scores_of(Learner& learner, const ProbeRecipe& probe, const Examples& asked,
                              const std::stop_token& stop) {
  const OutputValues output = learner.run(probe.code, asked, {.stop = stop});
  const std::span<const float> values = as_floats(output);
  return {values.begin(), values.end()};
}

/// How much each example counts; empty: all the same.
std::vector<float> weights_of(const Examples& asked) {
  const auto column = asked.columns.find(weights_input);
  const bool has_some = column != asked.columns.end() && column->second.kind != ColumnKind::ones;
  return has_some ? column_values<float>(asked, weights_input) : std::vector<float>{};
}

std::vector<Figure> detected(const ProbeRecipe& probe, const std::vector<double>& scores,
                             const Examples& asked) {
  std::vector<bool> sought;
  for (const std::int32_t label : column_values<std::int32_t>(asked, probe.labels))
    sought.push_back(label == 1);
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  const bool both = std::ranges::count(sought, true) > 0 && std::ranges::count(sought, false) > 0;
  const Detection found =
      both ? detection(scores, sought, weights_of(asked)) : Detection{unknown, unknown, unknown, unknown};
  if (probe.kind == ProbeRecipe::Kind::roc_auc) return {{probe.name, found.roc_auc}};
  if (probe.kind == ProbeRecipe::Kind::average_precision) return {{probe.name, found.average_precision}};
  return {{probe.name, found.best_f1}, {probe.name + ".threshold", found.best_threshold}};
}

std::vector<Figure> classified(const ProbeRecipe& probe, const NamedConfusion& found) {
  std::vector<Figure> figures{{probe.name, found.confusion.accuracy()},
                              {probe.name + ".f1", found.confusion.mean_f1()}};
  for (std::size_t label = 0; label < found.confusion.classes; ++label)
    figures.push_back({fmt::format("{}.f1.{}", probe.name, found.names[label]), found.confusion.f1(label)});
  return figures;
}

/// Guesses beside what they should have been, one behind the other.
class Differences {
 public:
  void add(double guess, double truth, double weight) {
    absolute_ += weight * std::abs(guess - truth);
    squared_ += weight * (guess - truth) * (guess - truth);
    truths_.push_back(truth);
    weights_.push_back(weight);
  }
  double value(ProbeRecipe::Kind kind) const {
    const double count = std::accumulate(weights_.begin(), weights_.end(), 0.0);
    if (kind == ProbeRecipe::Kind::mae) return absolute_ / count;
    if (kind == ProbeRecipe::Kind::rmse) return std::sqrt(squared_ / count);
    const double mean = std::inner_product(truths_.begin(), truths_.end(), weights_.begin(), 0.0) / count;
    double spread = 0;
    for (std::size_t i = 0; i < truths_.size(); ++i)
      spread += weights_[i] * (truths_[i] - mean) * (truths_[i] - mean);
    return 1 - squared_ / spread;
  }

 private:
  double absolute_ = 0;
  double squared_ = 0;
  std::vector<double> truths_;
  std::vector<double> weights_;
};

const std::vector<FittedColumn>* columns_of(const ModelDefinition& model) {
  return model.data && model.data->table ? &model.data->table->fitted : nullptr;
}

/// The column of a table that an input takes, if it is one.
const FittedColumn* column_of(const ModelDefinition& model, const std::string& name) {
  if (!model.data || !model.data->table) return nullptr;
  const auto input = std::ranges::find(model.inputs, name, &ModelInput::name);
  if (input == model.inputs.end() || input->source != InputSource::column)
    return target_of(model.data->table->fitted);
  return &*std::ranges::find(model.data->table->fitted, input->part, &FittedColumn::name);
}

/// In the unit of the table, if the target is of one.
std::vector<Figure> regressed(const ModelDefinition& model, const ProbeRecipe& probe,
                              const std::vector<double>& guesses, const Examples& asked) {
  const FittedColumn* target = column_of(model, probe.labels);
  const auto in_unit = [&](double value) { return target != nullptr ? unscaled(*target, value) : value; };
  const std::vector<float> targets = column_values<float>(asked, probe.labels);
  const std::vector<float> weights = weights_of(asked);
  Differences differences;
  for (std::size_t i = 0; i < targets.size(); ++i)
    differences.add(in_unit(guesses[i]), in_unit(static_cast<double>(targets[i])),
                    weights.empty() ? 1.0 : static_cast<double>(weights[i]));
  return {{probe.name, differences.value(probe.kind)}};
}

/// 1 where the table has a cell; all are, where no input tells.
std::vector<float> mask_of(const ModelDefinition& model, const Examples& asked, std::size_t cells) {
  for (const ModelInput& input : model.inputs)
    if (input.source == InputSource::mask && asked.columns.contains(input.name))
      return column_values<float>(asked, input.name);
  return std::vector<float>(cells, 1.0F);
}

/// Of all cells as the model sees them, and of each column of numbers in its unit.
std::vector<Figure> compared(const ModelDefinition& model, const ProbeRecipe& probe,
                             const std::vector<double>& guesses, const Examples& asked) {
  const std::vector<float> cells = column_values<float>(asked, probe.labels);
  const std::vector<float> mask = mask_of(model, asked, cells.size());
  const std::vector<FittedColumn>& columns = *columns_of(model);
  const auto width = static_cast<std::size_t>(cells_of(columns));
  const std::vector<float> weights = weights_of(asked);
  const std::size_t per_example = cells.size() / static_cast<std::size_t>(asked.count);
  const auto weight = [&](std::size_t i) {
    return weights.empty() ? 1.0 : static_cast<double>(weights[i / per_example]);
  };
  Differences all;
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (mask[i] != 0) all.add(guesses[i], static_cast<double>(cells[i]), weight(i));
  std::vector<Figure> figures{{probe.name, all.value(probe.kind)}};
  std::size_t at = 0;
  for (const FittedColumn& column : columns) {
    Differences own;
    if (column.cells() == 1 && !column.is_category)
      for (std::size_t i = at; i < cells.size(); i += width)
        if (mask[i] != 0)
          own.add(unscaled(column, guesses[i]), unscaled(column, static_cast<double>(cells[i])), weight(i));
    if (column.cells() == 1 && !column.is_category)
      figures.push_back({fmt::format("{}.{}", probe.name, column.name), own.value(probe.kind)});
    at += column.cells();
  }
  return figures;
}

bool compares_cells(const ModelDefinition& model, const ProbeRecipe& probe) {
  return std::ranges::any_of(model.inputs, [&](const ModelInput& input) {
    return input.name == probe.labels && input.source == InputSource::cells;
  });
}

std::vector<Figure> measured_scores(Learner& learner, const ProbeRecipe& probe, const Examples& asked,
                                    const std::stop_token& stop) {
  if (probe.kind == ProbeRecipe::Kind::confusion)
    return classified(probe, named_confusion(learner, probe, asked, stop));
  const std::vector<double> scores = scores_of(learner, probe, asked, stop);
  if (!ProbeRecipe::is_of_numbers(probe.kind)) return detected(probe, scores, asked);
  return compares_cells(learner.model(), probe) ? compared(learner.model(), probe, scores, asked)
                                                : regressed(learner.model(), probe, scores, asked);
}

double measured_code(Learner& learner, const ProbeRecipe& probe, const Examples& known, const Examples& asked,
                     const std::stop_token& stop) {
  const LabelledCodes test = codes_of(learner, probe, asked, stop);
  if (probe.kind == ProbeRecipe::Kind::active_units)
    return static_cast<double>(active_units(test, probe.above));
  if (probe.kind == ProbeRecipe::Kind::kmeans) return kmeans_nmi(test, probe.k);
  const LabelledCodes training = codes_of(learner, probe, first_of(known, probe.first), stop);
  return probe.kind == ProbeRecipe::Kind::knn ? knn_accuracy(training, test, probe.k)
                                              : linear_accuracy(training, test);
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

std::vector<Figure> run_probes(Learner& learner, const Examples& known, const Examples& asked,
                               const std::stop_token& stop) {
  std::vector<Figure> figures;
  for (const ProbeRecipe& probe : learner.model().probes) {
    if (!ProbeRecipe::is_of_scores(probe.kind)) {
      figures.push_back({probe.name, measured_code(learner, probe, known, asked, stop)});
    } else if (asked.columns.contains(probe.labels)) {
      for (Figure& figure : measured_scores(learner, probe, asked, stop))
        figures.push_back(std::move(figure));
    }
  }
  return figures;
}

std::vector<NamedConfusion> confusions(Learner& learner, const Examples& asked, const std::stop_token& stop) {
  std::vector<NamedConfusion> result;
  for (const ProbeRecipe& probe : learner.model().probes)
    if (probe.kind == ProbeRecipe::Kind::confusion && asked.columns.contains(probe.labels))
      result.push_back(named_confusion(learner, probe, asked, stop));
  return result;
}

}  // namespace graphrun::train
