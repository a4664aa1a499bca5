/// \file
/// What can be told from codes alone: how well labels are read off them, how clusters agree with labels, how
/// many units are used. Measured on whole sets; nothing of it is ever trained on test data.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace graphrun::train {

/// Rows of f32 codes, with a label each.
struct LabelledCodes {
  std::int64_t width = 0;
  std::vector<float> codes;          ///< [count, width]
  std::vector<std::int32_t> labels;  ///< [count]; empty: none
  std::int64_t count() const { return width == 0 ? 0 : static_cast<std::int64_t>(codes.size()) / width; }
  std::span<const float> row(std::int64_t index) const {
    return std::span(codes).subspan(static_cast<std::size_t>(index * width), static_cast<std::size_t>(width));
  }
};

/// The share of `asked` whose label wins the vote of the k nearest of `known`, by Euclidean distance; the
/// earlier of equally near ones, the smaller of labels with equal votes.
double knn_accuracy(const LabelledCodes& known, const LabelledCodes& asked, std::int64_t k);

/// The share of `asked` that softmax regression, learnt from `known` by graphrun itself, labels rightly.
double linear_accuracy(const LabelledCodes& known, const LabelledCodes& asked);

/// Normalised mutual information (by the arithmetic mean of both entropies, natural logarithm) of labels and
/// the best of four k-means clusterings; k of 0: as many clusters as there are labels.
double kmeans_nmi(const LabelledCodes& codes, std::int64_t k);

/// How many units vary over the examples by more than `above` (Y. Burda et al., "Importance weighted
/// autoencoders", 2015).
std::int64_t active_units(const LabelledCodes& codes, double above);

}  // namespace graphrun::train
