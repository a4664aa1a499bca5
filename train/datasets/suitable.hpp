/// \file
/// Do data suit a model? What shows before the first step, and would be a riddle after it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graphrun/error.hpp"
#include "language/recipe/definition.hpp"
#include "train/datasets/examples.hpp"

namespace graphrun::train {

/// The labels that an input is fed.
struct LabelRange {
  std::int64_t lowest = 0;
  std::int64_t highest = 0;
  std::optional<std::int64_t> row = std::nullopt;  ///< of the first that is the highest, where it is known
};

/// Of labels that stand one behind the other, some for each row; nothing of none.
template <class Label>
std::optional<LabelRange> range_of_labels(std::span<const Label> labels, std::int64_t row_elements = 1) {
  if (labels.empty()) return std::nullopt;
  const auto [lowest, highest] = std::minmax_element(labels.begin(), labels.end());
  const auto first = std::find(labels.begin(), labels.end(), *highest);
  return LabelRange{*lowest, *highest, (first - labels.begin()) / row_elements};
}

/// Labels are used as they are: to choose one of so many classes, or a row of a table. An Error{data} at each
/// node that has none for some label of its input. `ranges` are by the inputs' names, of the data called
/// `source`.
std::vector<Error> label_faults(const ModelDefinition& model, const std::map<std::string, LabelRange>& ranges,
                                const std::string& source);

/// Throws the first of these for the labels of the examples.
void require_labels_fit(const ModelDefinition& model, const Examples& examples, const std::string& source);

/// A sentence for each input that a binary cross entropy takes for probabilities and whose values are none.
std::vector<std::string> notes_on_ranges(const ModelDefinition& model, const Examples& examples);

}  // namespace graphrun::train
