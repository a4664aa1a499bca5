/// \file
/// How far two sets of images are from each other, seen through features of them.
#pragma once

#include "train/learn/learner.hpp"
#include "train/measure/latent_space.hpp"

namespace graphrun::train {

/// The Fréchet distance of the two normal distributions with the means and covariances of two sets of rows,
///
///     |mean_a - mean_b|^2 + trace(C_a + C_b - 2 (C_a C_b)^(1/2))
///
/// as M. Heusel et al. ("GANs trained by a two time-scale update rule", 2017) compare images by features of
/// them. The trace of the root is the sum of the roots of the eigenvalues of the symmetric matrix
/// C_a^(1/2) C_b C_a^(1/2). It is 0 for equal sets, symmetric, and in f64 throughout; it falls as rows are
/// added, so compare only sets of equal counts.
///
/// Error{usage} for rows of different widths or wider than 1,024, and for fewer than two rows;
/// Error{not_finite} for values that are not finite.
double frechet_distance(const Codes& a, const Codes& b);

/// Output `code` of a model for images, as rows. Error{usage} when it has none of f32 with a row an image.
Codes features_of(Learner& model, const Examples& images);

}  // namespace graphrun::train
