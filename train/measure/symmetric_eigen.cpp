#include "train/measure/symmetric_eigen.hpp"

#include <cmath>
#include <limits>

namespace graphrun::train {

namespace {

/// A rotation by an angle whose cosine and sine these are.
struct Rotation {
  double cosine = 1;
  double sine = 0;
};

/// The smaller of the two that make the element between `pp` and `qq` zero.
Rotation rotation_of(double pp, double pq, double qq) {
  const double theta = (qq - pp) / (2 * pq);
  const double tangent = std::copysign(1, theta) / (std::abs(theta) + std::hypot(theta, 1.0));
  const double cosine = 1 / std::hypot(tangent, 1.0);
  return {cosine, tangent * cosine};
}

void rotate(double& p, double& q, const Rotation& by) {
  const double before = p;
  p = by.cosine * before - by.sine * q;
  q = by.sine * before + by.cosine * q;
}

class Jacobi {
 public:
  Jacobi(std::vector<double> matrix, std::size_t size)
      : size_(size), matrix_(std::move(matrix)), vectors_(size * size) {
    for (std::size_t i = 0; i < size; ++i) vectors_[i * size + i] = 1;
    double squares = 0;
    for (const double value : matrix_) squares += value * value;
    negligible_ = std::sqrt(squares) * std::numeric_limits<double>::epsilon() / static_cast<double>(size + 1);
  }

  SymmetricEigen run() {
    constexpr int most_sweeps = 60;  // ten are enough for anything that was ever met
    for (int left = most_sweeps; left > 0 && sweep(); --left) continue;
    SymmetricEigen result{{}, std::move(vectors_)};
    for (std::size_t i = 0; i < size_; ++i) result.values.push_back(matrix_[i * size_ + i]);
    return result;
  }

 private:
  /// Whether something was left to do.
  bool sweep() {
    bool rotated = false;
    for (std::size_t p = 0; p + 1 < size_; ++p)
      for (std::size_t q = p + 1; q < size_; ++q) {
        if (std::abs(matrix_[p * size_ + q]) <= negligible_) continue;
        turn(p, q);
        rotated = true;
      }
    return rotated;
  }

  void turn(std::size_t p, std::size_t q) {
    double* const row_p = matrix_.data() + p * size_;
    double* const row_q = matrix_.data() + q * size_;
    const Rotation by = rotation_of(row_p[p], row_p[q], row_q[q]);
    for (std::size_t k = 0; k < size_; ++k) rotate(row_p[k], row_q[k], by);
    for (std::size_t k = 0; k < size_; ++k) rotate(matrix_[k * size_ + p], matrix_[k * size_ + q], by);
    row_p[q] = 0;
    row_q[p] = 0;
    for (std::size_t k = 0; k < size_; ++k) rotate(vectors_[p * size_ + k], vectors_[q * size_ + k], by);
  }

  std::size_t size_;
  std::vector<double> matrix_;
  std::vector<double> vectors_;
  double negligible_ = 0;
};

}  // namespace

SymmetricEigen symmetric_eigen(std::vector<double> matrix, std::size_t size) {
  return Jacobi(std::move(matrix), size).run();
}

}  // namespace graphrun::train
