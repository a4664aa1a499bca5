#include "train/learn/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace graphrun::train {

double Figures::at(std::string_view name) const {
  if (const std::optional<double> value = find(name)) return *value;
  throw Error(ErrorCode::usage, fmt::format("there is no figure '{}'", name));
}

std::optional<double> Figures::find(std::string_view name) const {
  const auto found =
      std::find_if(values.begin(), values.end(), [&](const Figure& figure) { return figure.name == name; });
  return found == values.end() ? std::nullopt : std::optional(found->value);
}

FigureNames figure_names(const ModelDefinition& model, const std::vector<std::size_t>& chosen, bool metrics) {
  FigureNames result;
  const auto add = [&](const std::string& output, const std::string& name, NodeId node) {
    result.outputs.push_back(output);
    result.names.push_back(name);
    result.nodes.push_back(node);
  };
  if (model.objective) add("loss", "loss", *model.objective);
  for (std::size_t i = 0; i < model.loss.size(); ++i)
    if (chosen.empty() || std::find(chosen.begin(), chosen.end(), i) != chosen.end())
      add("loss." + model.loss[i].name, model.loss[i].name, model.loss[i].node);
  if (metrics)
    for (const ModelTerm& metric : model.metrics) add("metric." + metric.name, metric.name, metric.node);
  return result;
}

void FigureSum::add(std::span<const float> batch_means, std::int64_t rows) {
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    sums_[i] += static_cast<double>(batch_means[i]) * static_cast<double>(rows);
    figure_rows_[i] += rows;
  }
  rows_ += rows;
}

void FigureSum::add_learnt(std::span<const float> batch_means, std::int64_t rows) {
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    if (std::isnan(batch_means[i])) continue;
    sums_[i] += static_cast<double>(batch_means[i]) * static_cast<double>(rows);
    figure_rows_[i] += rows;
  }
  rows_ += rows;
}

double FigureSum::mean(std::size_t figure) const {
  return sums_[figure] / static_cast<double>(figure_rows_[figure]);
}

Figures FigureSum::means() const {
  Figures figures{.count = rows_, .values = {}};
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (figure_rows_[i] == 0) continue;
    const auto known = std::find_if(figures.values.begin(), figures.values.end(),
                                    [&](const Figure& figure) { return figure.name == names_[i]; });
    if (known == figures.values.end())
      figures.values.push_back({names_[i], mean(i)});
    else
      known->value += mean(i);
  }
  return figures;
}

double FigureSum::loss() const {
  double sum = 0;
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (names_[i] == "loss" && figure_rows_[i] > 0) sum += mean(i);
  return sum;
}

void FigureSum::restore(std::span<const double> sums, std::int64_t rows,
                        std::span<const std::int64_t> figure_rows) {
  if (sums.size() != names_.size() || (!figure_rows.empty() && figure_rows.size() != names_.size()))
    throw Error(ErrorCode::data,
                fmt::format("the checkpoint holds {} running sums, the model reports {} figures", sums.size(),
                            names_.size()));
  std::copy(sums.begin(), sums.end(), sums_.begin());
  std::fill(figure_rows_.begin(), figure_rows_.end(), rows);
  std::copy(figure_rows.begin(), figure_rows.end(), figure_rows_.begin());
  rows_ = rows;
}

void FigureSum::clear() {
  std::fill(sums_.begin(), sums_.end(), 0.0);
  std::fill(figure_rows_.begin(), figure_rows_.end(), 0);
  rows_ = 0;
}

}  // namespace graphrun::train
