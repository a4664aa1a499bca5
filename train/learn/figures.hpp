/// \file
/// What is reported of a run: the loss, its terms and the metrics, as means per sample. Sums are f64 and in
/// the order of the batches, so that they are the same at any thread count and after a resume.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "language/recipe/definition.hpp"

namespace graphrun::train {

struct Figure {
  std::string name;  ///< "loss", or the name of a term or metric
  double value = 0;
};

struct Figures {
  std::int64_t count = 0;  ///< samples
  std::vector<Figure> values;

  /// The value of that name; throws Error{usage}.
  double at(std::string_view name) const;
  /// The same, or nothing where no step gave it a value.
  std::optional<double> find(std::string_view name) const;
};

/// Which nodes of a model are reported, under which names, and what a program calls its outputs for them.
struct FigureNames {
  std::vector<std::string> outputs = {};  ///< "loss", "loss.bce", "metric.psnr"
  std::vector<std::string> names = {};    ///< "loss", "bce", "psnr"
  std::vector<NodeId> nodes = {};
};
/// The loss, if there is one, and the terms that are learnt (`chosen`, by number; empty: all); with
/// `metrics`, those too.
FigureNames figure_names(const ModelDefinition& model, const std::vector<std::size_t>& chosen, bool metrics);

/// Sums batch means, weighted by the rows of their batch.
class FigureSum {
 public:
  explicit FigureSum(std::vector<std::string> names)
      : names_(std::move(names)), sums_(names_.size()), figure_rows_(names_.size()) {}

  void add(std::span<const float> batch_means, std::int64_t rows);
  /// The same while learning, where NaN stands for a figure of a step that was not done on this batch. (A
  /// loss that is NaN ends the run before it is added.)
  void add_learnt(std::span<const float> batch_means, std::int64_t rows);
  /// Means over all rows so far; a figure without rows, of a step whose turn it was not, is absent. Figures
  /// of equal names, the losses of steps that alternate, are added up.
  Figures means() const;
  /// means().at("loss"), without an allocation.
  double loss() const;

  std::int64_t rows() const { return rows_; }
  std::span<const double> sums() const { return sums_; }
  std::span<const std::int64_t> figure_rows() const { return figure_rows_; }
  /// Continues from sums saved before; Error{data} when they are not as many as the names. No `figure_rows`:
  /// all figures have the same rows.
  void restore(std::span<const double> sums, std::int64_t rows,
               std::span<const std::int64_t> figure_rows = {});
  void clear();

 private:
  double mean(std::size_t figure) const;

  std::vector<std::string> names_;
  std::vector<double> sums_;
  std::vector<std::int64_t> figure_rows_;  ///< behind each sum
  std::int64_t rows_ = 0;
};

}  // namespace graphrun::train
