#include "train/figures.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace graphrun::train {

double Figures::at(std::string_view name) const {
  const auto found =
      std::find_if(values.begin(), values.end(), [&](const Figure& figure) { return figure.name == name; });
  if (found == values.end()) throw Error(ErrorCode::usage, fmt::format("there is no figure '{}'", name));
  return found->value;
}

FigureNames figure_names(const ModelDefinition& model, const std::vector<std::string>& chosen, bool metrics) {
  FigureNames result{{"loss"}, {"loss"}};
  const auto add = [&](const ModelTerm& term) {
    result.outputs.push_back(term.output);
    result.names.push_back(term.name);
  };
  for (const ModelTerm& term : model.loss)
    if (chosen.empty() || std::find(chosen.begin(), chosen.end(), term.name) != chosen.end()) add(term);
  if (metrics)
    for (const ModelTerm& metric : model.metrics) add(metric);
  return result;
}

void FigureSum::add(std::span<const float> batch_means, std::int64_t rows) {
  for (std::size_t i = 0; i < sums_.size(); ++i)
    sums_[i] += static_cast<double>(batch_means[i]) * static_cast<double>(rows);
  rows_ += rows;
}

Figures FigureSum::means() const {
  Figures figures{.count = rows_, .values = {}};
  for (std::size_t i = 0; i < names_.size(); ++i)
    figures.values.push_back({names_[i], sums_[i] / static_cast<double>(rows_)});
  return figures;
}

void FigureSum::restore(std::span<const double> sums, std::int64_t rows) {
  if (sums.size() != names_.size())
    throw Error(ErrorCode::data,
                fmt::format("the checkpoint holds {} running sums, the model reports {} figures", sums.size(),
                            names_.size()));
  std::copy(sums.begin(), sums.end(), sums_.begin());
  rows_ = rows;
}

void FigureSum::clear() {
  std::fill(sums_.begin(), sums_.end(), 0.0);
  rows_ = 0;
}

}  // namespace graphrun::train
