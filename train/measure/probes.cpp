#include "train/measure/probes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "graphrun/error.hpp"
#include "train/datasets/known_datasets.hpp"
#include "train/datasets/tables/column_scale.hpp"
#include "train/measure/code_figures.hpp"
#include "train/measure/detection.hpp"

namespace graphrun::train {

namespace {

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
