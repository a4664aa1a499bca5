/// \file
/// Means and variances of channels: of each row of images by itself, and of all rows from those of each.
/// Variances are sums of squared distances from a mean that is known, never differences of large sums: within
/// 64 pixels two passes, and between them and between rows what Chan, Golub and LeVeque give ("Updating
/// formulae and a pairwise algorithm for computing sample variances", 1979).
#pragma once

#include "graph/type.hpp"
#include "ops/op.hpp"

namespace graphrun::ops {

/// x [n, ..., c] as [n, 2, c]: the mean and the variance of each row's pixels.
std::vector<double> moments_of_rows(const HostTensor& x);
/// Of [n, 2, c], rows of equally many pixels, as [2, c].
void pool_moments(const Extents& rows, const std::vector<double>& moments, std::vector<double>& pooled);

/// The same in f32, as kernels.
std::unique_ptr<runtime::Call> make_row_moments(const runtime::BoundNode& bound);
std::unique_ptr<runtime::Call> make_pooled_moments(const runtime::BoundNode& bound);
/// Both, one after the other.
std::unique_ptr<runtime::Call> make_moments(const runtime::BoundNode& bound);

/// Vectors of a row are one row: there are no pixels to see by themselves. [n, c] as [1, n, c].
Extents as_images(const Extents& x);

}  // namespace graphrun::ops
