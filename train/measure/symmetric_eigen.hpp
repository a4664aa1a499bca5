/// \file
/// Eigenvalues and eigenvectors of symmetric matrices in f64.
#pragma once

#include <cstddef>
#include <vector>

namespace graphrun::train {

/// Of a symmetric matrix S = sum over i of values[i] * v_i v_i^T, with orthonormal v_i.
struct SymmetricEigen {
  std::vector<double> values;   ///< [size], in no order
  std::vector<double> vectors;  ///< [size, size]: row i is v_i
};

/// By cyclic Jacobi rotations (G. Golub and C. Van Loan, "Matrix Computations", 8.5), which find small
/// eigenvalues as well as large ones; some 10 * size^3 operations a sweep, and some ten sweeps. `matrix` is
/// [size, size], finite; only its symmetric part makes sense.
SymmetricEigen symmetric_eigen(std::vector<double> matrix, std::size_t size);

}  // namespace graphrun::train
