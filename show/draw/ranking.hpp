/// \file
/// Images by how badly a model reconstructs them: what it has not learnt stands out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "show/draw/pictures.hpp"
#include "train/datasets/dataset.hpp"
#include "train/datasets/examples.hpp"
#include "train/learn/learner.hpp"

namespace graphrun::show {

/// The mean squared error a pixel of output `image`, for each of the examples, which are those of `images`.
std::vector<double> image_errors(train::Learner& learner, const train::Examples& examples,
                                 const train::ImageSet& images);

/// Numbers of the scores, the highest first; equal ones in their order.
std::vector<std::size_t> highest_first(std::span<const double> scores);

/// Some pictures of a list, in the order given.
Pictures picked(const Pictures& list, std::span<const std::size_t> numbers);

/// The area under the receiver operating characteristic: how often a sought one has a higher score than one
/// that is not, ties counted half (Mann and Whitney). Error{usage} when there are none of a kind.
double roc_auc(std::span<const double> scores, const std::vector<bool>& sought);

}  // namespace graphrun::show
