#include "train/measure/plane.hpp"

#include <Eigen/Core>
#include <cmath>

namespace graphrun::train {

namespace {

constexpr int power_iterations = 100;

using Vector = Eigen::VectorXd;
using Rows = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

Eigen::MatrixXd matrix_of(const Codes& codes) {
  return Rows(codes.values.data(), codes.count(), codes.width).cast<double>();
}

/// The direction of most variance at right angles to another, which may be empty.
Vector principal(const Eigen::MatrixXd& centred, const Vector& other) {
  Vector direction = Vector::LinSpaced(centred.cols(), 1, static_cast<double>(centred.cols())).cwiseInverse();
  for (int iteration = 0; iteration < power_iterations; ++iteration) {
    Vector next = centred.transpose() * (centred * direction);
    if (other.size() > 0) next -= next.dot(other) * other;
    const double length = next.norm();
    if (!(length > 0) || !std::isfinite(length)) break;
    direction = next / length;
  }
  Eigen::Index largest = 0;
  direction.cwiseAbs().maxCoeff(&largest);
  return direction[largest] < 0 ? Vector(-direction) : direction;
}

std::vector<double> numbers(const Vector& vector) {
  return {vector.begin(), vector.end()};
}

std::vector<float> along(const Eigen::MatrixXd& centred, const std::vector<double>& direction) {
  const Eigen::VectorXf places =
      (centred * Eigen::Map<const Vector>(direction.data(), centred.cols())).cast<float>();
  return {places.begin(), places.end()};
}

}  // namespace

PrincipalPlane principal_plane(const Codes& codes) {
  Eigen::MatrixXd centred = matrix_of(codes);
  const Vector mean = centred.colwise().mean().transpose();
  centred.rowwise() -= mean.transpose();
  const Vector first = principal(centred, {});
  return {numbers(mean), numbers(first), numbers(principal(centred, first))};
}

Plane plane_of(const Codes& codes, const PrincipalPlane& principal) {
  Eigen::MatrixXd centred = matrix_of(codes);
  centred.rowwise() -= Eigen::Map<const Vector>(principal.mean.data(), codes.width).transpose();
  return {along(centred, principal.first), along(centred, principal.second), "1st principal component",
          "2nd principal component"};
}

Plane plane_of(const Codes& codes) {
  if (codes.width > 2) return plane_of(codes, principal_plane(codes));
  Plane plane{{}, {}, "code 0", codes.width == 2 ? "code 1" : "number of the image"};
  for (std::int64_t row = 0; row < codes.count(); ++row) {
    const std::span<const float> values = codes.row(row);
    plane.x.push_back(values[0]);
    plane.y.push_back(codes.width == 2 ? values[1] : static_cast<float>(row));
  }
  return plane;
}

}  // namespace graphrun::train
